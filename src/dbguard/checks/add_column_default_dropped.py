"""ADD COLUMN ... NOT NULL DEFAULT and DROP DEFAULT in one migration: the release still running cannot insert."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, DropDefault
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    added: dict[tuple[object, str], bool] = {}
    for one in script.steps:
        match one.operation:
            case AddColumn(table=name, column=column) if column.default is not None and not one.is_new(name):
                added[one.before.resolve(name), column.name] = column.not_null
            case DropDefault(table=name, column=dropped) if (one.before.resolve(name), dropped) in added:
                now = step.after.table(name).columns.get(dropped)
                if (now is None and added[one.before.resolve(name), dropped]) or (now is not None and now.not_null and now.default is None):
                    yield flag(at=one.statement, table=name, column=quote(dropped))
