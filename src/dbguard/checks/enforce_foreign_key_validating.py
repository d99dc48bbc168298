"""ALTER CONSTRAINT ... ENFORCED, from 18, reads the table under its locks."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AlterConstraint
from dbguard.model.sql import constraint_clause
from dbguard.model.operations import ConstraintDefinition
from dbguard.model.state import Step


def check(change: AlterConstraint, step: Step) -> Iterator[Flag]:
    if not change.enforced or step.is_new(change.table):
        return
    table = step.table(change.table)
    key = table.constraints.get(change.name)
    if key is None or key.enforced or key.references is None:
        return
    parent = step.display(key.references)
    definition = ConstraintDefinition(
        kind="foreign key",
        name=key.name,
        columns=key.columns,
        references=parent,
        referenced_columns=key.referenced_columns,
        on_delete=key.on_delete,
        on_update=key.on_update,
        match_full=key.match_full,
        deferrable=key.deferrable,
        deferred=key.deferred,
        valid=False,
    )
    yield flag(
        table=change.table,
        parent=parent,
        constraint=quote(change.name),
        clause=constraint_clause(definition, table),
    )
