"""One statement that locks many partitions in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.checks import Flag, flag
from dbguard.model.postgres import LockMode
from dbguard.model.state import EndOfTransaction, Step


def check(end: EndOfTransaction, step: Step, options: Mapping[str, Any]) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    for one in end.steps:
        schema = one.before.schema
        children = [
            table
            for lock in one.effects.locks
            if lock.mode >= LockMode.SHARE
            and (table := schema.tables.get(lock.relation)) is not None
            and table.parent is not None
            and not one.is_new(table.name)
        ]
        if len(children) >= options["partitions"] and children[0].parent is not None:
            yield flag(at=one.statement, table=one.display(children[0].parent), count=len(children))
            return
