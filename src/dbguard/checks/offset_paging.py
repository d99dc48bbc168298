"""Pages by OFFSET: every page reads what stands before it."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.query import Query, QueryStep


def check(query: Query, _step: QueryStep) -> Iterator[Flag]:
    if not query.blocks:
        return
    offset = query.main.offset
    if offset is None or (offset[0] == "const" and offset[1] in {0, 1}):
        return
    yield flag()
