"""A look into jsonb that no index serves."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import Expression
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name, quote
from dbguard.model.operations import CreateIndex
from dbguard.model.query import Clause, Query, QueryStep, Source
from dbguard.model.query_questions import column_type, columns_in, is_given, open_accesses, shown
from dbguard.model.sql import index_statement

_KEYS = frozenset({"?", "?|", "?&"})
_PATHS = frozenset({"@>", "@?", "@@"})


def check(_query: Query, step: QueryStep) -> Iterator[Flag]:
    for access, source in open_accesses(step):
        for clause in access.clauses:
            kind = column_type(step, access.source, clause.key)
            if clause.kind == "contains" and kind is not None and kind.builtin == "jsonb" and clause.operator in _KEYS | _PATHS:
                opclass = Name(None, "jsonb_path_ops") if clause.operator in _PATHS else None
                yield _flag(step, source, clause, IndexKey(clause.key[1], opclass=opclass), "")
            elif (
                clause.spoiled == "json"
                and clause.kind in {"equal", "in"}
                and is_given(clause)
                and clause.parameter
                and clause.key[1] in {"->>", "#>>"}
            ):
                expression = shown(clause.key)
                yield _flag(step, source, clause, IndexKey(None, Expression(expression, clause.key)), "field")


def _flag(step: QueryStep, source: Source, clause: Clause, key: IndexKey, variant: str) -> Flag:
    assert source.table is not None
    name = step.display(source.table)
    index = CreateIndex(table=name, keys=(key,), method="btree" if variant else "gin", concurrently=True)
    return flag(
        variant=variant,
        table=name,
        column=quote(columns_in(clause.key)[0]),
        expression=shown(clause.key),
        create_index=index_statement(index, step.state.schema.table(source.table)),
    )
