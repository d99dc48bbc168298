"""DROP COLUMN takes indexes and constraints with it that other columns need, without CASCADE and without a word."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import DropColumn
from dbguard.model.questions import tables_dropped
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    gone = tables_dropped(script.steps)
    for one in script.steps:
        drop = one.operation
        if not isinstance(drop, DropColumn) or one.is_new(drop.table) or one.before.resolve(drop.table) in gone:
            continue
        end = step.after.schema.table(one.before.resolve(drop.table))
        losses = tuple(_losses(one.table(drop.table), drop.column, end))
        if losses:
            yield flag(at=one.statement, table=drop.table, column=quote(drop.column), losses=", ".join(losses))


def _losses(table: Table, column: str, end: Table) -> Iterator[str]:
    """What depends on the column and on another one, unless the same is there again at the end.

    What depends on the column alone is meant to go with it.
    """
    kept = {(constraint.kind, _columns(constraint)) for constraint in end.constraints.values()}
    for constraint in table.constraints.values():
        columns = _columns(constraint)
        if column in columns and len(columns) > 1 and (constraint.kind, columns) not in kept:
            yield f"{'CHECK' if constraint.kind == 'check' else constraint.kind} `{quote(constraint.name)}`"
    built = {(index.unique, index.mentioned) for index in end.indexes.values()}
    for index in table.indexes.values():
        columns = index.mentioned
        if index.constraint is None and column in columns and len(columns) > 1 and (index.unique, columns) not in built:
            yield f"index `{quote(index.name.name)}`"


def _columns(constraint: Constraint) -> frozenset[str]:
    return frozenset(constraint.columns) | (constraint.expression.columns if constraint.expression is not None else frozenset())
