"""CREATE INDEX CONCURRENTLY IF NOT EXISTS keeps the invalid index that a failed build left."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import CreateIndex, DropIndex
from dbguard.model.sql import index_statement
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    dropped: set[str] = set()
    for one in end.steps:
        operation = one.operation
        if isinstance(operation, DropIndex):
            dropped |= {name.name for name in operation.names}
        if not isinstance(operation, CreateIndex) or not operation.concurrently or not operation.if_not_exists or operation.name is None:
            continue
        if operation.name in dropped or one.effects.fails or one.is_new(operation.table):
            continue
        index = Name(operation.table.schema, operation.name)
        create = index_statement(operation._replace(if_not_exists=False), one.table(operation.table))
        yield flag(at=one.statement, table=operation.table, index=quote(operation.name), full_name=index, create_index=create)
