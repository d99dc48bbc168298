"""VACUUM FULL of a table in use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Vacuum
from dbguard.model.state import Step


def check(vacuum: Vacuum, step: Step) -> Iterator[Flag]:
    if not vacuum.full:
        return
    if not vacuum.tables:
        yield flag(variant="every")
    for table in vacuum.tables:
        if not step.is_new(table):
            yield flag(table=table)
