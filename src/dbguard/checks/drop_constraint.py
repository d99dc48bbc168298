"""DROP CONSTRAINT of a CHECK, UNIQUE, PRIMARY KEY or EXCLUDE that nothing replaces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddConstraint, DropColumn, DropConstraint
from dbguard.model.questions import is_not_null_of, refuses_duplicates, tables_dropped
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:
    gone = tables_dropped(end.steps)
    columns_gone = {(one.before.resolve(one.operation.table), one.operation.column) for one in end.steps if isinstance(one.operation, DropColumn)}
    for one in end.steps:
        drop = one.operation
        if not isinstance(drop, DropConstraint) or one.is_new(drop.table):
            continue
        table = one.table(drop.table)
        constraint = table.constraints.get(drop.name)
        if table.name in gone or (constraint is None and (table.known or _is_replaced_unseen(drop, end, one))):
            continue
        if constraint is not None:
            if constraint.kind in {"foreign key", "not null"} or any((table.name, column) in columns_gone for column in _columns(constraint)):
                continue
            if _is_replaced(constraint, step.after.schema.table(table.name)) or _proved_a_bound(constraint, table, one):
                continue
            if drop.cascade and constraint.kind in {"primary key", "unique"}:  # the rule drop-constraint-cascade
                continue
        yield flag(
            at=one.statement,
            variant="" if constraint is not None else "unknown",
            table=drop.table,
            constraint=quote(drop.name),
            kind=_WORDS.get(constraint.kind, "") if constraint is not None else "",
        )


_FOREIGN_KEY = re.compile(r"(^|_)fk(ey)?(_|$)|_fkey\d*$", re.IGNORECASE)
_WORDS = {"check": "CHECK", "unique": "UNIQUE", "primary key": "PRIMARY KEY", "exclusion": "EXCLUDE"}


def _columns(constraint: Constraint) -> frozenset[str]:
    return constraint.expression.columns if constraint.expression is not None else frozenset(constraint.columns)


def _is_replaced(constraint: Constraint, after: Table) -> bool:
    """Whether the table still refuses such rows at the end, or a new constraint on the same columns took over."""
    columns = _columns(constraint)
    if constraint.kind == "check" and len(columns) == 1:
        (column,) = columns
        kept = after.columns.get(column)
        if is_not_null_of(constraint.expression, column) and kept is not None and kept.not_null:
            return True
    unique = [index for index in after.indexes.values() if index.unique] if constraint.kind in {"unique", "primary key"} else []
    if any(set(index.columns) == columns or refuses_duplicates(index, columns) for index in unique):  # a partial one is meant, too
        return True
    return any(
        other.name == constraint.name or (other.kind == constraint.kind and other is not constraint and _columns(other) & columns)
        for other in after.constraints.values()
    )


def _is_replaced_unseen(drop: DropConstraint, end: EndOfScript, step: Step) -> bool:
    """Whether a constraint that was not seen looks like a foreign key, or the script adds another to its table."""
    if _FOREIGN_KEY.search(drop.name):
        return True
    table = step.before.resolve(drop.table)
    return any(isinstance(one.operation, AddConstraint) and one.before.resolve(one.operation.table) == table for one in end.steps)


def _proved_a_bound(constraint: Constraint, table: Table, step: Step) -> bool:
    """Whether the CHECK is about the partition key of a table that is a partition by now: the bound says the same."""
    if constraint.kind != "check" or table.parent is None:
        return False
    key = step.before.schema.table(table.parent).partition_by
    return key is not None and _columns(constraint) <= {part.column for part in key.keys}
