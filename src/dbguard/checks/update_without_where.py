"""UPDATE of every row of a table in use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Update
from dbguard.model.predicates import is_always_true
from dbguard.model.state import Step


def check(update: Update, step: Step) -> Iterator[Flag]:
    if step.is_new(update.table) or update.joined or (update.where is not None and not is_always_true(update.where.tree)):
        return
    yield flag(table=update.table)
