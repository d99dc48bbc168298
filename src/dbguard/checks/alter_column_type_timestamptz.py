"""timestamp to timestamptz (or back) written so that every row is rewritten, where a UTC session would only touch the catalog."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.column_types import is_zone_change
from dbguard.model.finding import Severity
from dbguard.model.names import quote
from dbguard.model.operations import ChangeColumnType
from dbguard.model.state import Step


def check(change: ChangeColumnType, step: Step) -> Iterator[Flag]:
    if not step.effects.rewrites or step.is_new_or_empty(change.table):
        return
    if not is_zone_change(step.table(change.table).columns.get(change.column), change):
        return
    zone = step.before.settings.get("timezone")
    yield flag(
        variant="" if change.using is not None else "session",
        severity=Severity.WARNING if change.using is None and zone is None else None,
        table=change.table,
        column=quote(change.column),
        type=str(change.type),
        zone=zone or "not set by the migration",
    )
