"""SET NOT NULL that reads the whole table under its lock, because nothing proves that there are no nulls."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import not_null_steps, proof_dropped_with, proves_not_null
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, ColumnDefinition, SetNotNull
from dbguard.model.sql import column_clause
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    for position, one in enumerate(script.steps):
        change = one.operation
        if not isinstance(change, SetNotNull) or not one.effects.scans or one.is_new_or_empty(change.table):
            continue
        if proof_dropped_with(one, script.steps, change.column):
            continue
        table = one.table(change.table)
        waiting = next((c for c in table.constraints.values() if not c.valid and proves_not_null(c, change.column)), None)
        added = _added_with_default(one, script.steps[:position], change.column)
        yield flag(
            at=one.statement,
            variant="unvalidated" if waiting is not None else "added" if added is not None else "",
            table=change.table,
            column=quote(change.column),
            constraint="" if waiting is None else quote(waiting.name),
            not_null=not_null_steps(table, change.table, change.column, unfilled=True),
            column_clause=column_clause(added._replace(not_null=True)) if added is not None else "",
        )


def _added_with_default(one: Step, earlier: tuple[Step, ...], column: str) -> ColumnDefinition | None:
    """The column as this script added it, if its default filled every row without writing any."""
    table = one.before.resolve(one.operation.table)
    for other in earlier:
        add = other.operation
        if isinstance(add, AddColumn) and add.column.name == column and other.before.resolve(add.table) == table:
            default = add.column.default
            return add.column if default is not None and not default.is_null and not other.effects.rewrites else None
    return None
