"""ADD COLUMN IF NOT EXISTS with clauses that are skipped together with the column."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, ColumnDefinition
from dbguard.model.schema import Column, Table
from dbguard.model.sql import column_clause, constraint_clause
from dbguard.model.state import Step

INLINE = {"check", "foreign key", "unique", "primary key"}


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    table, column = step.table(add.table), add.column
    existing = table.columns.get(column.name)
    if not add.if_not_exists or (existing is None and table.known):
        return
    skipped = tuple(_missing(column, existing, table))
    if not skipped:
        return
    constraints = [constraint_clause(c._replace(valid=c.kind not in {"check", "foreign key"}), table) for c in column.constraints if c.kind in INLINE]
    yield flag(
        variant="" if existing is not None else "unknown",
        table=add.table,
        column=quote(column.name),
        skipped=", ".join(skipped),
        plain_column=column_clause(column._replace(constraints=(), default=None, not_null=False)),
        add_constraints="\n".join(f"ALTER TABLE {add.table} ADD {clause};" for clause in constraints),
    )


def _missing(column: ColumnDefinition, existing: Column | None, table: Table) -> Iterator[str]:
    """Clauses that the column does not have already; of a column that was not seen, only its constraints count."""
    present = [c for c in table.constraints.values() if c.columns == (column.name,)]
    for constraint in column.constraints:
        if constraint.kind not in INLINE:
            continue
        same = (c for c in present if c.kind == constraint.kind and (c.kind != "check" or c.expression == constraint.expression))
        if next(same, None) is None:
            yield "REFERENCES" if constraint.kind == "foreign key" else constraint.kind.upper()
    if existing is None:
        return
    if column.default is not None and existing.default is None and not column.default.is_null:
        yield "DEFAULT"
    if column.not_null and not existing.not_null:
        yield "NOT NULL"
