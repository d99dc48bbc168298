"""Another default, or none, for a column in use: rows that are inserted without it get another value."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import DropDefault, SetDefault
from dbguard.model.sql import default_text
from dbguard.model.state import Step


def check(change: SetDefault | DropDefault, step: Step) -> Iterator[Flag]:
    column = step.table(change.table).columns.get(change.column)
    if column is None or column.default is None or column.default.is_null or column.generated or step.is_new(change.table):
        return
    new = change.default if isinstance(change, SetDefault) else None
    if new == column.default or (new is None and column.not_null):
        return
    yield flag(
        variant="" if new is not None and not new.is_null else "dropped",
        table=change.table,
        column=quote(change.column),
        old=default_text(column.default),
        new="NULL" if new is None else default_text(new),
    )
