"""USING hash."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateIndex
from dbguard.model.sql import index_name, index_statement
from dbguard.model.state import Step


def check(index: CreateIndex, step: Step) -> Iterator[Flag]:
    if index.method == "hash":
        table = step.table(index.table)
        btree = index._replace(method="btree", concurrently=True, if_not_exists=False)
        yield flag(table=index.table, index=index_name(index, table), create_index=index_statement(btree, table))
