"""ADD FOREIGN KEY that verifies existing rows at once."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddConstraint
from dbguard.model.questions import bare_constraint_name
from dbguard.model.schema import Table
from dbguard.model.sql import constraint_clause
from dbguard.model.state import Step


def check(addition: AddConstraint, step: Step) -> Iterator[Flag]:
    definition = addition.constraint
    if definition.kind != "foreign key" or definition.references is None or step.is_new_or_empty(addition.table) or not step.effects.scans:
        return
    table = step.table(addition.table)
    # On a partitioned table NOT VALID is an error before 18.
    alone = step.before.resolve(definition.references) == table.name or step.is_new(definition.references)
    variant = "partitioned" if table.kind == "partitioned table" else "alone" if alone else ""
    yield flag(
        variant=variant,
        table=addition.table,
        parent=definition.references,
        constraint=quote(bare_constraint_name(definition, table)),
        clause=constraint_clause(definition, table),
        not_valid=constraint_clause(definition._replace(valid=False), table),
        on_partitions=_on_partitions(addition, table, step),
    )


def _on_partitions(addition: AddConstraint, table: Table, step: Step) -> str:
    """The constraint on every known leaf: not valid, then validated. The parent's then takes them over without reading a row."""
    clause = constraint_clause(addition.constraint._replace(valid=False), table)
    name = quote(bare_constraint_name(addition.constraint, table))
    leaves = step.before.schema.leaves(table.name)
    adds = [f"ALTER TABLE {step.display(leaf.name)} ADD {clause};" for leaf in leaves]
    validates = [f"ALTER TABLE {step.display(leaf.name)} VALIDATE CONSTRAINT {name};" for leaf in leaves]
    return "\n".join(["-- for every partition", *adds, "-- next migration", *validates])
