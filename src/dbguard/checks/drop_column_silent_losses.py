"""DROP COLUMN takes indexes and constraints with it that other columns need, without CASCADE and without a word."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import DropColumn
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import Step


def check(drop: DropColumn, step: Step) -> Iterator[Flag]:
    if step.is_new(drop.table):
        return
    losses = tuple(_losses(step.table(drop.table), drop.column))
    if losses:
        yield flag(table=drop.table, column=quote(drop.column), losses=", ".join(losses))


def _losses(table: Table, column: str) -> Iterator[str]:
    """What depends on the column and on another one; what depends on it alone is meant to go with it."""
    for constraint in table.constraints.values():
        columns = _columns(constraint)
        if column in columns and len(columns) > 1:
            yield f"{constraint.kind} `{quote(constraint.name)}`" if constraint.kind != "check" else f"CHECK `{quote(constraint.name)}`"
    for index in table.indexes.values():
        if index.constraint is None and column in index.mentioned and len(index.mentioned) > 1:
            yield f"index `{quote(index.name.name)}`"


def _columns(constraint: Constraint) -> frozenset[str]:
    return frozenset(constraint.columns) | (constraint.expression.columns if constraint.expression is not None else frozenset())
