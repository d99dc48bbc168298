"""The first rows of an order are wanted, and no index gives the order."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import index_facts


def check(_query: Query, step: QueryStep) -> Iterator[Flag]:
    for candidate in step.serving.candidates:
        if candidate.why == "order":
            yield Flag(index_facts(step, candidate), variant="close" if candidate.close else "")
