"""A sort does not fit into work_mem and goes through files."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Measure, Plan, PlanStep
from dbguard.model.plan_questions import NOTICED, fact, limit_above, memory
from dbguard.model.quantities import size

CLEARLY = 2.0  # times work_mem that an estimate must have: widths are averages
ROW_OVERHEAD = 24  # bytes of a tuple's header (htup_details.h), to which costsize.c adds the width, both rounded up to 8


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if node.kind not in {"Sort", "Incremental Sort"} or measure.share < NOTICED:
            continue
        if node.loops is not None:
            disk = fact(node, "Sort Space Used") * 1024 if node.facts.get("Sort Space Type") == "Disk" else 0.0
            if disk:
                yield flag(about=measure, space=size(disk), share=_share(measure))
        elif node.kind == "Sort" and not _is_bounded(measure, step):
            need, (given, known) = node.rows * (ROW_OVERHEAD + (node.width + 7) // 8 * 8), memory(step)
            if need >= CLEARLY * given:
                assumes = () if known else ("`work_mem` is 4 MB, its default",)
                yield flag(about=measure, variant="estimated", assumes=assumes, space=size(need), work_mem=size(given), share=_share(measure))


def _share(measure: Measure) -> str:
    return f"{measure.share:.0%}".replace("%", " %")


def _is_bounded(measure: Measure, step: PlanStep) -> bool:
    """Whether LIMIT lets the sort keep its first rows only."""
    return limit_above(step, measure) is not None
