"""A new table that has no primary key when its migration is over."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote_all
from dbguard.model.operations import CreateTable
from dbguard.model.schema import Table
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:
    for one in end.steps:
        creation = one.operation
        if not isinstance(creation, CreateTable) or creation.kind != "table" or creation.partition_of is not None or creation.inherits:
            continue
        name = one.after.resolve(creation.name)
        table = step.after.schema.tables.get(name)
        if table is None or table.persistence == "temporary" or table.primary_key is not None or table.parent is not None:
            continue
        if name in one.before.schema.tables or any(not one.table(like.source).known for like in creation.like):
            continue
        key = _other_key(table)
        yield flag(at=one.statement, variant="key" if key else "", table=one.display(name), columns=quote_all(key))


def _other_key(table: Table) -> tuple[str, ...]:
    """Columns that identify a row all the same: unique and not null."""
    for constraint in table.constraints.values():
        if constraint.kind == "unique" and all(column in table.columns and table.columns[column].not_null for column in constraint.columns):
            return constraint.columns
    return ()
