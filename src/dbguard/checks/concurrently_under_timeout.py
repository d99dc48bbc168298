"""A concurrent index build while a timeout is set: the timeout leaves an invalid index behind."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateIndex, Reindex
from dbguard.model.state import Step
from dbguard.model.times import milliseconds, with_unit


def check(build: CreateIndex | Reindex, step: Step) -> Iterator[Flag]:
    if not build.concurrently:
        return
    for parameter, variant in (("statement_timeout", ""), ("lock_timeout", "lock")):
        value = step.before.settings.get(parameter, "0")
        if value != "runner" and (milliseconds(value) or 0) > 0:
            yield flag(value=with_unit(value), variant=variant)
            return
