"""DROP COLUMN of a foreign key's column: the referenced table is locked against reads too."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import DropColumn
from dbguard.model.postgres import LockMode
from dbguard.model.state import Step


def check(drop: DropColumn, step: Step) -> Iterator[Flag]:
    root = step.before.resolve(drop.table)
    for key in step.table(drop.table).foreign_keys():
        parent = key.references
        if drop.column not in key.columns or parent is None or parent == root or step.is_new(parent):
            continue
        if step.effects.mode(parent) == LockMode.ACCESS_EXCLUSIVE:
            yield flag(table=drop.table, column=quote(drop.column), parent=step.display(parent), key=quote(key.name))
