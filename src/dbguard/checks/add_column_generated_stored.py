"""ADD COLUMN ... GENERATED ALWAYS AS (...) STORED: computed for every row."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import batched_update, is_rewriting_add
from dbguard.model.names import Name, quote
from dbguard.model.operations import AddColumn
from dbguard.model.sql import choose_name
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    column, expression = add.column, add.column.generated_expression
    if expression is None or not is_rewriting_add(add, step):
        return
    table, name = step.table(add.table), quote(column.name)
    yield flag(
        table=add.table,
        column=name,
        type=str(column.type),
        expression=expression.sql,
        function=Name(add.table.schema, choose_name(add.table.name, (column.name,), "fill")),
        trigger=quote(choose_name(add.table.name, (column.name,), "fill", table.triggers)),
        row=quote(add.table.name),
        backfill=batched_update(table, add.table, f"{name} = ({expression.sql})", f"{name} IS NULL AND ({expression.sql}) IS NOT NULL"),
    )
