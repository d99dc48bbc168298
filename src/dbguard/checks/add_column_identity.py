"""ADD COLUMN ... AS IDENTITY: every row gets its own number."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import batched_update, is_rewriting_add, not_null_steps
from dbguard.model.names import Name, quote
from dbguard.model.operations import AddColumn
from dbguard.model.sql import choose_name
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    if not add.column.identity or not is_rewriting_add(add, step):
        return
    table, column = step.table(add.table), quote(add.column.name)
    sequence = Name(add.table.schema, choose_name(add.table.name, (add.column.name,), "fill"))
    own = Name(add.table.schema, choose_name(add.table.name, (add.column.name,), "seq"))
    next_value = f"nextval('{sequence}')"
    yield flag(
        table=add.table,
        column=column,
        sequence=sequence,
        identity_sequence=own,
        identity=add.column.identity.upper(),
        type=str(add.column.type),
        next_value=next_value,
        backfill=batched_update(table, add.table, f"{column} = {next_value}", f"{column} IS NULL"),
        not_null=not_null_steps(table, add.table, add.column.name),
    )
