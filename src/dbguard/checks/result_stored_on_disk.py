"""Rows that are kept for a second reading do not fit into work_mem and are kept in a file."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import NOTICED, fact
from dbguard.model.quantities import size

_OF = {"CTE Scan": "a CTE", "WindowAgg": "a window", "Materialize": "the inner side of a join", "Recursive Union": "a recursive query"}


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if node.facts.get("Storage") == "Disk" and measure.share >= NOTICED:
            yield flag(about=measure, what=_OF.get(node.kind, node.kind), space=size(fact(node, "Maximum Storage") * 1024))
