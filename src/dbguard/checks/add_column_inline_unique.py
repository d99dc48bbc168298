"""ADD COLUMN ... UNIQUE or PRIMARY KEY: the index is built while nobody reads or writes."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import not_null_steps, unique_steps
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, ColumnDefinition
from dbguard.model.operations.tables import ConstraintDefinition
from dbguard.model.sql import column_clause
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    column, table = add.column, step.table(add.table)
    constraint = next((c for c in column.constraints if c.kind in {"unique", "primary key"}), None)
    if constraint is None or step.is_new_or_empty(add.table) or column.name in table.columns or table.kind != "table":
        return
    create, add_constraint = unique_steps(table, add.table, column.name, constraint)
    yield flag(
        variant="primary-key" if constraint.kind == "primary key" else _filled(column),
        table=add.table,
        column=quote(column.name),
        plain_column=column_clause(_plain(column, constraint)),
        create_index=create,
        add_constraint=add_constraint,
        not_null=not_null_steps(table, add.table, column.name),
    )


def _filled(column: ColumnDefinition) -> str:
    """Which values the old rows have to be given before they can be unique: none if they hold NULL at first."""
    if column.not_null or column.serial or column.identity:
        return "not-null"
    return "filled" if column.default is not None and not column.default.is_null else ""


def _plain(column: ColumnDefinition, constraint: ConstraintDefinition) -> ColumnDefinition:
    """The column without what gives all rows one value, writes them again, or refuses NULL."""
    rest = tuple(other for other in column.constraints if other != constraint and other.kind != "not null")
    return column._replace(constraints=rest, default=None, not_null=False, serial=False, identity="")
