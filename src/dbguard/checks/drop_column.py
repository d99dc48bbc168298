"""DROP COLUMN on a table in use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import columns_added
from dbguard.model.names import quote
from dbguard.model.operations import DropColumn
from dbguard.model.questions import tables_dropped
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    gone = tables_dropped(script.steps)
    for position, one in enumerate(script.steps):
        drop = one.operation
        if not isinstance(drop, DropColumn) or one.is_new(drop.table) or one.before.resolve(drop.table) in gone:
            continue
        table = one.table(drop.table)
        missing = table.known and drop.column not in table.columns
        if missing or table.kind not in {"table", "partitioned table"}:
            continue
        full = one.before.resolve(drop.table)
        replaced = drop.column in step.after.schema.table(full).columns
        if not replaced and (full, drop.column) not in columns_added(script.steps[:position]):
            yield flag(at=one.statement, table=drop.table, column=quote(drop.column))
