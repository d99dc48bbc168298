"""ADD COLUMN on a table with partitions or children: all of them are locked in one transaction."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    if step.is_new(add.table):
        return
    root = step.before.resolve(add.table)
    family = {table.name for table in step.before.schema.descendants(root)}
    locked = sum(1 for lock in step.effects.locks if lock.relation in family and not step.is_new(lock.relation))
    if locked:
        yield flag(table=add.table, column=quote(add.column.name), count=f"{locked} partition" if locked == 1 else f"{locked} partitions")
