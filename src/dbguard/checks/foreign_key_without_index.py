"""A new foreign key whose columns no index of the referencing table leads with."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name, quote_all
from dbguard.model.operations import AddColumn, CreateIndex
from dbguard.model.questions import foreign_keys_added, supports
from dbguard.model.schema import Constraint, Table
from dbguard.model.sql import index_statement
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:
    for one in end.steps:
        for table, key in foreign_keys_added(one):
            after = step.after.schema.tables.get(table.name)
            if after is None or key.name not in after.constraints or after.persistence == "temporary":
                continue
            # Of a table that was not seen created, only columns that are new here have no index for certain.
            if not after.known and not set(key.columns) <= _added_to(table.name, end):
                continue
            if not any(supports(index, key.columns) for index in after.indexes.values()):
                yield _flag(one, after, key, step)


def _added_to(table: Name, end: EndOfScript) -> set[str]:
    return {
        one.operation.column.name for one in end.steps if isinstance(one.operation, AddColumn) and one.before.resolve(one.operation.table) == table
    }


def _flag(one: Step, table: Table, key: Constraint, step: Step) -> Flag:
    assert key.references is not None
    name = step.display(table.name)
    index = CreateIndex(table=Name(name.schema, name.name), keys=tuple(IndexKey(column) for column in key.columns), concurrently=True)
    return flag(
        at=one.statement,
        variant="new" if step.after.is_new(table.name) else "",
        table=name,
        parent=step.display(key.references),
        columns=quote_all(key.columns),
        create_index=index_statement(index, table),
        create_index_at_once=index_statement(index._replace(concurrently=False), table),
    )
