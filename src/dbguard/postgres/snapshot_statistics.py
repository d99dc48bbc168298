"""What ANALYZE collected: a connection in, `ColumnStatistics` out, and sentences about what the role may not see."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name, quote
from dbguard.model.snapshot import ColumnStatistics, ExtendedStatistics
from dbguard.postgres.snapshot_relations import USER

if TYPE_CHECKING:
    from psycopg import Connection

_COLUMNS = """
SELECT n.schemaname, n.tablename, n.attname, n.inherited, n.null_frac, n.avg_width, n.n_distinct, n.most_common_vals::text,
       n.most_common_freqs::text, n.histogram_bounds::text, n.correlation, n.most_common_elems::text, n.most_common_elem_freqs::text,
       n.elem_count_histogram::text, {ranges}
FROM pg_catalog.pg_stats n
WHERE n.schemaname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.schemaname NOT LIKE 'pg\\_temp\\_%'"""
_EXTENDED = """
SELECT x.statistics_schemaname, x.statistics_name, x.schemaname, x.tablename, {inherited}, x.n_distinct::text, x.dependencies::text,
       x.most_common_vals IS NOT NULL, t.stxrelid
FROM pg_catalog.pg_stats_ext x JOIN pg_catalog.pg_namespace n ON n.nspname = x.statistics_schemaname
JOIN pg_catalog.pg_statistic_ext t ON t.stxname = x.statistics_name AND t.stxnamespace = n.oid
WHERE x.schemaname NOT IN ('pg_catalog', 'information_schema')"""
_EXTENDED_HIDDEN = f"""
SELECT n.nspname, t.stxname FROM pg_catalog.pg_statistic_ext t JOIN pg_catalog.pg_namespace n ON n.oid = t.stxnamespace
JOIN pg_catalog.pg_class c ON c.oid = t.stxrelid WHERE {USER} AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_stats_ext x WHERE x.statistics_schemaname = n.nspname AND x.statistics_name = t.stxname)
  AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY 1, 2"""
_LIVE = """
SELECT a.attrelid, a.attnum, pg_catalog.row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN (SELECT t.stxrelid FROM pg_catalog.pg_statistic_ext t)"""
_RANGES = "n.range_length_histogram::text, n.range_empty_frac, n.range_bounds_histogram::text"

# Up to 16 pg_stats does not show what ANALYZE collected for ranges (kinds 6 and 7 of src/include/catalog/pg_statistic.h).
_RANGES_OF_CATALOG = f"""
SELECT n.nspname, c.relname, a.attname, s.stainherit,
       CASE 6 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3
              WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END::text,
       (CASE 6 WHEN s.stakind1 THEN s.stanumbers1 WHEN s.stakind2 THEN s.stanumbers2 WHEN s.stakind3 THEN s.stanumbers3
               WHEN s.stakind4 THEN s.stanumbers4 WHEN s.stakind5 THEN s.stanumbers5 END)[1],
       CASE 7 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3
              WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END::text
