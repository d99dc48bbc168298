"""Far more or far fewer rows come than the planner expected, where that decides how the rest is done."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Measure, Node, Plan, PlanStep
from dbguard.model.plan_questions import JOINS, NOTICED, relation, rows_words

WRONG = 100.0
INHERITED = 10.0  # an error of a child that explains its parent's
_GROUPS = frozenset({"Aggregate", "Group", "Unique", "SetOp"})
FEW = 1_000.0  # rows, below which any plan does


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if measure.error is None or measure.error < WRONG or (measure.stops_early and not measure.under):
            continue
        if max(node.rows, node.actual_rows or 0) < FEW or _is_inherited(measure, step) or not _matters(measure, step):
            continue
        yield flag(
            about=measure,
            variant=_variant(node),
            node=node.kind,
            table=relation(node),
            estimated=rows_words(node.rows),
            actual=rows_words(node.actual_rows or 0),
            factor=f"{measure.error:,.0f}",
        )


def _variant(node: Node) -> str:
    if node.kind in {"Function Scan", "ProjectSet"}:
        return "function"
    if node.kind == "Aggregate" and "Filter" in node.facts:
        return "having"
    return "" if node.relation else "node"


def _is_inherited(measure: Measure, step: PlanStep) -> bool:
    """Whether a child is as wrong already; a Hash has no rows of its own to compare, so the one below it counts."""
    for one in step.below(measure):
        if _is_inherited(one, step) if one.error is None else one.error >= INHERITED and one.under == measure.under:
            return True
    return False


def _matters(measure: Measure, step: PlanStep) -> bool:
    """Whether the node or one that it feeds takes a part of the time, or it says how often a loop runs. Groups decide about joins alone."""
    above = list(step.above(measure))
    if measure.node.kind in _GROUPS and not any(one.node.kind in JOINS for one in above):
        return False
    if measure.share >= NOTICED or any(one.share >= NOTICED and one.node.kind != "Gather" for one in above):
        return True
    return measure.node.role == "Outer" and bool(above) and above[0].node.kind == "Nested Loop"
