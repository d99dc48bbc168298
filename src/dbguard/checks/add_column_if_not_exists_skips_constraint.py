"""ADD COLUMN IF NOT EXISTS with clauses that are skipped together with the column."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import not_null_steps, unique_steps
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, ColumnDefinition
from dbguard.model.schema import Column, Table
from dbguard.model.sql import column_clause, constraint_clause, constraint_name, default_text
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
    yield flag(
        variant="" if existing is not None else "unknown",
        table=add.table,
        column=quote(column.name),
        skipped=", ".join(skipped),
        plain_column=column_clause(column._replace(constraints=(), default=None, not_null=False)),
        add_rest="\n".join(_statements(add, existing, table)),
    )


def _statements(add: AddColumn, existing: Column | None, table: Table) -> Iterator[str]:
    """What IF NOT EXISTS skips, in statements of their own that lock no longer than they must."""
    column, alter = add.column, f"ALTER TABLE {add.table}"
    if column.default is not None and existing is not None and existing.default is None:
        yield f"{alter} ALTER COLUMN {quote(column.name)} SET DEFAULT {default_text(column.default)};"
    later = []
    for constraint in column.constraints:
        definition = constraint._replace(columns=(column.name,))
        if constraint.kind in {"check", "foreign key"}:
            yield f"{alter} ADD {constraint_clause(definition._replace(valid=False), table)};"
            later.append(f"-- next migration\n{alter} VALIDATE CONSTRAINT {constraint_name(definition, table)};")
        elif constraint.kind in {"unique", "primary key"}:
            create, use = unique_steps(table, add.table, column.name, constraint)
            later.append(f"-- outside a transaction\n{create}\n-- next migration\n{use}")
    yield from later
    if column.not_null and (existing is None or not existing.not_null):
        yield f"-- next migration\n{not_null_steps(table, add.table, column.name)}"


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
