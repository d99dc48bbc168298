"""What each node of a plan costs on its own: EXPLAIN shows totals with children included, and rows and time of one loop.

In: a plan, estimated or executed. Out: a `Measure` per node, in the order of EXPLAIN. Wall time of nodes below Gather is that of one
process; a CTE's time is counted at the scan that reads it, as PostgreSQL measures it there.
"""

from __future__ import annotations

from dbguard.model.plan import Measure, Node, Plan
from dbguard.planning.plans import number

_REMOVED = ("Rows Removed by Filter", "Rows Removed by Index Recheck", "Rows Removed by Join Filter")
_READS_ALL = frozenset({"Sort", "Hash", "Aggregate", "Bitmap Index Scan", "BitmapAnd", "BitmapOr", "Materialize", "ModifyTable", "SetOp"})
_KEEPS_NOTHING = frozenset({"Hash", "BitmapAnd", "BitmapOr", "ModifyTable"})
_EARLY_JOINS = frozenset({"Semi", "Anti", "Right Semi", "Right Anti"})


class _Above:
    """What a node inherits from those above it."""

    __slots__ = ("cost", "depth", "part", "processes", "stops", "times")

    def __init__(self, cost: float, times: float, part: float, processes: float, *, stops: bool, depth: int) -> None:
        self.cost, self.times, self.part, self.processes, self.stops, self.depth = cost, times, part, processes, stops, depth


def measures(plan: Plan) -> tuple[Measure, ...]:
    """A measure for each node, in EXPLAIN's order; `number` is its place in the result."""
    found: list[Measure] = []
    _measure(plan.root, None, _Above(plan.root.total_cost, 1.0, 1.0, 1.0, stops=False, depth=0), found)
    _count_ctes_where_they_are_read(found)
    return _with_shares(found, plan)


def _measure(node: Node, parent: int | None, above: _Above, found: list[Measure]) -> Measure:
    place = len(found)
    executed = node.loops is not None
    times = (node.loops or 0.0) / above.processes if executed else above.times
    cost = min(node.total_cost * max(above.times, 1.0), above.cost)
    seconds = None if node.seconds is None else node.seconds * times
    found.append(Measure(node, place, parent, above.depth))
    below = above.processes
    if node.kind in {"Gather", "Gather Merge"}:
        below *= 1.0 if node.facts.get("Single Copy") is True else number(node.facts.get("Workers Launched")) + 1.0
    left, own_seconds = cost, seconds
    for child in node.children:
        inherited = _Above(
            left,
            _times(node, child, above.times, left),
            _part(node, child, above.part),
            below,
            stops=_stops(node, child) or above.stops,
            depth=above.depth + 1,
        )
        if node.kind in _READS_ALL:
            inherited.stops = False
        measured = _measure(child, place, inherited, found)
        left = max(left - measured.cost, 0.0)
        if own_seconds is not None and measured.seconds is not None and not _is_cte(child):
            own_seconds = max(own_seconds - measured.seconds, 0.0)
    error, under = _error(node)
    found[place] = Measure(
        node=node,
        number=place,
        parent=parent,
        depth=above.depth,
        times=times,
        part=above.part,
        stops_early=above.stops,
        cost=cost,
        own_cost=left,
        seconds=seconds,
        own_seconds=own_seconds,
        total_rows=(node.actual_rows or 0.0) * (node.loops or 0.0) if executed else node.rows * above.times * above.part,
        removed=sum(number(node.facts.get(key)) for key in _REMOVED) * (node.loops or 0.0) if executed else None,
        error=error,
        under=under,
    )
    return found[place]


def _times(node: Node, child: Node, times: float, cost: float) -> float:
    """How often the costs suppose that a child runs; `cost` is what is left for it (of a Memoize: cost_memoize_rescan in costsize.c)."""
    if (
        node.kind in {"Memoize", "Result Cache"} and child.total_cost > 0
    ):  # only for keys that are not in its cache (cost_memoize_rescan in costsize.c)
        return min(times, max(cost / child.total_cost, 1.0))
    if child.role == "Inner" and node.kind == "Nested Loop" and child.kind != "Materialize":
        outer = next((one for one in node.children if one.role == "Outer"), None)
        return times * max(outer.rows if outer is not None else 1.0, 1.0)
    if child.role == "SubPlan" and not is_hashed(node, child):
        return times * max(node.rows, 1.0)
    return 1.0 if child.role == "InitPlan" else times


def is_hashed(node: Node, subplan: Node) -> bool:
    """Whether a SubPlan's rows are read once into a hash table."""
    name = str(subplan.facts.get("Subplan Name", ""))
    return any(isinstance(text, str) and f"hashed {name}" in text for text in node.facts.values()) if name else False


def _part(node: Node, child: Node, part: float) -> float:
    if node.kind == "Limit" and child.role in {"Outer", ""}:
        span = child.total_cost - child.startup_cost
        own = (node.total_cost - child.startup_cost) / span if span > 0 else 1.0
        return part * min(max(own, 0.0), 1.0)
    if node.kind in _READS_ALL or child.role in {"InitPlan", "SubPlan", "Inner"}:
        return 1.0
    return part


def _stops(node: Node, child: Node) -> bool:
    if node.kind == "Limit" or child.role in {"SubPlan", "InitPlan"}:
        return True
    if node.kind == "Merge Join":
        return True
    if node.kind in {"Nested Loop", "Hash Join"} and child.role == "Inner":
        return node.facts.get("Join Type") in _EARLY_JOINS or node.facts.get("Inner Unique") is True
    return False


def _error(node: Node) -> tuple[float | None, bool]:
    if not node.loops or node.actual_rows is None or node.kind in _KEEPS_NOTHING or node.rows <= 0:
        return None, False
    actual, estimated = max(node.actual_rows, 1.0), max(node.rows, 1.0)
    return max(actual / estimated, estimated / actual), actual > estimated


def _is_cte(node: Node) -> bool:
    return node.role == "InitPlan" and str(node.facts.get("Subplan Name", "")).startswith("CTE ")


def _count_ctes_where_they_are_read(found: list[Measure]) -> None:
    """The first scan of a CTE waits for its rows, so that its own time holds the CTE's."""
    for measure in list(found):
        if not _is_cte(measure.node) or measure.seconds is None:
            continue
        name = str(measure.node.facts["Subplan Name"]).removeprefix("CTE ")
        scans = [one for one in found if one.node.kind == "CTE Scan" and one.node.facts.get("CTE Name") == name and one.own_seconds is not None]
        if scans:
            largest = max(scans, key=lambda one: one.own_seconds or 0.0)
            found[largest.number] = largest._replace(own_seconds=max((largest.own_seconds or 0.0) - measure.seconds, 0.0))


def _with_shares(found: list[Measure], plan: Plan) -> tuple[Measure, ...]:
    timed = plan.root.seconds
    total = sum(one.own_seconds or 0.0 for one in found) if timed else sum(one.own_cost for one in found)
    if total <= 0:
        return tuple(found)
    return tuple([one._replace(share=((one.own_seconds or 0.0) if timed else one.own_cost) / total) for one in found])


def shape_of(plan: Plan) -> str:
    """The nodes of a plan with what they read and through which index, as text: equal for plans of the same shape."""

    def of(node: Node) -> str:
        own = f"{node.kind} {node.facts.get('Join Type', '')} {node.facts.get('Strategy', '')} {node.relation} {node.index}"
        return f"{own}({','.join(map(of, node.children))})"

    return of(plan.root)
