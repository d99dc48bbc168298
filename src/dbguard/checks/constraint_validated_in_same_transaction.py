"""NOT VALID and VALIDATE in one transaction: the strong lock of the first is held during the scan of the second."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddConstraint, ValidateConstraint
from dbguard.model.questions import as_definition, bare_constraint_name, validated_where_added
from dbguard.model.sql import constraint_clause
from dbguard.model.state import Step


def check(validation: ValidateConstraint, step: Step) -> Iterator[Flag]:
    if step.is_new_or_empty(validation.table) or not step.effects.scans:
        return
    name = step.before.resolve(validation.table)
    constraint = validated_where_added(step)
    if constraint is None and _added_by_statement(validation, step):
        constraint = step.table(validation.table).constraints.get(validation.name)
    if constraint is None:
        return
    is_key = constraint.kind == "foreign key" and constraint.references is not None
    yield flag(
        variant="itself" if constraint.references == name else "foreign key" if is_key else "",
        table=validation.table,
        constraint=quote(validation.name),
        clause=constraint_clause(as_definition(constraint, step.before), step.before.schema.table(name)),
        parent=step.display(constraint.references) if is_key and constraint.references is not None else "",
    )


def _added_by_statement(validation: ValidateConstraint, step: Step) -> bool:
    """Whether `ALTER TABLE ... ADD ... NOT VALID, VALIDATE ...` does both at once."""
    return any(
        isinstance(operation, AddConstraint) and bare_constraint_name(operation.constraint, step.table(operation.table)) == validation.name
        for operation in step.statement.operations
    )
