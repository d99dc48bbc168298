"""SET EXPRESSION of a stored generated column: every row is computed and written again."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import SetExpression
from dbguard.model.state import Step


def check(change: SetExpression, step: Step) -> Iterator[Flag]:
    if step.effects.rewrites and not step.is_new_or_empty(change.table):
        yield flag(table=change.table, column=quote(change.column), expression=change.expression.sql)
