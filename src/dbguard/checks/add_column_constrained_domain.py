"""ADD COLUMN whose type is a domain with CHECK or NOT NULL: every row is written, default or not."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import constrained_domain, domain_conditions, is_rewriting_add
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn
from dbguard.model.sql import choose_name, column_clause
from dbguard.model.state import Step


def check(add: AddColumn, step: Step) -> Iterator[Flag]:
    column = add.column
    domain = constrained_domain(column.type, step.before)
    if domain is None or column.serial or column.identity or column.generated or not is_rewriting_add(add, step):
        return
    base = domain.base if domain.base is not None else column.type
    yield flag(
        table=add.table,
        column=quote(column.name),
        domain=str(column.type),
        plain_column=column_clause(column._replace(type=base, constraints=())),
        constraint=quote(choose_name(add.table.name, (column.name,), "check", step.table(add.table).constraints)),
        conditions=domain_conditions(domain, column.name),
    )
