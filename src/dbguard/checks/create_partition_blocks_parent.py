"""CREATE TABLE ... PARTITION OF an existing table."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import CreateTable
from dbguard.model.partition_sql import bound_clause, bound_condition
from dbguard.model.questions import default_partition
from dbguard.model.state import Step


def check(creation: CreateTable, step: Step) -> Iterator[Flag]:
    parent = creation.partition_of
    if parent is None or creation.bound is None or step.is_new(parent) or step.effects.fails:
        return
    if creation.if_not_exists and step.table(creation.name).created is not None:
        return
    table = step.table(parent)
    default = default_partition(table.name, step.before)
    bound = bound_clause(creation.bound)
    condition = bound_condition(table.partition_by, creation.bound)
    by = ""
    if creation.partition_strategy:
        columns = [key.column for key in creation.partition_keys]
        by = f" PARTITION BY {creation.partition_strategy.upper()} ({', '.join(quote(column) for column in columns if column is not None)})"
        bound = None if None in columns else bound
    variant = "unknown" if bound is None else ""
    if default is not None and default.name in step.effects.scans and not step.is_new_or_empty(default.name):
        variant = "default" if bound is not None and condition is not None else "default unproven"
    yield flag(
        variant=variant,
        table=parent,
        partition=creation.name,
        bound=bound or "",
        by=by,
        default="" if default is None else step.display(default.name),
        condition=condition or "",
        proof=quote(f"{creation.name.name[:45]}_is_elsewhere"),
    )
