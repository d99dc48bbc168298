"""A B-tree on documents or lists: useless for their operators, and an error for large values."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import CreateIndex
from dbguard.model.sql import index_name
from dbguard.model.state import Step

_DOCUMENTS = frozenset({"jsonb", "tsvector"})


def check(index: CreateIndex, step: Step) -> Iterator[Flag]:
    table = step.table(index.table)
    if index.method != "btree":
        return
    for key in index.keys:
        column = table.columns.get(key.column) if key.column is not None else None
        if column is not None and (column.type.array or column.type.builtin in _DOCUMENTS):
            gin = index._replace(method="gin", keys=(key,), unique=False, include=(), concurrently=True, if_not_exists=False, name=None)
            yield flag(
                table=index.table,
                index=index_name(index, table),
                column=quote(column.name),
                type=str(column.type),
                gin=f"CREATE INDEX CONCURRENTLY {index_name(gin, table)} ON {index.table} USING gin ({quote(column.name)})",
            )
            return
