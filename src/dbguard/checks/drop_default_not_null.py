"""DROP DEFAULT of a NOT NULL column: inserts that left the column out fail from now on."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, DropDefault, SetDefault
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    given: set[tuple[object, str]] = set()  # columns that had no default before this script: nobody can rely on one
    for one in script.steps:
        match one.operation:
            case AddColumn(table=name, column=column):
                given.add((one.before.resolve(name), column.name))
            case SetDefault(table=name, column=filled) if _has_none(one, filled):
                given.add((one.before.resolve(name), filled))
            case DropDefault(table=name, column=dropped) if (one.before.resolve(name), dropped) not in given and not one.is_new(name):
                before = one.table(name).columns.get(dropped)
                now = step.after.table(name).columns.get(dropped)
                if before is None or now is None or not before.not_null or before.default is None or before.default.is_null:
                    continue
                if now.not_null and now.default is None and not now.identity:
                    yield flag(at=one.statement, table=name, column=quote(dropped), default=before.default.sql)


def _has_none(step: Step, column: str) -> bool:
    known = step.table(step.operation.table).columns.get(column)
    return known is not None and (known.default is None or known.default.is_null)
