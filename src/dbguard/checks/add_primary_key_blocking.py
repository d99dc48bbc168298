"""ADD PRIMARY KEY that builds its index, and reads the table for NOT NULL, under ACCESS EXCLUSIVE."""

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
    if definition.kind != "primary key" or definition.using_index is not None or addition.only or step.is_new_or_empty(addition.table):
        return
    table = step.table(addition.table)
    if table.kind == "partitioned table" and not step.before.schema.leaves(table.name):
        return
    name = bare_constraint_name(definition, table)
    nullable = [column for column in definition.columns if column not in table.columns or not table.columns[column].not_null]
    variant = "impossible" if definition.without_overlaps else "nullable" if nullable else ""
    if table.kind == "partitioned table":
        variant = "impossible" if definition.without_overlaps or nullable else "partitioned"
    yield flag(
        variant=variant,
        table=addition.table,
        on_partitions=_on_partitions(addition, step) if variant == "partitioned" else "",
        constraint=quote(name),
        columns=quote_all(definition.columns),
        options=f" INCLUDE ({quote_all(definition.include)})" * bool(definition.include),
        clause=constraint_clause(definition._replace(using_index=name), table),
        not_null=_not_null(addition, table.name.name, nullable),
    )


def _not_null(addition: AddConstraint, table: str, columns: list[str]) -> str:
    """The statements that make columns NOT NULL without a scan under a strong lock, in three migrations."""
    alter = f"ALTER TABLE {addition.table}"
    proofs = {column: quote(f"{table[:25]}_{column[:25]}_not_null") for column in columns}
    lines = [f"{alter} ADD CONSTRAINT {proof} CHECK ({quote(column)} IS NOT NULL) NOT VALID;" for column, proof in proofs.items()]
    lines += ["-- next migration", *(f"{alter} VALIDATE CONSTRAINT {proof};" for proof in proofs.values())]
    lines += ["-- next migration", *(f"{alter} ALTER COLUMN {quote(column)} SET NOT NULL;" for column in columns)]
    lines += [f"{alter} DROP CONSTRAINT {proof};" for proof in proofs.values()]
    return "\n".join(lines)


def _on_partitions(addition: AddConstraint, step: Step) -> str:
    table = step.table(addition.table)
    partitions = [(child, step.display(child.name)) for child in step.before.schema.partitions(table.name)]
    steps = key_on_partitions(addition.constraint, table, partitions)
    return "-- partition by partition, from the lowest level up" if steps is None else steps.replace("{table}", str(addition.table))
