"""DROP DEFAULT of a NOT NULL column: inserts that left the column out fail from now on."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, DropDefault
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    added: set[tuple[object, str]] = set()
    for one in script.steps:
        match one.operation:
            case AddColumn(table=name, column=column):
                added.add((one.before.resolve(name), column.name))
            case DropDefault(table=name, column=dropped) if (one.before.resolve(name), dropped) not in added and not one.is_new(name):
                before = one.table(name).columns.get(dropped)
                now = step.after.table(name).columns.get(dropped)
                if before is None or now is None or not before.not_null or before.default is None or before.default.is_null:
                    continue
                if now.not_null and now.default is None and not now.identity:
                    yield flag(at=one.statement, table=name, column=quote(dropped), default=before.default.sql)
