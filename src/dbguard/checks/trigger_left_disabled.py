"""DISABLE TRIGGER that the script does not take back."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.finding import Severity
from dbguard.model.names import Name, quote
from dbguard.model.operations import SetTrigger
from dbguard.model.questions import tables_dropped
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    disabled: dict[tuple[Name, str, bool], Step] = {}
    for one in script.steps:
        change = one.operation
        if not isinstance(change, SetTrigger) or one.is_new(change.table):
            continue
        table = one.before.resolve(change.table)
        if not change.enable:
            disabled[table, change.name, change.all] = one
        elif change.all and change.name == "all":
            disabled = {key: earlier for key, earlier in disabled.items() if key[0] != table}
        else:
            disabled.pop((table, change.name, change.all), None)
    gone = tables_dropped(script.steps)
    for (table, name, whole), one in disabled.items():
        dropped = not whole and name in one.table(one.operation.table).triggers and name not in step.after.schema.table(table).triggers
        if table not in gone and not dropped:
            yield flag(
                at=one.statement,
                variant=name if whole else "",
                severity=None if whole and name == "all" else Severity.WARNING,
                table=one.operation.table,
                trigger=name.upper() if whole else quote(name),
            )
