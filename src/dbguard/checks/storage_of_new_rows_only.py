"""SET STORAGE and SET COMPRESSION: rows that are there keep what they have."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import SetCompression, SetStorage
from dbguard.model.state import Step


def check(change: SetStorage | SetCompression, step: Step) -> Iterator[Flag]:
    if step.is_new(change.table):
        return
    setting = f"compression {change.method}" if isinstance(change, SetCompression) else f"storage {change.storage.upper()}"
    yield flag(table=change.table, column=quote(change.column), setting=setting)
