"""The same column twice in one index."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import CreateIndex
from dbguard.model.sql import index_name
from dbguard.model.state import Step


def check(index: CreateIndex, step: Step) -> Iterator[Flag]:
    seen: set[tuple[str, str]] = set()
    for key in index.keys:
        if key.column is None:
            continue
        entry = (key.column, str(key.opclass))
        if entry in seen:
            yield flag(table=index.table, index=index_name(index, step.table(index.table)), column=quote(key.column))
            return
        seen.add(entry)
