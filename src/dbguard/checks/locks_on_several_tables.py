"""One transaction closes several tables in use: it holds the first while it waits for the next."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.model.questions import new_name
from dbguard.model.state import EndOfTransaction, Step
from dbguard.model.times import milliseconds


def check(transaction: EndOfTransaction, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    if len(transaction.steps) < 2:
        return
    closed: dict[Name, Step] = {}
    for one in transaction.steps:
        for relation in _closed_by(one):
            if closed and relation not in closed and not milliseconds(one.before.settings.get("lock_timeout", "0")):
                first, earlier = next(iter(closed.items()))
                if earlier.statement is not one.statement:
                    yield flag(at=one.statement, table=one.display(relation), first=earlier.display(first))
                    return
            closed.setdefault(relation, one)
        if (names := new_name(one)) is not None and names[0] in closed:
            closed[names[1]] = closed[names[0]]


def _closed_by(step: Step) -> list[Name]:
    """Tables in use on which reads wait from here on; partitions count as their parent."""
    schema = step.before.schema
    found = []
    for lock in step.effects.locks:
        table = schema.tables.get(lock.relation)
        is_table = lock.relation not in schema.index_tables and lock.relation not in schema.sequences
        is_root = table is None or (table.parent is None and table.kind not in {"view", "composite type"})
        if lock.mode is LockMode.ACCESS_EXCLUSIVE and is_table and is_root and not step.is_new(lock.relation):
            found.append(lock.relation)
    return found
