"""A plan in one sentence: what it does, how much it reads, how that grows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dbguard.model.names import quote
from dbguard.model.plan import Measure, PlanStep, Size
from dbguard.model.plan_questions import SCANS, relation, rows_words, scanned
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
        whole = _partitioned(measure, step)
        read = found.setdefault(whole or node.relation, _Read(quote(whole) if whole else relation(node)))
        _add(read, measure, step, step.sizes)
    return sorted(found.values(), key=lambda one: -one.cost)


def _partitioned(measure: Measure, step: PlanStep) -> str:
    """The alias of the table of which a scan reads a partition: PostgreSQL calls its partitions `orders_1`, `orders_2` and so on; "" if none."""
    if not any(one.node.kind in {"Append", "Merge Append"} for one in step.above(measure)):
        return ""
    match = re.fullmatch(r"(.+)_\d+", measure.node.alias)
    return match[1] if match is not None and measure.node.alias != measure.node.relation.rpartition(".")[2] else ""


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
    if len(read.parts) > 1:
        return f"{'all' if read.whole else rows_words(max(read.rows, 1.0))} of `{read.table}` in {len(read.parts)} partitions" + (
            f" ({rows_words(read.rows)}{f', {size(read.pages * PAGE)}' if read.pages else ''})" if read.whole else ""
        )
    if read.whole:
        space = f", {size(read.pages * PAGE)}" if read.pages else ""
        often = f", {read.times:,.0f} times" if read.times >= 2 else ""
        return f"all of `{read.table}` ({rows_words(read.rows)}{space}{often})"
    through = f" through {' and '.join(f'`{index}`' for index in list(read.indexes)[:2])}" if read.indexes else ""
    return f"{rows_words(max(read.rows, 1.0))} of `{read.table}`{through}"


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
