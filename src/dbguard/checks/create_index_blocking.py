"""CREATE INDEX without CONCURRENTLY on a table that other sessions use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateIndex
from dbguard.model.sql import index_name, index_statement
from dbguard.model.state import Step


def check(index: CreateIndex, step: Step) -> Iterator[Flag]:
    table = step.table(index.table)
    if index.concurrently or index.only or step.is_new_or_empty(index.table) or table.kind == "partitioned table":
        return
    if table.kind == "materialized view":
        return  # only REFRESH writes to it
    yield flag(
        table=index.table,
        index=index_name(index, table),
        create_index=index_statement(index._replace(concurrently=True, if_not_exists=False), table),
    )
