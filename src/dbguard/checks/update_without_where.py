"""UPDATE of every row of a table in use, in a migration or in a query of an application."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Update
from dbguard.model.predicates import is_always_true
from dbguard.model.query import Query, QueryStep
from dbguard.model.state import Step


def check(update: Update | Query, step: Step | QueryStep) -> Iterator[Flag]:
    if isinstance(update, Query):
        assert isinstance(step, QueryStep)
        yield from _in_query(update, step)
        return
    assert isinstance(step, Step)
    if step.is_new(update.table) or update.joined or (update.where is not None and not is_always_true(update.where.tree)):
        return
    yield flag(table=update.table)


def _in_query(query: Query, step: QueryStep) -> Iterator[Flag]:
    for block in query.blocks:
        if block.command != "update" or block.target is None or len(block.sources) > 1:
            continue
        table = query.sources[block.target].table
        if table is not None and not step.is_small(table) and all(is_always_true(condition.tree) for condition in block.conditions):
            yield flag(table=step.display(table))
