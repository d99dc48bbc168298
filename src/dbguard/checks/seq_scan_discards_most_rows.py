"""A sequential scan reads a large table and throws most of it away."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Measure, Plan, PlanStep
from dbguard.model.plan_questions import LARGE, NOTICED, cost_words, processes, relation, rows_words, scanned

KEPT = 0.1  # of the rows, at most: of more, an index gains little (an index page and a table page for each)
COST = 1_000.0  # of a scan whose table's size is not known: 20,000 to 50,000 rows


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if node.kind != "Seq Scan" or "Filter" not in node.facts or measure.share < NOTICED:
            continue
        read = scanned(measure)
        if node.loops is not None:
            if read is not None and read * (node.loops or 1) >= LARGE and read >= LARGE / 10 and (node.actual_rows or 0) <= KEPT * read:
                all_processes = node.loops if node.facts.get("Parallel Aware") else 1.0
                kept = (node.actual_rows or 0.0) * all_processes
                yield _flag(measure, "", f"{rows_words(read * all_processes)} and keeps {rows_words(kept)}", "")
        else:
            yield from _estimated(measure, step)


def _estimated(measure: Measure, step: PlanStep) -> Iterator[Flag]:
    node, size = measure.node, step.size(measure.node)
    kept = node.rows * processes(step, measure)
    if size is not None:
        if size.rows * measure.part >= LARGE and kept <= KEPT * size.rows:
            yield _flag(measure, "estimated", f"{rows_words(size.rows)} and keeps about {rows_words(kept)}", "")
    elif node.total_cost * measure.part >= COST and kept <= node.total_cost * 2:
        yield _flag(measure, "estimated", f"all of it at a cost of {node.total_cost:,.0f} and keeps about {rows_words(kept)}", node.relation)


def _flag(measure: Measure, variant: str, what: str, unknown: str) -> Flag:
    node = measure.node
    assumes = (f"the table `{unknown}` has 20 rows and more for each unit of cost: its size is not known",) if unknown else ()
    return flag(
        about=measure, variant=variant, assumes=assumes, table=relation(node), what=what, share=cost_words(measure), filter=str(node.facts["Filter"])
    )
