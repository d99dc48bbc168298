"""DISTINCT takes away rows that a join multiplied."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import walk
from dbguard.model.query import Query, QueryStep


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    if query.command != "select" or not query.main.distinct or len(query.main.sources) < 2:
        return
    used = {node[1] for output in query.main.outputs for node in walk(output.tree) if node[0] in {"at", "row of"}}
    for number in query.main.sources:
        source = query.sources[number]
        access = step.access(number)
        unique = access is not None and access.use is not None and access.use.through.unique and access.use.equal == len(access.use.through.keys)
        if number not in used and source.kind == "table" and source.table is not None and not unique:
            yield flag(table=step.display(source.table))
            return
