"""A primary key filled with random UUIDs."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, AddConstraint, CreateTable
from dbguard.model.questions import constraints_added
from dbguard.model.state import Step

_RANDOM = frozenset({"gen_random_uuid", "uuid_generate_v4", "uuidv4"})


def check(addition: AddColumn | AddConstraint | CreateTable, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the step knows what it adds
    for table, constraint in constraints_added(step):
        if constraint.kind != "primary key" or len(constraint.columns) != 1:
            continue
        column = table.columns.get(constraint.columns[0])
        if column is not None and column.default is not None and any(function.name in _RANDOM for function in column.default.functions):
            yield flag(table=step.display(table.name), column=quote(column.name))
