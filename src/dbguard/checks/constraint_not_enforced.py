"""NOT ENFORCED, from 18."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, AddConstraint, CreateTable
from dbguard.model.questions import constraints_added
from dbguard.model.state import Step


def check(addition: AddColumn | AddConstraint | CreateTable, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the step knows what it adds
    for table, constraint in constraints_added(step):
        if not constraint.enforced:
            yield flag(table=step.display(table.name), constraint=quote(constraint.name))
