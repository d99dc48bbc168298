"""Compiling a query takes a large part of its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.quantities import duration

PART = 0.25
SECONDS = 0.01


def check(plan: Plan, _step: PlanStep) -> Iterator[Flag]:
    jit = plan.facts.get("JIT")
    timing = jit.get("Timing") if isinstance(jit, Mapping) else None
    total = timing.get("Total") if isinstance(timing, Mapping) else None
    if not isinstance(total, int | float) or not plan.execution_seconds:
        return
    seconds = total / 1000
    if seconds >= SECONDS and seconds >= PART * plan.execution_seconds:
        yield flag(seconds=duration(seconds), whole=duration(plan.execution_seconds))
