"""An index finds rows of which a filter throws most away."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Measure, Plan, PlanStep
from dbguard.model.plan_questions import NOTICED, cost_words, fact, limit_above, relation, rows_words, scanned, text

KEPT = 0.1
REMOVED = 1_000.0  # rows, each a visit to a page of the table
PER_ROW = 1_000.0  # rows that are read for each one that LIMIT wants, estimated


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if node.kind not in {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"} or "Filter" not in node.facts:
            continue
        ordered = "Index Cond" not in node.facts and node.kind != "Bitmap Heap Scan" and limit_above(step, measure) is not None
        if node.loops is None:
            yield from _estimated(measure, step) if ordered else ()
            continue
        removed = fact(node, "Rows Removed by Filter") * node.loops
        read = scanned(measure)
        if read and removed >= REMOVED and (node.actual_rows or 0) <= KEPT * read and measure.share >= NOTICED:
            yield _flag(measure, "order" if ordered else "", rows_words(removed), rows_words((node.actual_rows or 0) * node.loops), step)


def _estimated(measure: Measure, step: PlanStep) -> Iterator[Flag]:
    """In the order of an index until LIMIT has enough: how many are read then rests on where the rows lie."""
    size, limit = step.size(measure.node), limit_above(step, measure)
    if size is None or limit is None:
        return
    read = size.rows * measure.part
    if read >= REMOVED and read >= PER_ROW * max(limit.node.rows, 1.0):
        yield _flag(measure, "estimated", rows_words(read), rows_words(limit.node.rows), step)


def _flag(measure: Measure, variant: str, removed: str, kept: str, step: PlanStep) -> Flag:
    node = measure.node
    below = step.below(measure)
    index = node.index or next((one.node.index for one in below if one.node.index), "its index")
    return flag(
        about=measure,
        variant=variant,
        table=relation(node),
        index=index,
        removed=removed,
        kept=kept,
        filter=text(node, "Filter"),
        share=cost_words(measure),
    )
