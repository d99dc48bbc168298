"""DROP NOT NULL: readers meet a null where there never was one."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import DropNotNull
from dbguard.model.state import Step


def check(change: DropNotNull, step: Step) -> Iterator[Flag]:
    column = step.table(change.table).columns.get(change.column)
    if not step.is_new(change.table) and (column is None or column.not_null):
        yield flag(table=change.table, column=quote(change.column))
