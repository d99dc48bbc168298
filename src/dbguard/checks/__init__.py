"""Opinions on steps, one small file per rule. A check may import this module and `dbguard.model`, nothing else.

A module `checks/<rule_name>.py` has one public function:

    def check(index: CreateIndex, step: Step) -> Iterator[Flag]:

Its page says what wakes it (`wakes = ["CreateIndex"]`); the first parameter is that operation. A rule with options takes
them as a third parameter, a mapping of the page's `[options]` with the user's values. A check holds no wording, no lock
names, no I/O and no state: it asks `step.effects` what is locked and `step.before` what is known.
"""

from __future__ import annotations

from dbguard.model.finding import Flag, Severity
from dbguard.model.names import Name
from dbguard.model.operations import AddColumn, ChangeColumnType, ColumnDefinition, CreateTable, DropIndex
from dbguard.model.postgres import LockMode
from dbguard.model.source import Statement
from dbguard.model.state import Lock, Step

__all__ = ["Flag", "blocking_lock", "blocking_locks", "columns_of", "flag"]


def flag(
    *,
    assumes: tuple[str, ...] = (),
    variant: str = "",
    at: Statement | None = None,
    severity: Severity | None = None,
    about: object = None,
    **facts: Name | str | int,
) -> Flag:
    """A flag with facts as the page's placeholders want them: names are quoted, text is taken as it is."""
    return Flag({key: str(value) for key, value in facts.items()}, assumes, variant, at, severity, about)


def blocking_locks(step: Step) -> list[Lock]:
    """The locks for which writers of tables in use wait. An index is locked by DROP INDEX CONCURRENTLY when nobody uses it any more."""
    if not step.effects.locks or (isinstance(step.operation, DropIndex) and step.operation.concurrently):
        return []
    schema = step.before.schema
    return [
        lock
        for lock in step.effects.locks
        if lock.mode >= LockMode.SHARE
        and lock.relation not in schema.index_tables
        and lock.relation not in schema.sequences
        and not step.is_new(lock.relation)
    ]


def blocking_lock(step: Step) -> Lock | None:
    """The strongest lock for which writers of a table in use wait; None if nobody notices the step."""
    return max(blocking_locks(step), key=lambda lock: lock.mode, default=None)


def columns_of(operation: AddColumn | ChangeColumnType | CreateTable) -> list[tuple[Name, ColumnDefinition]]:
    """The columns that an operation gives a type, with their table."""
    match operation:
        case CreateTable(kind="table", partition_of=None):
            return [(operation.name, column) for column in operation.columns]
        case AddColumn():
            return [(operation.table, operation.column)]
        case ChangeColumnType():
            return [(operation.table, ColumnDefinition(operation.column, operation.type))]
    return []
