"""ON DELETE CASCADE."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, AddConstraint, CreateTable
from dbguard.model.questions import foreign_keys_added
from dbguard.model.state import Step


def check(addition: AddColumn | AddConstraint | CreateTable, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the step knows what it adds
    for table, key in foreign_keys_added(step):
        if key.on_delete == "cascade" and key.references is not None:
            yield flag(table=step.display(table.name), parent=step.display(key.references), constraint=quote(key.name))
