"""How long a plan works when its tables are cached: rows and pages that its nodes touch, not the planner's cost.

The planner takes a page read at random to cost four times one read in order, and nothing to be cached (manual section 19.7.2), so an index
scan and a sequential scan of the same cost differ tenfold on a server whose tables are in memory. To say how many times slower a query gets,
both plans are weighed by what they touch: `WEIGHTS` are seconds on one core, which `python -m benchmarks.mutations fit` prints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import log2

from dbguard.model.plan import Measure, Plan
from dbguard.model.record import Record
from dbguard.model.snapshot import Snapshot
from dbguard.planning.measures import measures


class Tables(Record):
    """What is known of tables, by the names that EXPLAIN (VERBOSE) gives them."""

    sizes: Mapping[str, tuple[float, float]] = {}  # rows and pages
    correlations: Mapping[tuple[str, str], float] = {}  # of the order of a column's values with that of the rows


def tables_of(snapshot: Snapshot) -> Tables:
    stored = [one for one in snapshot.relations if one.kind in "rm"]
    return Tables(
        {f"{one.name.schema}.{one.name.name}": (max(one.tuples, 0.0), float(one.pages)) for one in stored},
        {(f"{one.relation.schema}.{one.relation.name}", one.column): one.correlation for one in snapshot.columns if one.correlation is not None},
    )


WEIGHTS: Mapping[str, float] = {
    "start": 0.00016,  # of a statement
    "page": 1.8e-06,  # of a sequential scan
    "row": 9.3e-09,
    "condition": 5.5e-09,  # on a row
    "descent": 2.9e-06,  # of an index, to its first entry
    "fetch": 4.4e-07,  # a row through an index
    "entry": 8.1e-09,  # of an index alone
    "mark": 4.8e-08,  # in a bitmap
    "heap": 5e-07,  # a row through a bitmap
    "compare": 1.6e-08,  # of a sort
    "hash": 6e-08,  # a row put into a hash table or looked up
    "group": 4.4e-08,  # a row that is aggregated
    "pair": 2e-08,  # of rows that a nested loop without an index compares
    "pass": 4e-08,  # a row through any other node
    "cost": 2.3e-06,  # a unit of cost of a node about which nothing else is known
}
RANDOM_ROW = 4.02  # cost of a row fetched at random: random_page_cost and the processing of a row
PROCESSED = 0.0175  # cost of a row without its page: index entry, tuple, one operator each
_FIRST_COLUMN = re.compile(r"\(*(?:\w+\.)?(\w+)\)?(?:::[\w ]+)? (?:[<>=]|IS|~)")


def cached_seconds(plan: Plan, tables: Tables, weights: Mapping[str, float] = WEIGHTS) -> float:
    """Seconds on one core, all that is read being in memory."""
    return sum(weights[term] * amount for term, amount in touched(plan, tables).items())


def touched(plan: Plan, tables: Tables) -> dict[str, float]:
    """How much of each term of `WEIGHTS` a plan takes."""
    found = measures(plan)
    total = {"start": 1.0}
    reached: list[float] = []  # the part of its runs that a LIMIT above leaves a node, which follows from the outer side of its joins
    for one in found:
        parent = None if one.parent is None else found[one.parent]
        share = 1.0 if parent is None else reached[parent.number]
        reached.append(share * parent.part if parent is not None and one.node.role == "Inner" and parent.node.kind == "Nested Loop" else share)
        below = [other for other in found if other.parent == one.number]
        for term, amount in _of(one, below, tables).items():
            total[term] = total.get(term, 0.0) + amount * reached[-1]
    return total


def _of(one: Measure, children: list[Measure], tables: Tables) -> dict[str, float]:
    node, runs, rows = one.node, max(one.times, 1.0), one.total_rows
    below = sum(child.total_rows for child in children)
    match node.kind:
        case "Seq Scan" | "Parallel Seq Scan" | "Sample Scan":
            known = tables.sizes.get(node.relation)
            if known is None:
                return {"cost": one.own_cost}
            share = runs * one.part
            return {"page": share * known[1], "row": share * known[0], "condition": share * known[0] * _conditions(node.facts.get("Filter"))}
        case "Index Scan" | "Index Only Scan":
            return {"descent": runs, "fetch" if node.kind == "Index Scan" else "entry": _read_through(one, tables)}
        case "Bitmap Index Scan":
            return {"descent": runs, "mark": rows}
        case "Bitmap Heap Scan":
            return {"heap": max(rows, below)}
        case "BitmapAnd" | "BitmapOr" | "Limit" | "Result" | "Append" | "Gather":
            return {}
        case "Sort" | "Incremental Sort":
            sorted_rows = max(below, rows)
            return {"compare": sorted_rows * log2(max(sorted_rows / runs, 2.0))}
        case "Hash" | "Hash Join":
            return {"hash": rows + (below if node.kind == "Hash Join" else 0.0)}
        case "Aggregate" | "WindowAgg" | "Unique" | "SetOp":
            return {"group": below}
        case "Nested Loop":
            inner = next((child for child in children if child.node.role == "Inner"), None)
            outer_rows = below if inner is None else below - inner.total_rows
            stored = inner is not None and inner.node.kind == "Materialize"
            return {"pass": rows + outer_rows, "pair": max(inner.node.rows * outer_rows, 0.0) if inner is not None and stored else 0.0}
    return {"pass": rows + below}


def _read_through(one: Measure, tables: Tables) -> float:
    """Rows that an index scan reads. Without a condition it reads all; those that its filter throws away show in the cost alone."""
    node = one.node
    known = tables.sizes.get(node.relation)
    if not node.facts.get("Filter"):
        return one.total_rows
    if known is None:
        return max(one.total_rows, one.own_cost / RANDOM_ROW)
    share = one.part * max(one.times, 1.0)
    condition = node.facts.get("Index Cond")
    if not condition:
        return max(one.total_rows, known[0] * share)
    column = _FIRST_COLUMN.match(str(condition))
    correlation = tables.correlations.get((node.relation, column[1]), 0.0) if column is not None else 0.0
    return max(one.total_rows, _rows_for(one.own_cost / max(share, 1e-9), known, correlation) * share)


def _rows_for(cost: float, size: tuple[float, float], correlation: float) -> float:
    """The rows that an index scan of this cost fetches: cost_index in costsize.c turned round, with the pages of Mackert and Lohman."""
    rows, pages = size
    low, high = 0.0, max(rows, 1.0)
    for _ in range(40):
        middle = (low + high) / 2
        scattered = 4.0 * min(2 * pages * middle / (2 * pages + middle), pages) if pages else 0.0
        side_by_side = pages * middle / max(rows, 1.0)
        io = correlation**2 * side_by_side + (1 - correlation**2) * scattered
        low, high = (middle, high) if io + PROCESSED * middle < cost else (low, middle)
    return low


def _conditions(text: object) -> int:
    return 1 + str(text).count(" AND ") + str(text).count(" OR ") if text else 0
