"""A concurrent index build while statement_timeout is set: the timeout leaves an invalid index behind."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateIndex, Reindex
from dbguard.model.state import Step
from dbguard.model.times import milliseconds


def check(build: CreateIndex | Reindex, step: Step) -> Iterator[Flag]:
    value = step.before.settings.get("statement_timeout", "0")
    if build.concurrently and (milliseconds(value) or 0) > 0 and value != "runner":
        yield flag(value=value)
