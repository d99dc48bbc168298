"""What the queries of an application cost today, by the planner of production: captures and a snapshot in, a cost for each shape out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from dbguard.config import Config
from dbguard.pipelines.gate_ghost import Opening, hidden_of
from dbguard.pipelines.gate_workload import captured
from dbguard.pipelines.measure import programs_of, snapshot_of
from dbguard.reading import Reading
from dbguard.rulebook.select import Selection


def costs_of(config: Config, sources: Sequence[str], selection: Selection) -> dict[str, float]:
    """Costs by shape, of those that plan; none without a snapshot. Raises `UnreadableSource`, and `ServerError` if no server starts."""
    snapshot = snapshot_of(config)
    if snapshot is None:
        return {}
    sent = captured(config, sources, Reading(()), selection).sent
    with ExitStack() as stack:
        ghost = Opening(snapshot, stack, programs_of(config))()
        ghost.hidden = hidden_of(snapshot)
        with ghost.before() as ask:
            plans = {one.shape: plan for one in sent if not isinstance(plan := ask(one.sql), str)}
    return {shape: round(plan.cost, 2) for shape, plan in plans.items()}
