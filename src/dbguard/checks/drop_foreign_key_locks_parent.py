"""DROP CONSTRAINT or DROP TABLE that takes a foreign key away, and locks the referenced table for it."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import Delete, DropConstraint, DropTable, Insert, Update
from dbguard.model.postgres import LockMode
from dbguard.model.questions import tables_dropped
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import EndOfScript, Step
from dbguard.model.times import milliseconds


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    gone = tables_dropped(end.steps)
    for one in end.steps:
        for table, key, variant in _keys_dropped(one):
            parent = key.references
            if parent is None or parent == table.name or parent in gone or one.is_new(parent) or one.is_new(table.name):
                continue
            if _is_short(one, end.steps, {parent, table.name}):
                continue
            yield flag(
                at=one.statement,
                variant=variant,
                table=one.display(parent),
                child=one.display(table.name),
                constraint=quote(key.name),
                statement=one.text.rstrip("; \n"),
            )
            break


def _keys_dropped(step: Step) -> Iterator[tuple[Table, Constraint, str]]:
    operation = step.operation
    if isinstance(operation, DropConstraint):
        table = step.table(operation.table)
        key = table.constraints.get(operation.name)
        if key is not None and key.kind == "foreign key":
            yield table, key, ""
    elif isinstance(operation, DropTable):
        for name in operation.names:
            table = step.table(name)
            for key in _own_keys(table, step):
                yield table, key, "table"


def _own_keys(table: Table, step: Step) -> Iterator[Constraint]:
    """Foreign keys of a table; a partition's are its parent's, and dropping a partition is another rule's matter."""
    parent = step.before.schema.tables.get(table.parent) if table.parent is not None else None
    theirs: set[tuple[Name | None, tuple[str, ...]]] = set() if parent is None else {(key.references, key.columns) for key in parent.foreign_keys()}
    return (key for key in table.foreign_keys() if (key.references, key.columns) not in theirs)


def _is_short(step: Step, steps: tuple[Step, ...], locked: set[Name]) -> bool:
    """Whether a lock_timeout bounds the wait, and nothing else in the transaction makes it long."""
    if not milliseconds(step.before.settings.get("lock_timeout", "0")):
        return False
    transaction = step.before.transaction
    if transaction is None:
        return True
    return not any(
        _takes_time(other, locked)
        for other in steps
        if other.statement is not step.statement and other.before.transaction is not None and other.before.transaction.number == transaction.number
    )


def _takes_time(step: Step, locked: set[Name]) -> bool:
    operation = step.operation
    if isinstance(operation, Update | Delete):
        return not step.is_new(operation.table)
    if isinstance(operation, Insert):
        return operation.rows is None
    return any(lock.mode >= LockMode.SHARE and lock.relation not in locked and not step.is_new(lock.relation) for lock in step.effects.locks)
