"""A table or view in use gets another name, and nothing takes the old one."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import RenameTable
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    for one in script.steps:
        rename = one.operation
        if not isinstance(rename, RenameTable) or rename.kind in {"index", "sequence", "composite type"} or one.is_new(rename.table):
            continue
        if rename.to.endswith(("_deprecated", "_old", "_unused", "_backup")):
            continue  # the first half of a careful DROP TABLE: whoever misses the table says so, and its rows are still there
        if one.before.resolve(rename.table) not in step.after.schema.tables:  # a view or another table answers to the old name
            yield flag(at=one.statement, table=rename.table, kind=rename.kind, to=quote(rename.to))
