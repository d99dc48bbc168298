"""Rows of another server are fetched and thrown away here."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import NOTICED, fact, relation, rows_words

REMOVED = 1_000.0
KEPT = 0.1


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        removed = fact(node, "Rows Removed by Filter") * (node.loops or 0)
        if node.kind != "Foreign Scan" or removed < REMOVED or measure.share < NOTICED:
            continue
        if measure.total_rows <= KEPT * (measure.total_rows + removed):
            yield flag(
                about=measure,
                table=relation(node),
                removed=rows_words(removed),
                kept=rows_words(measure.total_rows),
                filter=str(node.facts.get("Filter", "")),
            )
