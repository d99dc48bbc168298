"""LOCK TABLE in a mode that others wait for."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import LockTable
from dbguard.model.postgres import LockMode
from dbguard.model.state import Step


def check(lock: LockTable, step: Step) -> Iterator[Flag]:
    mode = LockMode(lock.mode)
    if lock.nowait or "write" not in mode.blocks:
        return
    for table in lock.tables:
        if not step.is_new(table):
            yield flag(table=table, mode=str(mode), waits="read and write" if "read" in mode.blocks else "write")
