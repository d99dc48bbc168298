"""Foreign keys to several existing tables in one transaction: the first stays locked while the next is waited for."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name
from dbguard.model.operations import CreateTable
from dbguard.model.questions import foreign_keys_added, table_of
from dbguard.model.state import EndOfTransaction, Step
from dbguard.model.times import milliseconds


def check(end: EndOfTransaction, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    first: tuple[Name, Name] | None = None  # table and parent
    for one in end.steps:
        keys = foreign_keys_added(one)
        if not keys or isinstance(one.operation, CreateTable) or one.is_new(one.operation.table):
            continue
        table = table_of(one.operation, one.before)
        for _, key in keys:
            parent = key.references
            if parent is None or table is None or parent == table or one.is_new(parent):
                continue
            if first is None:
                first = (table, parent)
            elif parent not in first and not milliseconds(one.before.settings.get("lock_timeout", "0")):
                yield flag(at=one.statement, table=one.display(table), first=one.display(first[1]), second=one.display(parent))
                return
