"""The plan, or what it costs, rests on the values that are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep, Sample
from dbguard.model.quantities import number

FACTOR = 10.0
COST = 1_000.0  # of the most expensive plan: below that all are fast


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    custom = [one for one in step.samples if not one.generic and not one.absent]
    generic = next((one for one in step.samples if one.generic), None)
    if len(custom) < 2:
        return
    low, high = min(custom, key=lambda one: one.cost), max(custom, key=lambda one: one.cost)
    shapes = len({one.shape for one in custom})
    if high.cost < COST or low.cost <= 0:
        return
    if generic is not None and shapes > 1 and generic.shape != high.shape and high.cost >= FACTOR * generic.cost:
        yield _flag("generic", generic, high, shapes)
    elif shapes > 1 and high.cost >= FACTOR * low.cost:
        yield _flag("", low, high, shapes)


def _flag(variant: str, low: Sample, high: Sample, shapes: int) -> Flag:
    return flag(
        variant=variant,
        low=" and ".join(low.values),
        high=" and ".join(high.values),
        cheap=number(low.cost),
        dear=number(high.cost),
        shapes=str(shapes),
    )
