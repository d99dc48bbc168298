"""What pg_stats knows of columns: values stay in memory, to be planned with; they are never shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dbguard.planning.sweep import Values

if TYPE_CHECKING:
    from psycopg import Connection

_QUERY = """
SELECT s.schemaname || '.' || s.tablename, s.attname, s.n_distinct::float8, s.most_common_freqs::float8[],
       s.most_common_vals::text::text[], s.histogram_bounds::text::text[]
FROM pg_catalog.pg_stats s
JOIN unnest(%s::text[], %s::text[], %s::text[]) AS wanted(schema, name, col)
  ON wanted.schema = s.schemaname AND wanted.name = s.tablename AND wanted.col = s.attname
ORDER BY s.inherited DESC
"""
_MOST = 10_000  # values of a column: statistics targets go up to that


def column_values(connection: Connection[Any], columns: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Values]:
    """Statistics by relation, named as EXPLAIN (VERBOSE) does, and column. What the role may not see is left out."""
    wanted = [(*relation.partition(".")[::2], column) for relation, column in columns if "." in relation]
    if not wanted:
        return {}
    rows = connection.execute(_QUERY, tuple([[one[place] for one in wanted] for place in range(3)])).fetchall()
    found: dict[tuple[str, str], Values] = {}
    for relation, column, distinct, frequencies, common, histogram in rows:
        kept = [(value, frequency) for value, frequency in zip(common or (), frequencies or (), strict=False) if value is not None]
        found[relation, column] = Values(
            tuple([value for value, _ in kept[:_MOST]]),
            tuple([frequency for _, frequency in kept[:_MOST]]),
            tuple([value for value in (histogram or ())[: _MOST + 1] if value is not None]),
            distinct,
        )
    return found
