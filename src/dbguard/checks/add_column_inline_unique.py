"""ADD COLUMN ... UNIQUE or PRIMARY KEY: the index is built while nobody reads or writes."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import not_null_steps
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, CreateIndex, IndexKeyDefinition
from dbguard.model.sql import column_clause, constraint_clause, constraint_name, index_statement
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    column, table = add.column, step.table(add.table)
    constraint = next((c for c in column.constraints if c.kind in {"unique", "primary key"}), None)
    if constraint is None or step.is_new(add.table) or column.name in table.columns or table.kind != "table":
        return
    name = constraint_name(constraint._replace(columns=(column.name,)), table)
    index = CreateIndex(
        add.table, (IndexKeyDefinition(column.name),), _plain(name), unique=True, concurrently=True, nulls_not_distinct=constraint.nulls_not_distinct
    )
    using = constraint._replace(name=_plain(name), columns=(), using_index=_plain(name), nulls_not_distinct=False)
    rest = tuple(c for c in column.constraints if c != constraint)
    yield flag(
        variant="primary-key" if constraint.kind == "primary key" else "",
        table=add.table,
        column=quote(column.name),
        plain_column=column_clause(column._replace(constraints=rest)),
        create_index=index_statement(index, table),
        constraint=constraint_clause(using, table),
        not_null=not_null_steps(table, add.table, column.name),
    )


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
