"""A cache of lookups that hardly ever hits."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import fact, text

LOOKUPS = 1_000.0
HITS = 0.1


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        hits, misses = fact(node, "Cache Hits"), fact(node, "Cache Misses")
        lookups = hits + misses
        if node.kind in {"Memoize", "Result Cache"} and lookups >= LOOKUPS and hits < HITS * lookups:
            evicted = fact(node, "Cache Evictions")
            yield flag(
                about=measure,
                variant="evicted" if evicted > hits else "",
                key=text(node, "Cache Key"),
                hits=f"{hits:,.0f}",
                lookups=f"{lookups:,.0f}",
                evicted=f"{evicted:,.0f}",
            )
