"""IN with a long list written out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.checks import Flag, flag
from dbguard.model.expression import walk
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import conditions


def check(query: Query, _step: QueryStep, options: Mapping[str, Any]) -> Iterator[Flag]:
    for _, condition in conditions(query):
        for node in walk(condition.tree):
            if node[0] == "in" and len(node) - 2 > options["most"]:
                yield flag(count=len(node) - 2)
                return