FROM pg_catalog.pg_statistic s JOIN pg_catalog.pg_class c ON c.oid = s.starelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
WHERE 6 IN (s.stakind1, s.stakind2, s.stakind3, s.stakind4, s.stakind5) AND {USER}"""
_RANGE_COLUMNS = f"""
SELECT n.nspname, c.relname, a.attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND t.typtype IN ('r', 'm') AND {USER} ORDER BY 1, 2, a.attnum"""

# What the view pg_stats asks before it shows a row (src/backend/catalog/system_views.sql); an index has the rights of its owner alone.
_HIDDEN = f"""
SELECT n.nspname, c.relname, pg_catalog.array_agg(a.attname::text ORDER BY a.attnum), c.relrowsecurity AND pg_catalog.row_security_active(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE (c.relkind IN ('r', 'p', 'm', 'f') OR i.indexprs IS NOT NULL AND i.indkey[a.attnum - 1] = 0) AND c.relpersistence <> 't' AND {USER}
  AND (c.relrowsecurity AND pg_catalog.row_security_active(c.oid)
       OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'))
GROUP BY 1, 2, 4 ORDER BY 1, 2"""


def read_columns(connection: Connection[Any]) -> tuple[list[ColumnStatistics], list[str]]:
    """Every row of pg_stats of users' relations, with its real values, and what is missing for want of rights."""
    with_ranges = connection.info.server_version >= 170000
    query = _COLUMNS.format(ranges=_RANGES if with_ranges else "NULL, NULL, NULL")
    found = [ColumnStatistics(Name(schema, table), *rest) for schema, table, *rest in connection.execute(query.encode())]
    hidden = _hidden(connection)
    if not with_ranges:
        found, missing = _with_ranges(connection, found)
        hidden += missing
    return found, hidden


def read_extended(connection: Connection[Any]) -> tuple[list[ExtendedStatistics], list[str]]:
    """What CREATE STATISTICS collected about numbers of distinct combinations and dependencies; not the most common combinations."""
    inherited = "x.inherited" if connection.info.server_version >= 150000 else "false"
    rows = connection.execute(_EXTENDED.format(inherited=inherited).encode()).fetchall()
    positions: dict[int, dict[int, int]] = defaultdict(dict)
    for relation, number, position in connection.execute(_LIVE) if rows else ():
        positions[relation][number] = position
    found, hidden = [], []
    for schema, name, table_schema, table, inherits, distinct, dependencies, has_values, relation in rows:
        texts = (_renumbered(distinct, positions[relation]), _renumbered(dependencies, positions[relation]))
        found.append(ExtendedStatistics(Name(schema, name), Name(table_schema, table), inherits, *texts))
        if has_values:
            hidden.append(f"{Name(schema, name)}: its most common combinations of values are not in a snapshot")
    for schema, name in connection.execute(_EXTENDED_HIDDEN.encode()):
        hidden.append(f"{Name(schema, name)}: what it collected is shown to the owner of its table only")
    return found, hidden


def _renumbered(text: str | None, positions: Mapping[int, int]) -> str | None:
    """`{"2, 4": 10}` with numbers that count only columns that still exist; expressions have negative ones."""
    if text is None:
        return None
    return re.sub(r'"[^"]*"', lambda key: re.sub(r"(?<!-)\b\d+", lambda n: str(positions.get(int(n[0]), n[0])), key[0]), text)


def _hidden(connection: Connection[Any]) -> list[str]:
    sentences = []
    for schema, relation, columns, by_rows in connection.execute(_HIDDEN.encode()):
        why = "row security applies to this role" if by_rows else "this role has no SELECT right"
        sentences.append(f"{Name(schema, relation)}: no statistics of {', '.join(map(quote, columns))}: {why}")
    return sentences


def _with_ranges(connection: Connection[Any], found: list[ColumnStatistics]) -> tuple[list[ColumnStatistics], list[str]]:
    row = connection.execute("SELECT pg_catalog.has_table_privilege('pg_catalog.pg_statistic', 'SELECT')").fetchone()
    if row is None or not row[0]:
        columns = connection.execute(_RANGE_COLUMNS.encode()).fetchall()
        why = "PostgreSQL before 17 shows the histograms of ranges to a superuser only"
        return found, [f"{Name(schema, table)}: no histograms of {quote(column)}: {why}" for schema, table, column in columns]
    ranges = {tuple(row[:4]): row[4:] for row in connection.execute(_RANGES_OF_CATALOG.encode())}
    merged = []
    for one in found:
        lengths, empty, bounds = ranges.get((one.relation.schema, one.relation.name, one.column, one.inherited), (None, None, None))
        merged.append(one._replace(range_length_histogram=lengths, range_empty_frac=empty, range_bounds_histogram=bounds))
    return merged, []
