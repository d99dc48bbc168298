"""A plan in one sentence: what it does, how much it reads, how that grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dbguard.model.plan import Measure, PlanStep, Size
from dbguard.model.plan_questions import SCANS, partitioned, relation, rows_words, scanned
from dbguard.model.quantities import duration, number, size

MOST_TABLES = 3
_CHANGES = {"Insert": "inserts", "Update": "updates", "Delete": "deletes", "Merge": "merges"}
PAGE = 8192


class _Read:
    """What is read of one table, over all nodes that read it."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.rows = 0.0
        self.cost = 0.0
        self.whole = False
        self.counted = True  # whether it is known how many rows that are
        self.times = 1.0
        self.indexes: dict[str, None] = {}
        self.pages = 0
        self.parts: dict[str, None] = {}


def sentence(step: PlanStep, grows: Iterable[str] = ()) -> str:
    """`reads all of `orders` (100,000 rows, 7.2 MB) and returns about 1,000 rows, at a cost of 2,176; cost grows in step with `orders``."""
    reads = _reads(step)
    parts = [_said(one) for one in reads[:MOST_TABLES]]
    if len(reads) > MOST_TABLES:
        parts.append(f"{len(reads) - MOST_TABLES} more tables")
    does = [f"reads {_joined(parts)}"] if parts else ["reads no table"]
    does += _outcome(step)
    text = _joined(does) + _price(step)
    more = next(iter(grows), "") or _expected_growth(reads)
    return f"{text}; {more}" if more else text


def _reads(step: PlanStep) -> list[_Read]:
    found: dict[str, _Read] = {}
    for measure in step.measures:
        node = measure.node
        if node.kind not in SCANS or not node.relation or measure.times == 0:
            continue
        whole = partitioned(measure, step)
        read = found.setdefault(whole or node.relation, _Read(whole or relation(node)))
        _add(read, measure, step, step.sizes)
    return sorted(found.values(), key=lambda one: -one.cost)


def _add(read: _Read, measure: Measure, step: PlanStep, sizes: Mapping[str, Size]) -> None:
    node = measure.node
    known = sizes.get(node.relation)
    looked = scanned(measure)
    processes = node.loops or 1.0
    whole = node.kind == "Seq Scan" and measure.part > 0.999 and not (measure.stops_early and node.loops is not None)
    if looked is not None:
        read.rows += looked * processes
    elif node.kind == "Seq Scan":
        read.rows += (known.rows * measure.part if known is not None else node.rows) * measure.times
        read.counted &= "Filter" not in node.facts if known is None else known.rows > 0 or not known.guessed
    else:
        read.rows += node.rows * measure.part * measure.times
    read.whole |= whole
    read.times = max(read.times, measure.times)
    read.cost += measure.own_cost + sum(one.own_cost for one in step.below(measure))
    if node.relation not in read.parts:
        read.parts[node.relation] = None
        read.pages += known.pages if known is not None else 0
    for index in (node.index, *(one.node.index for one in step.below(measure))):
        if index:
            read.indexes[index] = None


def _said(read: _Read) -> str:
    amount = rows_words(max(round(read.rows), 1))
    where = f" in {len(read.parts)} partitions" if len(read.parts) > 1 else ""
    if not read.whole:
        through = f" through {' and '.join(f'`{index}`' for index in list(read.indexes)[:2])}" if read.indexes and not where else ""
        return f"{amount} of `{read.table}`{where}{through}"
    known = [rows_words(read.rows)] if read.counted else []
    known += [size(read.pages * PAGE)] if read.pages else []
    known += [f"{read.times:,.0f} times"] if read.times >= 2 and not where else []
    return f"all of `{read.table}`{where}" + (f" ({', '.join(known)})" if known else "")


def _outcome(step: PlanStep) -> list[str]:
    root = step.plan.root
    if root.kind == "ModifyTable":
        rows = sum(one.total_rows for one in step.measures if one.parent == 0 and one.node.role not in {"InitPlan", "SubPlan"})
        verb = _CHANGES.get(str(root.facts.get("Operation")), "changes")
        return [f"{verb} {'' if step.plan.executed else 'about '}{rows_words(rows)} of `{relation(root)}`"]
    rows = root.actual_rows if root.actual_rows is not None else root.rows
    return [f"returns {'' if step.plan.executed else 'about '}{rows_words(rows)}"]


def _price(step: PlanStep) -> str:
    took = step.plan.execution_seconds if step.plan.execution_seconds is not None else step.plan.root.seconds
    if took is not None:
        return f", in {duration(took)}"
    return f", at a cost of {number(step.plan.cost)}" if step.plan.cost else ""


def _expected_growth(reads: list[_Read]) -> str:
    """What can be said without plans at other sizes."""
    whole = [f"`{one.table}`" for one in reads if one.whole and one.rows >= 1000]
    return f"what it reads grows with {_joined(whole[:MOST_TABLES])}" if whole else ""


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
