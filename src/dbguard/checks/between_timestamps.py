"""BETWEEN up to a date: the last day ends at midnight, when it begins."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import Tree, walk
from dbguard.model.names import quote
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import conditions
from dbguard.model.types import DataType

_TIMES = frozenset({"timestamp", "timestamptz"})


def check(query: Query, _step: QueryStep) -> Iterator[Flag]:
    for _, condition in conditions(query):
        for node in walk(condition.tree):
            match node:
                case ("between", ("op", ">=", ("at", int(number), str(name)), _), ("op", "<=", _, high)) if _is_date(high):
                    kind = query.sources[number].columns.get(name)
                    if kind is not None and kind.builtin in _TIMES:
                        yield flag(column=quote(name))


def _is_date(tree: Tree) -> bool:
    match tree:
        case ("const", str(text)):
            return len(text) == len("2027-01-31") and text[4:5] == "-"
        case ("cast", DataType() as to, _):
            return to.builtin == "date"
        case ("call", name):
            return bool(name.name == "current_date")
    return False
