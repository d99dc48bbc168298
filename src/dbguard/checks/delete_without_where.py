"""DELETE of every row of a table in use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Delete
from dbguard.model.predicates import is_always_true
from dbguard.model.state import Step


def check(delete: Delete, step: Step) -> Iterator[Flag]:
    if step.is_new(delete.table) or delete.joined or (delete.where is not None and not is_always_true(delete.where.tree)):
        return
    yield flag(table=delete.table)
