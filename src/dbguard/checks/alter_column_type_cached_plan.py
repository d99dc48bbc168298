"""ALTER COLUMN TYPE: prepared statements of open sessions that return the column fail once."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import ChangeColumnType
from dbguard.model.state import Step


def check(change: ChangeColumnType, step: Step) -> Iterator[Flag]:
    table = step.table(change.table)
    if step.is_new(change.table) or table.kind not in {"table", "partitioned table"}:
        return
    old = table.columns.get(change.column)
    if old is None or old.type != change.type:
        yield flag(table=change.table, column=quote(change.column), type=str(change.type))
