"""ALTER COLUMN TYPE that keeps the rows but reads them all, because a CHECK mentions the column."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import ChangeColumnType
from dbguard.model.state import Step


def check(change: ChangeColumnType, step: Step) -> Iterator[Flag]:
    if step.effects.rewrites or step.is_new_or_empty(change.table):
        return
    leaves = {leaf.name for leaf in step.before.schema.leaves(step.before.resolve(change.table))}
    if not leaves.intersection(step.effects.scans):
        return
    checks = [
        constraint
        for constraint in step.table(change.table).constraints.values()
        if constraint.kind == "check" and constraint.valid and constraint.expression is not None and change.column in constraint.expression.columns
    ]
    if not checks:
        return
    alter = f"ALTER TABLE {change.table}"
    yield flag(
        table=change.table,
        column=quote(change.column),
        type=f"{change.type} COLLATE {change.collation}" if change.collation is not None else str(change.type),
        checks="`, `".join(quote(c.name) for c in checks),
        drop_checks="\n".join(f"{alter} DROP CONSTRAINT {quote(c.name)};" for c in checks),
        add_checks="\n".join(f"{alter} ADD CONSTRAINT {quote(c.name)} CHECK ({c.expression.sql}) NOT VALID;" for c in checks if c.expression),
        validate_checks="\n".join(f"{alter} VALIDATE CONSTRAINT {quote(c.name)};" for c in checks),
    )
