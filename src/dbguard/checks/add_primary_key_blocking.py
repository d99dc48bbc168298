"""ADD PRIMARY KEY that builds its index, and reads the table for NOT NULL, under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote, quote_all
from dbguard.model.operations import AddConstraint
from dbguard.model.questions import bare_constraint_name
from dbguard.model.sql import constraint_clause
from dbguard.model.state import Step


def check(addition: AddConstraint, step: Step) -> Iterator[Flag]:
    definition = addition.constraint
    if definition.kind != "primary key" or definition.using_index is not None or addition.only or step.is_new(addition.table):
        return
    table = step.table(addition.table)
    if table.kind == "partitioned table" and not step.before.schema.leaves(table.name):
        return
    name = bare_constraint_name(definition, table)
    nullable = [column for column in definition.columns if column not in table.columns or not table.columns[column].not_null]
    variant = "impossible" if definition.without_overlaps or table.kind == "partitioned table" else "nullable" if nullable else ""
    yield flag(
        variant=variant,
        table=addition.table,
        constraint=quote(name),
        columns=quote_all(definition.columns),
        options=f" INCLUDE ({quote_all(definition.include)})" * bool(definition.include),
        clause=constraint_clause(definition._replace(using_index=name), table),
        prove="\n".join(f"ALTER TABLE {addition.table} ADD CONSTRAINT {_proof(table.name.name, c)} CHECK ({quote(c)} IS NOT NULL) NOT VALID;" for c in nullable),
        validate="\n".join(f"ALTER TABLE {addition.table} VALIDATE CONSTRAINT {_proof(table.name.name, c)};" for c in nullable),
        set_not_null="\n".join(f"ALTER TABLE {addition.table} ALTER COLUMN {quote(c)} SET NOT NULL;" for c in nullable),
        forget="\n".join(f"ALTER TABLE {addition.table} DROP CONSTRAINT {_proof(table.name.name, c)};" for c in nullable),
    )


def _proof(table: str, column: str) -> str:
    return quote(f"{table[:25]}_{column[:25]}_not_null")
