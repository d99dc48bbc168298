"""TRUNCATE of a table in use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Truncate
from dbguard.model.state import Step


def check(truncate: Truncate, step: Step) -> Iterator[Flag]:
    for table in truncate.tables:
        if not step.is_new(table):
            yield flag(table=table, variant="cascade" if truncate.cascade else "")
