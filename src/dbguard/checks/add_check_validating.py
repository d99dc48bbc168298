"""ADD CONSTRAINT ... CHECK that verifies existing rows at once."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddConstraint
from dbguard.model.questions import bare_constraint_name
from dbguard.model.sql import constraint_clause
from dbguard.model.state import Step


def check(addition: AddConstraint, step: Step) -> Iterator[Flag]:
    definition = addition.constraint
    if definition.kind != "check" or step.is_new_or_empty(addition.table) or not step.effects.scans:
        return
    table = step.table(addition.table)
    yield flag(
        table=addition.table,
        constraint=quote(bare_constraint_name(definition, table)),
        clause=constraint_clause(definition._replace(valid=False), table),
    )
