"""A condition on the result of a function, cast or sum, where an index knows only the column."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag
from dbguard.model.expression import Expression, Tree, walk
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name, quote
from dbguard.model.operations import CreateIndex
from dbguard.model.query import Clause, Query, QueryStep, Source
from dbguard.model.query_questions import columns_in, is_given, open_accesses, shown
from dbguard.model.sql import index_statement
from dbguard.model.types import DataType

_DAYS = frozenset({"date_trunc", "extract", "date_part", "to_char", "date", "timezone"})
_IMMUTABLE = frozenset({"lower", "upper", "btrim", "ltrim", "rtrim", "md5", "abs", "length", "char_length", "reverse", "initcap"})
_TIMES = frozenset({"timestamp", "timestamptz"})


def check(_query: Query, step: QueryStep) -> Iterator[Flag]:
    for access, source in open_accesses(step):
        for clause in access.clauses:
            columns = list(dict.fromkeys(columns_in(clause.key)))
            if clause.spoiled not in {"function", "cast", "arithmetic"} or not is_given(clause) or len(columns) != 1:
                continue
            variant = _variant(step, clause, source, columns[0])
            if (clause.kind in {"equal", "in"} and (clause.parameter or variant == "date")) or (clause.kind == "range" and variant == "date"):
                yield _flag(step, clause, source, columns[0], variant)


def _variant(step: QueryStep, clause: Clause, source: Source, column: str) -> str:
    table = step.table(source.number)
    kind = table.columns[column].type.builtin if table is not None and column in table.columns else None
    if kind in _TIMES and _takes_part_of_time(clause.key):
        return "date"
    if clause.spoiled in {"cast", "arithmetic"}:
        return clause.spoiled
    return "function" if _is_immutable(clause.key) else ""


def _takes_part_of_time(key: Tree) -> bool:
    if any(node[0] == "call" and isinstance(node[1], Name) and node[1].name in _DAYS for node in walk(key)):
        return True
    return any(node[0] == "cast" and isinstance(node[1], DataType) and node[1].builtin in {"date", "time", "text"} for node in walk(key))


def _is_immutable(key: Tree) -> bool:
    kinds = {node[0] for node in walk(key)}
    names = {node[1].name for node in walk(key) if node[0] == "call"}
    return kinds <= {"call", "column", "const"} and names <= _IMMUTABLE


def _flag(step: QueryStep, clause: Clause, source: Source, column: str, variant: str) -> Flag:
    assert source.table is not None
    name = step.display(source.table)
    expression = shown(clause.key)
    facts = {"table": str(name), "column": quote(column), "expression": expression}
    if variant == "function":
        index = CreateIndex(table=name, keys=(IndexKey(None, Expression(expression, clause.key), name=_called(clause.key)),), concurrently=True)
        facts["create_index"] = index_statement(index, step.state.schema.table(source.table))
    return Flag(facts, variant=variant)


def _called(key: Tree) -> str | None:
    return key[1].name if key[0] == "call" else None
