"""ALTER CONSTRAINT ... ENFORCED, from 18, reads the table under its locks."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AlterConstraint
from dbguard.model.questions import as_definition
from dbguard.model.sql import constraint_clause
from dbguard.model.state import Step


def check(change: AlterConstraint, step: Step) -> Iterator[Flag]:
    if not change.enforced or step.is_new_or_empty(change.table):
        return
    table = step.table(change.table)
    key = table.constraints.get(change.name)
    if key is None or key.enforced or key.references is None:
        return
    definition = as_definition(key, step.before)._replace(enforced=True, valid=False)
    yield flag(
        table=change.table,
        parent=step.display(key.references),
        constraint=quote(change.name),
        clause=constraint_clause(definition, table),
    )
