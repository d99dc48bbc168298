"""A lock that blocks writes is requested on a table in use while no lock_timeout is set: at most once a migration."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, blocking_lock, flag
from dbguard.model.operations import DropIndex
from dbguard.model.state import EndOfScript, Step
from dbguard.model.times import milliseconds


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    for one in script.steps:
        lock = blocking_lock(one)
        if lock is not None and not milliseconds(one.before.settings.get("lock_timeout", "0")):
            of_index = isinstance(one.operation, DropIndex) and lock.relation not in one.before.schema.tables
            alone = one.before.transaction is None
            yield flag(
                at=one.statement,
                variant="-".join(word for word, holds in (("index", of_index), ("alone", alone)) if holds),
                table=one.display(lock.relation),
                mode=str(lock.mode),
                waits="read and write" if "read" in lock.mode.blocks else "write",
            )
            return
