"""DROP INDEX before the CREATE INDEX that replaces it: queries have no index meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import CreateIndex, DropIndex
from dbguard.model.questions import indexes_added, indexes_dropped
from dbguard.model.schema import Index
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    dropped: list[tuple[Step, Index]] = []
    for one in end.steps:
        if isinstance(one.operation, DropIndex):
            dropped += [(one, index) for index in indexes_dropped(one) if index.valid and not one.is_new(index.table)]
        elif isinstance(one.operation, CreateIndex):
            for new in indexes_added(one):
                for drop, old in dropped:
                    if old.table == new.table and _serves_alike(old, new) and not _same_transaction(drop, one):
                        yield flag(
                            at=drop.statement,
                            table=drop.display(old.table),
                            old=quote(old.name.name),
                            new=quote(new.name.name),
                        )


def _serves_alike(old: Index, new: Index) -> bool:
    first, second = old.keys[0], new.keys[0]
    if first.column is not None or second.column is not None:
        return first.column == second.column
    return first.expression is not None and second.expression is not None and first.expression.tree == second.expression.tree


def _same_transaction(first: Step, second: Step) -> bool:
    one, other = first.before.transaction, second.before.transaction
    return one is not None and other is not None and one.number == other.number
