"""A sub-query runs again for every row."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Measure, Plan, PlanStep
from dbguard.model.plan_questions import cost_words, relation

TIMES = 1_000.0
SHARE = 0.2


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if node.role != "SubPlan" or measure.times < TIMES:
            continue
        tree = [measure, *_inside(measure, step)]
        share = sum(one.share for one in tree)
        if share < SHARE:
            continue
        read = next((one.node for one in tree if one.node.relation), None)
        heaviest = max(tree, key=lambda one: one.share)
        yield flag(
            about=heaviest._replace(share=share),
            variant=_variant(measure, step),
            table=relation(read) if read is not None else "what it calls",
            times=f"{measure.times:,.0f}" if node.loops is not None else f"about {measure.times:,.0f}",
            share=cost_words(heaviest._replace(share=share)),
        )


def _inside(measure: Measure, step: PlanStep) -> Iterator[Measure]:
    for one in step.below(measure):
        yield one
        yield from _inside(one, step)


def _variant(measure: Measure, step: PlanStep) -> str:
    """NOT IN over a list that is too large for a hash table compares each row with the whole list."""
    above = next(step.above(measure), None)
    name = str(measure.node.facts.get("Subplan Name", ""))
    if above is None or not name:
        return ""
    texts = [text for text in above.node.facts.values() if isinstance(text, str) and f"({name}" in text]
    if not any("NOT" in text or "ALL" in text for text in texts):
        return ""
    return "not_in" if measure.node.kind == "Materialize" or any(one.node.kind == "Seq Scan" for one in step.below(measure)) else ""
