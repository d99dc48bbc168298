"""DROP INDEX of a unique index that nothing replaces: rows come in that were refused so far."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote_all
from dbguard.model.operations import DropIndex
from dbguard.model.questions import refuses_duplicates, tables_dropped
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:
    gone = tables_dropped(end.steps)
    for one in end.steps:
        if not isinstance(one.operation, DropIndex):
            continue
        for name in one.operation.names:
            index = one.before.schema.find_index(one.before.resolve(name))
            if index is None or not index.unique or index.table in gone or one.is_new(index.table) or not index.columns:
                continue
            left = step.after.schema.table(index.table)
            if not set(index.columns) <= left.columns.keys():
                continue
            whole = frozenset(index.columns)
            if not any((other.unique and whole.intersection(other.columns)) or refuses_duplicates(other, whole) for other in left.indexes.values()):
                yield flag(at=one.statement, index=name, table=one.display(index.table), columns=quote_all(index.columns))
