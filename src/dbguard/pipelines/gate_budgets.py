"""Budgets: limits of the configuration, what the numbers are now, and how far they moved since the baseline was written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbguard.config import Config
from dbguard.judgement.baseline import Baseline, read
from dbguard.model.quantities import number
from dbguard.model.verdict import Budget, QueryRisk
from dbguard.pipelines.gate_settings import settings_of
from dbguard.pipelines.gate_workload import Captured

DRIFT = 1.5  # times the baseline from which a number is shown although no limit is set
MOST_SHOWN = 20  # of one kind, those nearest to or furthest over their limit


def budgets_of(config: Config, queries: Captured, risks: Sequence[QueryRisk]) -> tuple[Budget, ...]:
    """What exceeds its limit, and what drifted, the worst first."""
    limits = settings_of(config).budgets
    known = _recorded(config)
    named = {risk.shape: risk.name or (f"{risk.places[0][0]}:{risk.places[0][1]}" if risk.places else risk.shape) for risk in risks}
    found = _some("queries per unit", ((name, now, known.units.get(name)) for name, now in queries.units.items()), limits.get("queries-per-unit"))
    found += _some("calls", ((named.get(key, key), now, known.shapes.get(key)) for key, now in queries.shapes.items()), limits.get("calls"))
    costs = ((named[risk.shape], risk.after.cost, known.costs.get(risk.shape)) for risk in risks if risk.after is not None)
    return tuple(found + _some("cost", costs, limits.get("cost")))


def _some(name: str, numbers: Iterable[tuple[str, float, float | None]], limit: float | None) -> list[Budget]:
    found = [
        Budget(name, subject, limit, float(now), recorded, exceeded=limit is not None and now > limit)
        for subject, now, recorded in numbers
        if (limit is not None and now > limit) or (recorded and now >= recorded * DRIFT and now - recorded >= 2)
    ]
    return sorted(found, key=lambda one: (not one.exceeded, -one.now / (one.recorded or one.limit or 1.0)))[:MOST_SHOWN]


def _recorded(config: Config) -> Baseline:
    if not config.baseline:
        return Baseline("", {})
    return read(config)


def exceeded(budgets: Iterable[Budget], word: str = "") -> tuple[str, ...]:
    """A sentence, or `word`, for each budget that is exceeded."""
    return tuple(
        [word or f"{one.name} of {one.subject}: {number(one.now)}, the limit is {number(one.limit or 0)}" for one in budgets if one.exceeded]
    )
