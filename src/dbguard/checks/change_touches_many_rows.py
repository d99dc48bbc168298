"""One statement changes very many rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import relation, rows_words

_WORDS = {"Update": "updates", "Delete": "deletes", "Merge": "merges"}


def check(_plan: Plan, step: PlanStep, options: Mapping[str, Any]) -> Iterator[Flag]:
    for measure in step.measures:
        operation = str(measure.node.facts.get("Operation", ""))
        if measure.node.kind != "ModifyTable" or operation not in _WORDS:
            continue
        children = [one for one in step.below(measure) if one.node.role not in {"InitPlan", "SubPlan"}]
        rows = sum(one.node.actual_rows if one.node.actual_rows is not None else one.node.rows for one in children)
        if rows >= options["rows"]:
            about = "" if any(one.node.actual_rows is not None for one in children) else "about "
            yield flag(about=measure, table=relation(measure.node), verb=_WORDS[operation], rows=about + rows_words(rows))
