"""A nested loop that was chosen for a few rows runs for many."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import relation, rows_words

TIMES = 1_000.0
FACTOR = 10.0
SHARE = 0.5  # of the time, for the inner side


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        if measure.node.kind != "Nested Loop" or measure.node.loops is None:
            continue
        sides = {one.node.role: one for one in step.below(measure)}
        outer, inner = sides.get("Outer"), sides.get("Inner")
        if outer is None or inner is None or inner.node.loops is None or outer.error is None:
            continue
        often = inner.node.loops / max(measure.node.loops, 1.0)
        if often < TIMES or not outer.under or outer.error < FACTOR:
            continue
        whole = step.plan.root.seconds
        if whole and inner.seconds is not None and inner.seconds / whole < SHARE:
            continue
        read = next((one.node for one in (inner, *step.below(inner)) if one.node.relation), None)
        yield flag(
            about=measure,
            table=relation(read) if read is not None else inner.node.kind,
            times=f"{often:,.0f}",
            estimated=rows_words(outer.node.rows),
            actual=rows_words(outer.node.actual_rows or 0),
        )
