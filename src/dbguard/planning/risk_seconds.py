"""How long a plan works when its tables are cached: rows and pages that its nodes touch, not the planner's cost.

The planner takes a page read at random to cost four times one read in order, and nothing to be cached (manual section 19.7.2), so an index
scan and a sequential scan of the same cost differ tenfold on a server whose tables are in memory. To say how many times slower a query gets,
both plans are weighed by what they touch: `WEIGHTS` are seconds, which `python -m benchmarks.mutations fit` prints. Below a Gather that is
what one process touches, for all work at the same time: planned workers are taken to start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, log2

from dbguard.model.plan import Measure, Node, Plan
from dbguard.model.record import Record
from dbguard.planning.measures import measures
from dbguard.planning.plans import number
from dbguard.planning.risk_reads import INDEX_ROW, OPERATOR, Access, Tables, conditions, first_column, searches

WEIGHTS: Mapping[str, float] = {
    "start": 5.5e-05,  # of a statement
    "worker": 0.001,  # a parallel worker that starts
    "page": 5e-07,  # of a sequential scan
    "read": 1e-06,  # one that shared buffers do not keep
    "row": 2.2e-08,
    "condition": 1e-08,  # on a row
    "search": 1e-07,  # a function, or an operator that walks through a value, on a row
    "descent": 8e-07,  # of an index, to its first entry
    "entry": 2e-08,  # of an index
    "fetch": 1.3e-07,  # a row through an index
    "jump": 1e-07,  # to the page of a table that an index leads to
    "block": 3.5e-07,  # a page that a bitmap leads to
    "mark": 3e-08,  # in a bitmap
    "compare": 1.6e-08,  # of a sort
    "spill": 5e-06,  # a page that a sort or a hash table writes to a file and reads again
    "hash": 7e-08,  # a row put into a hash table
    "probe": 2.5e-08,  # a row looked up in one
    "far": 2e-07,  # either, in a table larger than the caches of a core
    "group": 1.5e-08,  # a row that comes in the order of its group
    "aggregate": 2.5e-08,  # one aggregate function on one row
    "pair": 2e-08,  # of rows that a nested loop without an index compares
    "pass": 4e-08,  # a row through any other node
    "cost": 2.3e-06,  # a unit of cost of a node about which nothing else is known
}
RANDOM_ROW = 4.02  # cost of a row fetched at random: random_page_cost and the processing of a row
PAGE = 8192.0
CACHE = 2 * 1024.0**2  # bytes
_HEADER = 24.0  # bytes of a row beside its columns
_ENTRY = 40.0  # and of one in a hash table
_LEAF = 300.0  # entries of a leaf of a btree on a number


def cached_seconds(plan: Plan, tables: Tables, weights: Mapping[str, float] = WEIGHTS) -> float:
    """Seconds that a plan takes, all that is read being in memory."""
    return sum(weights[term] * amount for term, amount in touched(plan, tables).items())


class _Place(Record):
    """A node with what it needs to know of its neighbours."""

    one: Measure
    below: Sequence[Measure]
    above: Measure | None
    processes: float  # that share its rows

    @property
    def runs(self) -> float:
        return max(self.one.times, 1.0)


def touched(plan: Plan, tables: Tables) -> dict[str, float]:
    """How much of each term of `WEIGHTS` a plan takes."""
    found = measures(plan)
    below: list[list[Measure]] = [[] for _ in found]
    for one in found:
        if one.parent is not None:
            below[one.parent].append(one)
    total = {"start": 1.0}
    reached: list[float] = []  # the part of its runs that really happens: a LIMIT above leaves some, Memoize answers some
    workers: list[float] = []
    for one in found:
        parent = None if one.parent is None else found[one.parent]
        reached.append(1.0 if parent is None else reached[parent.number] * _asked(one, parent, found, below))
        workers.append(0.0 if parent is None else _workers(parent) or workers[parent.number])
        place = _Place(one, below[one.number], parent, _processes(workers[-1]) if one.node.facts.get("Parallel Aware") is True else 1.0)
        for term, amount in _of(place, tables).items():
            total[term] = total.get(term, 0.0) + amount * reached[-1]
    return total


def _workers(one: Measure) -> float:
    return number(one.node.facts.get("Workers Planned")) if one.node.kind in {"Gather", "Gather Merge"} else 0.0


def _processes(workers: float) -> float:
    """The leader works, too, where it has time (get_parallel_divisor, costsize.c)."""
    return workers + max(0.0, 1.0 - 0.3 * workers)


def _asked(one: Measure, parent: Measure, found: Sequence[Measure], below: Sequence[Sequence[Measure]]) -> float:
    """The part of its supposed runs for which a node is asked by the one above it."""
    if one.node.role == "Inner" and parent.node.kind == "Nested Loop":
        return parent.part  # of the outer side's rows
    if parent.node.kind != "Memoize" or parent.parent is None:
        return 1.0
    loop = found[parent.parent]
    outer = next((other for other in below[loop.number] if other.node.role == "Outer"), None)
    if outer is None or one.node.total_cost <= 0:
        return 1.0
    times = max(outer.node.rows, 1.0)
    each = (loop.node.total_cost - outer.node.total_cost) / times - OPERATOR  # `cost_memoize_rescan` counts misses alone
    return min(max(each / one.node.total_cost, 1.0 / times), 1.0)


def _of(place: _Place, tables: Tables) -> dict[str, float]:
    node, rows = place.one.node, place.one.total_rows
    below = sum(child.total_rows for child in place.below)
    match node.kind:
        case "Seq Scan" | "Sample Scan":
            return _sequential(place, tables)
        case "Index Scan" | "Index Only Scan":
            return _through_index(place, tables)
        case "Bitmap Index Scan":
            return {"descent": place.runs, "mark": rows}
        case "Bitmap Heap Scan":
            return _bitmap(place, tables)
        case "Gather" | "Gather Merge":
            return {"worker": _workers(place.one), "pass": rows}
        case "BitmapAnd" | "BitmapOr" | "Limit" | "Result" | "Append":
            return {}
        case "Sort" | "Incremental Sort":
            return _sorted(place, max(below, rows), tables)
        case "Hash":
            return {"hash": rows, "far": rows * _is_far(node)} | _spilled(rows * (node.width + _HEADER), place, tables)
        case "Hash Join":
            table = next((child for child in place.below if child.node.kind == "Hash"), None)
            probes = below if table is None else below - table.total_rows
            return {"probe": probes, "far": probes * (table is not None and _is_far(table.node)), "pass": rows}
        case "Aggregate" | "WindowAgg" | "Unique" | "SetOp":
            hashed = node.facts.get("Strategy") in {"Hashed", "Mixed"}
            far = below * (hashed and _is_far(node))
            return {"hash" if hashed else "group": below, "far": far, "aggregate": below * _functions(node.facts.get("Output"))}
        case "Nested Loop":
            return _loop(place, below)
    return {"pass": rows + below}


def _sequential(place: _Place, tables: Tables) -> dict[str, float]:
    node = place.one.node
    known = tables.sizes.get(node.relation)
    if known is None:
        return {"cost": place.one.own_cost}
    share = place.runs * place.one.part / place.processes
    rows, pages = share * known[0], share * known[1]
    kept = known[1] * PAGE <= tables.memory("shared_buffers", 128 * 1024.0**2) / 4  # larger ones go through a ring of buffers (initscan, heapam.c)
    text = node.facts.get("Filter")
    return {"page": pages, "read": 0.0 if kept else pages, "row": rows, "condition": rows * conditions(text), "search": rows * searches(text)}


def _access(place: _Place, condition: object, index: str, tables: Tables) -> Access | None:
    """How an index leads to the table of a node, if that is known."""
    relation = place.one.node.relation
    known = tables.sizes.get(relation)
    if known is None:
        return None
    correlation = tables.correlations.get((relation, first_column(condition)), 0.0)
    pages = tables.indexes[index].pages if index in tables.indexes else known[0] / _LEAF  # one that the change makes
    each = INDEX_ROW + OPERATOR * conditions(place.one.node.facts.get("Filter")) + sum(child.node.total_cost for child in place.below)
    return Access(known[0], known[1], pages, correlation, place.runs, tables.number("random_page_cost", 4.0), each)


def _through_index(place: _Place, tables: Tables) -> dict[str, float]:
    """Rows that an index scan reads: those that it returns, and those that its filter throws away."""
    node, runs, alone = place.one.node, place.runs, place.one.node.kind == "Index Only Scan"
    part, condition = place.one.part, node.facts.get("Index Cond")
    read = node.rows
    access = _access(place, condition, node.index, tables)
    if access is None:
        read = max(read, node.total_cost / RANDOM_ROW) if node.facts.get("Filter") else read
        return {"descent": runs, "entry": read * runs * part, **({} if alone else {"fetch": read * runs * part, "jump": read * runs * part})}
    if node.facts.get("Filter") and condition:
        read = max(read, access.rows_for(node.total_cost, table=not alone) / place.processes)
    elif node.facts.get("Filter"):
        read = max(read, access.rows / place.processes)
    fetched = read * (access.unseen(node.total_cost, read) if alone else 1.0)
    every = runs * part
    return {"descent": runs, "entry": read * every, "fetch": fetched * every, "jump": access.jumps(fetched) * every}


def _bitmap(place: _Place, tables: Tables) -> dict[str, float]:
    node, runs = place.one.node, place.runs
    marked = max((child.node.rows for child in place.below), default=node.rows)
    index = place.below[0].node if place.below else node
    access = _access(place, index.facts.get("Index Cond"), index.index, tables)
    read, tests = max(marked / place.processes, node.rows), conditions(node.facts.get("Filter"))
    if access is None:
        return {"fetch": read * runs, "block": read * runs, "condition": read * runs * tests}
    if index.index in tables.indexes and tables.indexes[index.index].method == "brin":  # it knows ranges of pages, not rows
        pages = read / max(access.rows, 1.0) * access.pages
        return {"page": pages * runs, "row": read * runs, "condition": read * runs * (tests + conditions(node.facts.get("Recheck Cond")))}
    pages = access.pages_with(max(marked, read)) / place.processes
    return {"fetch": read * runs, "block": pages * runs, "condition": read * runs * tests}


def _sorted(place: _Place, rows: float, tables: Tables) -> dict[str, float]:
    """With a LIMIT right above only as many rows are kept as it asks for, in a heap: one comparison tells that a row is none of them."""
    one, runs = place.one, place.runs
    kept = each = max(rows / runs, 2.0)
    if place.above is not None and place.above.node.kind == "Limit":
        kept = max(one.node.rows * one.part, 1.0)
    if each > 2 * kept:  # as tuplesort_puttuple_common decides, tuplesort.c
        return {"compare": runs * (each + kept * (1 + log(each / kept)) * log2(2 * kept))}
    return {"compare": rows * log2(each)} | _spilled(rows * (one.node.width + _HEADER), place, tables, hashed=False)


def _is_far(node: Node) -> bool:
    """Whether a hash table of a node's rows is too large for the caches of a core."""
    return node.rows * (node.width + _ENTRY) > CACHE


def _spilled(size: float, place: _Place, tables: Tables, *, hashed: bool = True) -> dict[str, float]:
    memory = tables.memory("work_mem", 4 * 1024.0**2) * (tables.number("hash_mem_multiplier", 2.0) if hashed else 1.0)
    return {"spill": size / PAGE} if size / place.runs > memory else {}


def _functions(output: object) -> int:
    """Aggregate functions in what a node returns; columns and keys are no calls."""
    return sum("(" in one[1:] for one in output if isinstance(one, str)) if isinstance(output, list) else 0


def _loop(place: _Place, below: float) -> dict[str, float]:
    inner = next((child for child in place.below if child.node.role == "Inner"), None)
    outer = below if inner is None else below - inner.total_rows
    stored = inner is not None and inner.node.kind == "Materialize"
    return {"pass": place.one.total_rows + outer, "pair": max(inner.node.rows * outer, 0.0) if inner is not None and stored else 0.0}
