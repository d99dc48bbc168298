"""INSERT that relies on the order of the columns."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.query import Query, QueryStep


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    for block in query.written:
        if block.command == "insert" and not block.columns and block.values is not None and block.target is not None:
            table = query.sources[block.target].table
            if table is not None:
                yield flag(table=step.display(table))
