"""op.add_column with a default that only SQLAlchemy knows."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import PythonDefault
from dbguard.model.state import Step


def check(default: PythonDefault, step: Step) -> Iterator[Flag]:
    if not default.applied and not default.not_null and not step.before.is_empty(default.table):  # with NOT NULL the statement fails: told elsewhere
        yield flag(table=default.table, column=quote(default.column), default=default.default)
