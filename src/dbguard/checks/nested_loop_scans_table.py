"""A nested loop reads a whole table again for each row of its other side."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.plan import Measure, Plan, PlanStep
from dbguard.model.plan_questions import LARGE, NOTICED, cost_words, relation, rows_words, scanned

TIMES = 10.0
ROWS = 100.0  # of the inner table: fewer are one or two pages, and an index would not be faster


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        if node.kind != "Seq Scan" or node.role != "Inner" or measure.share < NOTICED:
            continue
        above = next(step.above(measure), None)
        if above is None or above.node.kind != "Nested Loop":
            continue
        rows = _rows(measure, step)
        if measure.times >= TIMES and rows >= ROWS and rows * measure.times >= 10 * LARGE:
            yield flag(
                about=measure,
                variant="" if node.loops is not None else "estimated",
                table=relation(node),
                times=f"{measure.times:,.0f}",
                rows=rows_words(rows * measure.times),
                share=cost_words(measure),
            )


def _rows(measure: Measure, step: PlanStep) -> float:
    """Rows of the table, as far as they are known."""
    read, size = scanned(measure), step.size(measure.node)
    if read is not None:
        return read
    return size.rows if size is not None else measure.node.rows
