"""ADD COLUMN ... UNIQUE or PRIMARY KEY: the index is built while nobody reads or writes."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import not_null_steps, unique_steps
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn
from dbguard.model.sql import column_clause
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    column, table = add.column, step.table(add.table)
    constraint = next((c for c in column.constraints if c.kind in {"unique", "primary key"}), None)
    if constraint is None or step.is_new(add.table) or column.name in table.columns or table.kind != "table":
        return
    create, add_constraint = unique_steps(table, add.table, column.name, constraint)
    rest = tuple(c for c in column.constraints if c != constraint)
    yield flag(
        variant="primary-key" if constraint.kind == "primary key" else "",
        table=add.table,
        column=quote(column.name),
        plain_column=column_clause(column._replace(constraints=rest)),
        create_index=create,
        add_constraint=add_constraint,
        not_null=not_null_steps(table, add.table, column.name),
    )
