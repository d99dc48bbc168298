"""A constraint on existing columns that the running release does not know."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import AddColumn, AddConstraint, CreateIndex
from dbguard.model.questions import bare_constraint_name
from dbguard.model.sql import index_name
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    new_columns: set[tuple[Name, str]] = set()
    for one in end.steps:
        operation = one.operation
        if isinstance(operation, AddColumn):
            new_columns.add((one.before.resolve(operation.table), operation.column.name))
        if not isinstance(operation, AddConstraint | CreateIndex) or one.is_new(operation.table):
            continue
        table = one.table(operation.table)
        if isinstance(operation, AddConstraint):
            definition = operation.constraint
            if definition.using_index is not None or definition.kind == "not null" or not definition.enforced:
                continue
            columns = definition.expression.columns if definition.expression is not None else frozenset(definition.columns)
            name = quote(bare_constraint_name(definition, table))
        elif operation.unique:
            columns = frozenset(key.column for key in operation.keys if key.column is not None)
            name = index_name(operation, table)
        else:
            continue
        if not any((table.name, column) in new_columns for column in columns):
            yield flag(at=one.statement, table=operation.table, constraint=name)
