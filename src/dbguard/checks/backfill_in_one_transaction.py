"""UPDATE or DELETE over a table in use whose size the WHERE does not bound."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Delete, Update
from dbguard.model.predicates import is_always_true, pins_rows
from dbguard.model.state import Step


def check(change: Update | Delete, step: Step) -> Iterator[Flag]:
    if step.is_new_or_empty(change.table) or change.limited or (change.where is None and not change.joined):
        return
    if change.where is not None and (is_always_true(change.where.tree) or pins_rows(change.where.tree, step.table(change.table))):
        return
    yield flag(table=change.table, command=type(change).__name__.upper())
