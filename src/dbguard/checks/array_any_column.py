"""`value = ANY (array column)`, for which no index can be used."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.keys import IndexKey
from dbguard.model.names import quote
from dbguard.model.operations import CreateIndex
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import is_given, open_accesses
from dbguard.model.sql import index_statement


def check(_query: Query, step: QueryStep) -> Iterator[Flag]:
    for access, source in open_accesses(step):
        for clause in access.clauses:
            if clause.kind == "array" and is_given(clause) and clause.key[0] == "column" and source.table is not None:
                name = step.display(source.table)
                index = CreateIndex(table=name, keys=(IndexKey(clause.key[1]),), method="gin", concurrently=True)
                statement = index_statement(index, step.state.schema.table(source.table))
                yield flag(table=name, column=quote(clause.key[1]), create_index=statement)
