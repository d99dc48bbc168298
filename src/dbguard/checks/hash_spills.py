"""A hash join or hash aggregate does not fit into memory and goes through files."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import NOTICED, fact
from dbguard.model.quantities import size

DISK = 1024 * 1024


def _batches(count: float) -> str:
    return "1 batch" if count == 1 else f"{count:,.0f} batches"


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if node.kind == "Aggregate" and fact(node, "Disk Usage") * 1024 >= DISK and measure.share >= NOTICED:
            yield flag(
                about=measure, variant="aggregate", space=size(fact(node, "Disk Usage") * 1024), batches=f"{fact(node, 'HashAgg Batches'):,.0f}"
            )
        batches = fact(node, "Hash Batches")
        if node.kind != "Hash" or batches <= 1:
            continue
        join = next(step.above(measure), measure)
        if join.share + measure.share >= NOTICED:
            grown = batches > fact(node, "Original Hash Batches") > 0
            space = size(fact(node, "Peak Memory Usage") * 1024 * batches)
            yield flag(
                about=join,
                variant="grown" if grown else "",
                space=space,
                batches=f"{batches:,.0f}",
                planned=_batches(fact(node, "Original Hash Batches")),
            )
