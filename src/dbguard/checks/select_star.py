"""Every column, whatever the table gets."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.query import Query, QueryStep


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    if query.command != "select" or not query.main.star:
        return
    table = next((query.sources[number].table for number in query.main.sources if query.sources[number].kind == "table"), None)
    if table is not None:
        yield flag(table=step.display(table))
