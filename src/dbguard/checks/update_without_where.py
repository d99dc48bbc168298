"""UPDATE of every row of a table in use, in a migration or in a query of an application."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Update
from dbguard.model.predicates import is_always_true
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import tables_without_where
from dbguard.model.state import Step


def check(update: Update | Query, step: Step | QueryStep) -> Iterator[Flag]:
    if isinstance(update, Query):
        assert isinstance(step, QueryStep)
        for table in tables_without_where(update, "update"):
            if not step.is_small(table):
                yield flag(table=step.display(table))
        return
    assert isinstance(step, Step)
    if step.is_new_or_empty(update.table) or update.joined or (update.where is not None and not is_always_true(update.where.tree)):
        return
    yield flag(table=update.table)
