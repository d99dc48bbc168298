"""autovacuum_enabled = false."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateTable, SetTableOptions
from dbguard.model.state import Step


def check(change: SetTableOptions | CreateTable, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the statement says it all
    table = change.table if isinstance(change, SetTableOptions) else change.name
    for name, value in change.options:
        if name in {"autovacuum_enabled", "toast.autovacuum_enabled"} and (value or "").strip("'").lower() in {"false", "off", "no", "0"}:
            yield flag(table=table, option=name)
