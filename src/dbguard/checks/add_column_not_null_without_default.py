"""ADD COLUMN ... NOT NULL (or PRIMARY KEY) with nothing to put into existing rows."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import domain_of, not_null_steps
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn
from dbguard.model.sql import column_clause
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    column, table = add.column, step.table(add.table)
    if (
        table.kind not in {"table", "partitioned table"}
        or step.is_new(add.table)
        or step.before.may_be_empty(add.table)
        or column.name in table.columns
    ):
        return
    key = any(constraint.kind == "primary key" for constraint in column.constraints)
    if not (column.not_null or key) or column.serial or column.identity or column.generated:
        return
    domain = domain_of(column.type, step.before)
    default = column.default or (domain.default if domain is not None else None)
    if default is not None and not default.is_null:
        return
    yield flag(
        table=add.table,
        column=quote(column.name),
        plain_column=column_clause(column._replace(not_null=False, default=None, constraints=())),
        not_null=not_null_steps(table, add.table, column.name),
    )
