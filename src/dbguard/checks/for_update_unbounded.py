"""Rows are locked, and how many grows with a table."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.query import Query, QueryStep


def check(_query: Query, step: QueryStep) -> Iterator[Flag]:
    for _, growth in step.locked:
        if not growth.bounded and growth.table is not None:
            table = None if growth.source is None else step.table(growth.source)
            key = table.primary_key if table is not None else None
            yield flag(table=step.display(growth.table), key=", ".join(key.columns) if key is not None else "id")
