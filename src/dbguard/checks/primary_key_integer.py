"""A primary key that a sequence fills and that ends at 2147483647."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, AddConstraint, CreateTable
from dbguard.model.questions import constraints_added
from dbguard.model.state import Step

_LIMITS = {"int2": "32767", "int4": "2147483647"}


def check(addition: AddColumn | AddConstraint | CreateTable, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the step knows what it adds
    for table, constraint in constraints_added(step):
        if constraint.kind != "primary key" or len(constraint.columns) != 1 or table.persistence == "temporary":
            continue
        column = table.columns.get(constraint.columns[0])
        if column is None or column.type.builtin not in _LIMITS:
            continue
        if column.identity or (column.default is not None and any(function.name == "nextval" for function in column.default.functions)):
            yield flag(table=step.display(table.name), column=quote(column.name), type=str(column.type), limit=_LIMITS[column.type.builtin or ""])
