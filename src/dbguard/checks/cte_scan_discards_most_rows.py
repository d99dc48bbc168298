"""A CTE is computed in full, and most of its rows are thrown away by who reads it."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.plan import Measure, Plan, PlanStep
from dbguard.model.plan_questions import LARGE, rows_words, scanned

KEPT = 0.1


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if node.kind != "CTE Scan" or "Filter" not in node.facts or _scans(measure, step) > 1:
            continue
        read = scanned(measure) if node.loops is not None else _made(measure, step)
        kept = node.actual_rows if node.loops is not None else node.rows
        if read is not None and kept is not None and read >= LARGE and kept <= KEPT * read:
            name = str(node.facts.get("CTE Name") or node.alias)
            yield flag(about=measure, cte=quote(name), rows=rows_words(read), kept=rows_words(kept), filter=str(node.facts["Filter"]))


def _scans(measure: Measure, step: PlanStep) -> int:
    """How often the CTE is read: one that several readers share is worth its rows."""
    name = measure.node.facts.get("CTE Name")
    return sum(one.node.kind == "CTE Scan" and one.node.facts.get("CTE Name") == name for one in step.measures)


def _made(measure: Measure, step: PlanStep) -> float | None:
    name = f"CTE {measure.node.facts.get('CTE Name')}"
    return next((one.node.rows for one in step.measures if one.node.facts.get("Subplan Name") == name), None)
