"""LIMIT without ORDER BY: which rows come is left to chance."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.query import Query, QueryStep


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    if not query.blocks or query.command not in {"select", "union", "union all"}:
        return
    block = query.main
    if block.limit is None or block.order or block.locks or (block.aggregates and not block.group):
        return
    if block.offset is None and (step.rows == "one" or (block.limit[0] == "const" and block.limit[1] in {0, 1})):
        return
    accesses = [access for number in block.sources if (access := step.access(number)) is not None]
    if not any(query.sources[number].kind in {"table", "view", "query", "cte"} for number in block.sources):
        return
    if any(one.use is not None and one.use.through.unique and one.use.equal == len(one.use.through.keys) for one in accesses):
        return
    yield flag(variant="offset" if block.offset is not None else "")
