"""Rows in random order: all of them are read and sorted."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import open_accesses


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    for access, source in open_accesses(step):
        block = query.blocks[source.block]
        if any(order.tree[0] == "call" and order.tree[1].name in {"random", "gen_random_uuid"} for order in block.order):
            yield flag(table=step.display(access.table))
            return
