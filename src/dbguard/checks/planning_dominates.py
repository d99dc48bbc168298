"""Planning a query takes longer than running it."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.quantities import duration

SECONDS = 0.01  # the first query of a session reads the catalogs for a few milliseconds


def check(plan: Plan, step: PlanStep) -> Iterator[Flag]:
    planning, execution = plan.planning_seconds, plan.execution_seconds
    if planning is not None and execution is not None and planning >= SECONDS and planning > execution:
        relations = len({one.node.relation for one in step.measures if one.node.relation})
        yield flag(planning=duration(planning), execution=duration(execution), relations=str(relations))
