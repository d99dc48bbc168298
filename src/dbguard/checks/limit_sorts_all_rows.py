"""All rows are sorted, and LIMIT takes the first few."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Measure, Plan, PlanStep
from dbguard.model.plan_questions import LARGE, SCANS, relation, rows_words

FACTOR = 100.0
_MAKES_NEW_ROWS = frozenset({"Aggregate", "Group", "WindowAgg", "SetOp", "Unique", "Recursive Union", "CTE Scan", "Function Scan", "Append"})


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if node.kind != "Sort":
            continue
        above = [one for one in step.above(measure) if one.node.kind not in {"Gather Merge", "LockRows", "Subquery Scan"}]
        if not above or above[0].node.kind != "Limit":
            continue
        wanted = above[0].node.actual_rows if above[0].node.actual_rows is not None else above[0].node.rows
        tree = list(_inside(measure, step))
        if not tree or any(one.node.kind in _MAKES_NEW_ROWS for one in tree):
            continue
        rows = tree[0].total_rows if tree[0].node.loops is not None else tree[0].node.rows
        read = next((one.node for one in tree if one.node.kind in SCANS), None)
        around = sum(one.share for one in (measure, *tree))
        if read is not None and rows >= LARGE and rows >= FACTOR * max(wanted, 1.0) and around >= 0.5:
            keys = node.facts.get("Sort Key")
            shown = ", ".join(map(str, keys)) if isinstance(keys, list | tuple) else "its order"
            yield flag(about=measure, table=relation(read), rows=rows_words(rows), wanted=rows_words(wanted), order=shown)


def _inside(measure: Measure, step: PlanStep) -> Iterator[Measure]:
    for one in step.below(measure):
        if one.node.role not in {"InitPlan", "SubPlan"}:
            yield one
            yield from _inside(one, step)
