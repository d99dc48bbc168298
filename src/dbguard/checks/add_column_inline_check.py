"""ADD COLUMN ... CHECK: every row is read to verify it."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn
from dbguard.model.sql import column_clause, constraint_clause, constraint_name
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    column, table = add.column, step.table(add.table)
    if not step.effects.scans or step.effects.rewrites or step.is_new_or_empty(add.table):
        return
    checks = tuple(c for c in column.constraints if c.kind == "check" and c.enforced)
    if not checks:
        return
    plain = column._replace(constraints=tuple(c for c in column.constraints if c not in checks))
    added = (f"ALTER TABLE {add.table} ADD {constraint_clause(c._replace(valid=False), table)};" for c in checks)
    validated = (f"ALTER TABLE {add.table} VALIDATE CONSTRAINT {constraint_name(c, table)};" for c in checks)
    yield flag(
        table=add.table,
        column=quote(column.name),
        plain_column=column_clause(plain),
        add_checks="\n".join(added),
        validate_checks="\n".join(validated),
    )
