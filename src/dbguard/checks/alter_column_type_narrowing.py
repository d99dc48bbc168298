"""ALTER COLUMN TYPE to a type that does not hold every value of the old one."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.column_types import narrowing
from dbguard.model.names import quote
from dbguard.model.operations import ChangeColumnType
from dbguard.model.sql import choose_name
from dbguard.model.state import Step


def check(change: ChangeColumnType, step: Step) -> Iterator[Flag]:
    table = step.table(change.table)
    old = table.columns.get(change.column)
    if old is None or step.is_new(change.table) or table.kind not in {"table", "partitioned table"}:
        return
    narrowed = narrowing(old.type, change)
    if narrowed is None:
        return
    yield flag(
        table=change.table,
        column=quote(change.column),
        old=str(old.type),
        type=str(change.type),
        outcome=narrowed.outcome,
        condition=narrowed.condition,
        constraint=quote(choose_name(change.table.name, (change.column,), "check", table.constraints)),
    )
