"""A join compares rows one by one and throws most pairs away."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import LARGE, NOTICED, cost_words, fact, rows_words, text

FACTOR = 10.0


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if any(one.node.kind == "Seq Scan" and one.node.role == "Inner" for one in step.below(measure)):
            continue  # that the table is read again and again is told by itself
        removed = fact(node, "Rows Removed by Join Filter") * (node.loops or 0)
        # What the join reads is its own doing: the pairs are made where the inner side is read again.
        around = measure.share + sum(one.share for one in step.below(measure))
        if removed >= 10 * LARGE and removed >= FACTOR * max(measure.total_rows, 1.0) and around >= NOTICED:
            yield flag(
                about=measure,
                pairs=rows_words(removed).replace("row", "pair"),
                kept=rows_words(measure.total_rows),
                filter=text(node, "Join Filter"),
                share=cost_words(measure),
            )
