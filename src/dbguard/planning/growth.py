"""How a plan grows with its tables: the same query planned at 1, 10 and 100 times the data, in numbers and in words.

In: plans by scale. Out: `Growth` values, and sentences: "cost grows in step with `orders`", "above 10 times the plan is another one".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from dbguard.model.plan import Plan, PlanStep, Size, nodes
from dbguard.model.plan_questions import SCANS, partitioned, relation, rows_words
from dbguard.model.quantities import duration, number
from dbguard.model.verdict import Growth
from dbguard.planning.measures import measures, shape_of
from dbguard.planning.node_names import title
from dbguard.planning.times import UNCALIBRATED, Times, seconds

SCALES = (1.0, 10.0, 100.0)
FLAT, LINEAR, STEEP = 0.15, 0.7, 1.2
_NAMED = 2  # nodes of a plan that are named where it becomes another one


def growth(plans: Mapping[float, Plan]) -> tuple[Growth, ...]:
    """A value for each scale, the smallest first."""
    first = shape_of(plans[min(plans)])
    return tuple([Growth(scale, plan.cost, plan.rows, shape_of(plan) == first) for scale, plan in sorted(plans.items())])


def slope(found: Sequence[Growth], *, rows: bool = False) -> float:
    """The exponent with which cost (or rows) grows: 0 constant, 1 in step with the data."""
    low, high = found[0], found[-1]
    before, after = (low.rows, high.rows) if rows else (low.cost, high.cost)
    if before <= 0 or after <= 0 or high.scale <= low.scale:
        return 0.0
    return math.log(after / before) / math.log(high.scale / low.scale)


def words(
    found: Sequence[Growth], plan: Plan, times: Times = UNCALIBRATED, *, grown: Mapping[float, Plan] = {}, sizes: Mapping[str, Size] = {}
) -> tuple[str, ...]:
    """Sentences on how the query grows, the most important first. `grown` has the plans at other sizes, `sizes` what is known of tables."""
    if len(found) < 2:
        return ()
    exponent, table = slope(found), main_table(plan, sizes)
    how = (
        "stays as it is, however much data there is"
        if exponent < FLAT
        else "grows more slowly than the data"
        if exponent < LINEAR
        else f"grows in step with {table}"
        if exponent <= STEEP
        else f"grows faster than {table}"
    )
    said = [f"cost {how}: {_series(found, times)}"]
    changed = next((one for one in found if not one.same_shape), None)
    if changed is not None:
        exchanged = f": {_exchanged(plan, grown[changed.scale])}" if changed.scale in grown else ""
        said.append(f"at {changed.scale:g} times the data the plan is another one{exchanged}")
    if slope(found, rows=True) > LINEAR and found[-1].rows >= 1000:
        said.append(f"the result grows, too: {rows_words(found[0].rows)} now, {rows_words(found[-1].rows)} at {found[-1].scale:g} times")
    return tuple(said)


def _series(found: Sequence[Growth], times: Times) -> str:
    """`0.9 ms now, 9 ms at 10 times, 95 ms at 100 times` if times are calibrated, else costs."""
    shown = [(one.scale, f"about {duration(seconds(one.cost, times)[0])}" if times.calibrated else number(one.cost)) for one in found]
    return ", ".join(f"{value} now" if scale == 1 else f"{value} at {scale:g} times" for scale, value in shown)


def _exchanged(before: Plan, after: Plan) -> str:
    """`Index Scan using i on orders instead of Seq Scan on orders`: at most two nodes of each plan that the other has not."""
    old, new = Counter(map(title, nodes(before.root))), Counter(map(title, nodes(after.root)))
    come, gone = list(new - old)[:_NAMED], list(old - new)[:_NAMED]
    return f"{', '.join(come)} instead of {', '.join(gone)}" if come and gone else f"with {', '.join(come)}" if come else f"without {', '.join(gone)}"


def main_table(plan: Plan, sizes: Mapping[str, Size] = {}) -> str:
    """The table that the plan spends most on, all its partitions together."""
    every = measures(plan)
    step = PlanStep(plan, every, sizes)
    costs: dict[str, float] = {}
    for one in every:
        if one.node.kind in SCANS and one.node.relation:
            name = partitioned(one, step) or relation(one.node)
            costs[name] = costs.get(name, 0.0) + one.own_cost
    return f"`{max(costs, key=lambda name: costs[name])}`" if costs else "the data"
