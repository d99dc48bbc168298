"""AddField of a unique field whose default Python computes once for all rows."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import PythonDefault
from dbguard.model.state import Step


def check(default: PythonDefault, step: Step) -> Iterator[Flag]:
    if default.unique and default.applied and not step.before.is_empty(default.table):
        yield flag(table=default.table, column=quote(default.column), default=default.default)
