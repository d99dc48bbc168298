"""DETACH PARTITION without CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import DetachPartition
from dbguard.model.questions import default_partition
from dbguard.model.state import Step


def check(detach: DetachPartition, step: Step) -> Iterator[Flag]:
    if detach.concurrently or detach.finalize or step.is_new(detach.table) or step.effects.fails:
        return
    default = default_partition(step.before.resolve(detach.table), step.before)
    variant = "default" if default is not None else "" if step.server.since(14) else "old"
    yield flag(
        variant=variant,
        table=detach.table,
        partition=detach.partition,
        default="" if default is None else step.display(default.name),
    )
