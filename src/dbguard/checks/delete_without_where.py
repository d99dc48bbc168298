"""DELETE of every row of a table in use, in a migration or in a query of an application."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Delete
from dbguard.model.predicates import is_always_true
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import tables_without_where
from dbguard.model.state import Step


def check(delete: Delete | Query, step: Step | QueryStep) -> Iterator[Flag]:
    if isinstance(delete, Query):
        assert isinstance(step, QueryStep)
        for table in tables_without_where(delete, "delete"):
            if not step.is_small(table):
                yield flag(table=step.display(table))
        return
    assert isinstance(step, Step)
    if step.is_new_or_empty(delete.table) or delete.joined or (delete.where is not None and not is_always_true(delete.where.tree)):
        return
    yield flag(table=delete.table)
