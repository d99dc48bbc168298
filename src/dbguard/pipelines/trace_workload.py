"""Captures, logs and query files in, the distinct queries that a server can be asked about out."""

from __future__ import annotations

from collections.abc import Sequence

from dbguard.config import Config
from dbguard.parsing.query.placeholders import numbered
from dbguard.parsing.query.shapes import shape_of
from dbguard.pipelines.workload import list_queries
from dbguard.postgres.trace_blocked import Query

MOST_QUERIES = 1_000
_ASKED = ("select", "insert", "update", "delete", "merge", "with", "values", "table")


def read_queries(config: Config, paths: Sequence[str]) -> tuple[tuple[Query, ...], tuple[str, ...]]:
    """The queries by shape, those that take most time first, and what was left out. Raises `UnreadableSource`."""
    listed = list_queries(config, paths)
    found: dict[str, Query] = {}
    for told in listed.shapes:
        shape = shape_of(told.sql)
        if shape.sql.lower().startswith(_ASKED):
            found.setdefault(shape.key, Query(shape.key, shape.sql, numbered(told.sql, marks=True)[0]))
    kept = tuple(found.values())[:MOST_QUERIES]
    notes = [f"only the first {MOST_QUERIES:,} of {len(found):,} queries were tried"] if len(found) > MOST_QUERIES else []
    return kept, (*listed.notes, *notes)
