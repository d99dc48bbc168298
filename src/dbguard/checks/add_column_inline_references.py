"""ADD COLUMN ... REFERENCES: the lock on the new column's table is held while that on the other table is waited for."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.finding import Severity
from dbguard.model.keys import IndexKey
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, CreateIndex
from dbguard.model.sql import column_clause, constraint_clause, constraint_name, index_statement
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    column, table = add.column, step.table(add.table)
    key = next((c for c in column.constraints if c.kind == "foreign key" and c.enforced), None)
    parent = key.references if key is not None else None
    if key is None or parent is None or step.effects.mode(step.before.resolve(parent)) is None:
        return
    scanned = bool(step.effects.scans or step.effects.rewrites) and not step.is_new_or_empty(add.table)
    same = step.before.resolve(parent) == step.before.resolve(add.table)
    if not scanned and (same or step.is_new(parent)):
        return
    key = key._replace(columns=key.columns or (column.name,))
    yield flag(
        variant="scanned" if scanned else "new" if step.is_new(add.table) else "",
        severity=None if scanned else Severity.WARNING,
        table=add.table,
        column=quote(column.name),
        parent=parent,
        create_index=index_statement(CreateIndex(add.table, (IndexKey(column.name),), concurrently=True), table),
        plain_column=column_clause(column._replace(constraints=tuple(c for c in column.constraints if c.kind != "foreign key"))),
        constraint=constraint_name(key, table),
        add_key=constraint_clause(key._replace(valid=False), table),
    )
