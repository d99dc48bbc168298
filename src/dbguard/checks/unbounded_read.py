"""A query whose result grows with a table."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.finding import Severity
from dbguard.model.query import Query, QueryStep

GROWS = "that the table grows: its rows belong to no others, as those of settings and catalogues do not"
_ONE = frozenset({"one", "exec", "execrows", "execresult", "batchexec", "batchone"})
_READS = frozenset({"select", "union", "union all", "intersect", "except"})


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    growth = step.growth
    if growth.bounded or growth.table is None or query.command not in _READS or step.rows in _ONE or query.text.wrapped:
        return
    table = None if growth.source is None else step.table(growth.source)
    if query.main.locks or (table is not None and table.persistence == "temporary"):
        return
    key = table.primary_key if table is not None else None
    columns = ", ".join(key.columns) if key is not None else "id"
    grows = step.is_large(growth.table) or (table is not None and any(one.references != table.name for one in table.foreign_keys()))
    yield flag(
        table=step.display(growth.table),
        key=columns,
        severity=None if grows else Severity.ADVICE,
        assumes=() if grows else (GROWS,),
    )
