"""A short lock_timeout while rows of a table in use are changed: it bounds each wait for a row, too."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Delete, Update
from dbguard.model.state import Step
from dbguard.model.times import milliseconds


def check(change: Update | Delete, step: Step) -> Iterator[Flag]:
    value = step.before.settings.get("lock_timeout", "0")
    if value != "runner" and (milliseconds(value) or 0) > 0 and not step.is_new(change.table):
        yield flag(table=change.table, value=value, command=type(change).__name__.upper())
