"""Fewer parallel workers started than the plan was made for."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import fact


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        planned, launched = fact(node, "Workers Planned"), fact(node, "Workers Launched")
        if node.loops and "Workers Launched" in node.facts and launched < planned:
            yield flag(about=measure, planned=f"{planned:.0f}", launched=f"{launched:.0f}")
