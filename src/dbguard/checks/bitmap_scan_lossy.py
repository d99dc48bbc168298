"""A bitmap did not fit into memory, so whole pages are read and every row on them is compared again."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import NOTICED, fact, relation

PAGES = 100.0
PART = 0.1


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        lossy, exact = fact(node, "Lossy Heap Blocks"), fact(node, "Exact Heap Blocks")
        if lossy >= PAGES and lossy >= PART * (lossy + exact) and measure.share >= NOTICED:
            yield flag(about=measure, table=relation(node), lossy=f"{lossy:,.0f}", pages=f"{lossy + exact:,.0f}")
