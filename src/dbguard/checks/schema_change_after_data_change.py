"""Rows of a table in use are changed, then the same transaction locks the table: row locks are held while it waits."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, blocking_lock, flag
from dbguard.model.names import Name
from dbguard.model.operations import Delete, Insert, Update
from dbguard.model.state import EndOfTransaction, Lock, Step


def check(transaction: EndOfTransaction, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    changed: dict[Name, str] = {}
    for one in transaction.steps:
        lock = blocking_lock(one) if changed else None
        if lock is not None and lock.relation in changed and not isinstance(one.operation, Update | Delete | Insert) and _waits(lock, one):
            yield flag(at=one.statement, table=one.display(lock.relation), command=changed[lock.relation])
            return
        match one.operation:
            case Update(table=table):
                changed.setdefault(one.before.resolve(table), "UPDATE")
            case Delete(table=table):
                changed.setdefault(one.before.resolve(table), "DELETE")
            case Insert(table=table, rows=None, limited=False):
                changed.setdefault(one.before.resolve(table), "INSERT")


def _waits(lock: Lock, step: Step) -> bool:
    """Whether another transaction can be in the way: not if this one holds a lock as strong on the table already."""
    transaction = step.before.transaction
    held = transaction.locks.get(lock.relation) if transaction is not None else None
    return held is None or held < lock.mode
