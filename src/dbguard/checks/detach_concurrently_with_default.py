"""DETACH PARTITION ... CONCURRENTLY of a table that has a DEFAULT partition."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import DetachPartition
from dbguard.model.questions import default_partition
from dbguard.model.state import Step


def check(detach: DetachPartition, step: Step) -> Iterator[Flag]:
    if not detach.concurrently:
        return
    default = default_partition(step.before.resolve(detach.table), step.before)
    if default is not None:
        yield flag(table=detach.table, partition=detach.partition, default=step.display(default.name))
