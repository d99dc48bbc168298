"""An index-only scan has to look into the table for many of its rows."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import NOTICED, fact, relation, rows_words

PART = 0.1
VISITS = 1_000.0


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        visits = fact(node, "Heap Fetches")  # of all loops
        if node.kind != "Index Only Scan" or visits < VISITS or measure.share < NOTICED:
            continue
        if visits >= PART * max(measure.total_rows, 1.0):
            yield flag(about=measure, table=relation(node), index=node.index, visits=f"{visits:,.0f}", rows=rows_words(measure.total_rows))
