"""A comparison with NULL, which is never true."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import walk
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import conditions, shown


def check(query: Query, _step: QueryStep) -> Iterator[Flag]:
    for _, condition in conditions(query):
        for node in walk(condition.tree):
            match node:
                case ("op", "=" | "<>" as symbol, left, ("null",) | ("cast", _, ("null",))) if left[0] != "null":
                    yield flag(expression=shown(left, query), operator=symbol, instead="IS NULL" if symbol == "=" else "IS NOT NULL")
