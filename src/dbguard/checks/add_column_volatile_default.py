"""ADD COLUMN with a default that PostgreSQL must compute for each row."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import batched_update, constrained_domain, is_rewriting_add, not_null_steps
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn
from dbguard.model.sql import default_text
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    column, table = add.column, step.table(add.table)
    if column.default is None or column.serial or not is_rewriting_add(add, step) or constrained_domain(column.type, step.before):
        return
    name, default = quote(column.name), default_text(column.default)
    yield flag(
        variant="not-null" if column.not_null else "",
        table=add.table,
        column=name,
        type=str(column.type),
        default=default,
        backfill=batched_update(table, add.table, f"{name} = {default}", f"{name} IS NULL"),
        not_null=not_null_steps(table, add.table, column.name),
    )
