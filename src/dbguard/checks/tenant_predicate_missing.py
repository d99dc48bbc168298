"""A table of several tenants is read without saying which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.query import Query, QueryStep


def check(query: Query, step: QueryStep, options: Mapping[str, Any]) -> Iterator[Flag]:
    column, tables = options["column"], set(options["tables"])
    if not column or not tables:
        return
    told = set()
    for access in step.serving.accesses:
        if access.table.name not in tables and str(access.table) not in tables:
            continue
        source = query.sources[access.source]
        if query.blocks[source.block].command == "insert" or access.table in told:
            continue
        if not any(clause.kind in {"equal", "in"} and clause.key == ("column", column) for clause in access.clauses):
            told.add(access.table)
            yield flag(table=step.display(access.table), column=quote(column))
