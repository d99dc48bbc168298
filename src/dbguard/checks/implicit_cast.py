"""A value of a type for which PostgreSQL casts the column, not the value."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import column_type, columns_in, open_accesses


def check(_query: Query, step: QueryStep) -> Iterator[Flag]:
    for access, source in open_accesses(step):
        for clause in access.clauses:
            kind = column_type(step, access.source, clause.key)
            if clause.spoiled == "type" and kind is not None and source.table is not None:
                yield flag(table=step.display(source.table), column=quote(columns_in(clause.key)[0]), type=str(kind))
