"""FOR UPDATE locks very many rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.checks import Flag, flag
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import rows_words


def check(_plan: Plan, step: PlanStep, options: Mapping[str, Any]) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if node.kind != "LockRows":
            continue
        limit = next((one for one in step.above(measure) if one.node.kind == "Limit"), None)
        rows = node.actual_rows if node.actual_rows is not None else min(node.rows, limit.node.rows if limit is not None else node.rows)
        if rows >= options["rows"]:
            yield flag(about=measure, rows=rows_words(rows) if node.actual_rows is not None else f"about {rows_words(rows)}")
