"""A table or view in use gets another name."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import RenameTable
from dbguard.model.state import Step


def check(rename: RenameTable, step: Step) -> Iterator[Flag]:
    if rename.kind in {"index", "sequence", "composite type"} or step.is_new(rename.table):
        return
    if rename.to.endswith(("_deprecated", "_old", "_unused", "_backup")):
        return  # the first half of a careful DROP TABLE: whoever misses the table says so, and its rows are still there
    yield flag(table=rename.table, kind=rename.kind, to=quote(rename.to))
