"""A statement does long work under a lock that blocks writes, with no statement_timeout: at most once a migration."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, blocking_lock, flag
from dbguard.model.state import EndOfScript, Step
from dbguard.model.times import milliseconds


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    for one in script.steps:
        lock = blocking_lock(one)
        works = one.effects.rewrites or one.effects.scans or one.effects.builds
        if lock is not None and works and not milliseconds(one.before.settings.get("statement_timeout", "0")):
            yield flag(at=one.statement, table=one.display(lock.relation))
            return
