"""ADD UNIQUE that builds its index under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote, quote_all
from dbguard.model.operations import AddConstraint
from dbguard.model.partition_sql import key_on_partitions
from dbguard.model.questions import bare_constraint_name
from dbguard.model.sql import constraint_clause
from dbguard.model.state import Step


def check(addition: AddConstraint, step: Step) -> Iterator[Flag]:
    definition = addition.constraint
    if definition.kind != "unique" or definition.using_index is not None or addition.only or step.is_new_or_empty(addition.table):
        return
    table = step.table(addition.table)
    if table.kind == "partitioned table" and not step.before.schema.leaves(table.name):
        return
    variant = "overlaps" if definition.without_overlaps else "partitioned" if table.kind == "partitioned table" else ""
    name = bare_constraint_name(definition, table)
    yield flag(
        variant=variant,
        table=addition.table,
        on_partitions=_on_partitions(addition, step) if variant == "partitioned" else "",
        constraint=quote(name),
        columns=quote_all(definition.columns),
        options=f" INCLUDE ({quote_all(definition.include)})" * bool(definition.include) + " NULLS NOT DISTINCT" * definition.nulls_not_distinct,
        clause=constraint_clause(definition._replace(using_index=name, nulls_not_distinct=False), table),
    )


def _on_partitions(addition: AddConstraint, step: Step) -> str:
    table = step.table(addition.table)
    partitions = [(child, step.display(child.name)) for child in step.before.schema.partitions(table.name)]
    steps = key_on_partitions(addition.constraint, table, partitions)
    return "-- partition by partition, from the lowest level up" if steps is None else steps.replace("{table}", str(addition.table))
