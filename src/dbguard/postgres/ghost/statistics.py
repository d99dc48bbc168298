"""Writes column statistics where ANALYZE would: `ColumnStatistics` in, rows of pg_statistic out, on PostgreSQL 13 to 18 alike.

pg_restore_attribute_stats exists from 18 on only, and takes one column a call. Here all columns go in at once: the given texts are
copied into a table, the operators that ANALYZE would name (`std_typanalyze`, analyze.c; array_typanalyze.c, rangetypes_typanalyze.c,
ts_typanalyze.c) are looked up in the catalog, and `array_in` makes the arrays, with the input function of the column's own type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name
from dbguard.model.snapshot import ColumnStatistics

if TYPE_CHECKING:
    from psycopg import Connection

_GIVEN = """
CREATE TEMP TABLE given_statistics (
  number int, relation oid, attribute int2, inherited bool, nulls float4, width int4, n_distinct float4, common text, common_numbers text,
  histogram text, correlation float4, elements text, element_numbers text, element_counts text, lengths text, empty float4, bounds text)"""

# Every type whose columns are given, with what ANALYZE uses for it. A domain counts as its base type; array_in would hold values against
# the domain's constraints. The default operator class is found as GetDefaultOpClass (indexcmds.c) does; the hash class where there is no btree.
_TYPES = """
CREATE TEMP TABLE type_operators AS
WITH RECURSIVE base (declared, type) AS (
  SELECT DISTINCT a.atttypid, a.atttypid FROM given_statistics g JOIN pg_attribute a ON a.attrelid = g.relation AND a.attnum = g.attribute
  UNION ALL SELECT b.declared, t.typbasetype FROM base b JOIN pg_type t ON t.oid = b.type AND t.typtype = 'd'
), resolved AS (
  SELECT b.declared, t.oid AS type, CASE WHEN t.typcategory = 'A' AND t.typlen = -1 THEN t.typelem END AS element
  FROM base b JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd'
), asked AS (
  SELECT DISTINCT t.oid, t.typtype::text, t.typcategory = 'A' AND t.typlen = -1 AND t.typelem <> 0 AS is_array
  FROM pg_type t WHERE t.oid IN (SELECT type FROM resolved UNION SELECT element FROM resolved)
), candidate AS (
  SELECT oid AS type, oid AS input, 0 AS preference FROM asked
  UNION ALL SELECT oid, CASE WHEN is_array THEN 2277 WHEN typtype = 'e' THEN 3500 WHEN typtype = 'r' THEN 3831
                             WHEN typtype = 'm' THEN 4537 WHEN typtype = 'c' THEN 2249 END, 1 FROM asked
  UNION ALL SELECT a.oid, c.casttarget, CASE WHEN t.typispreferred THEN 2 ELSE 3 END
            FROM asked a JOIN pg_cast c ON c.castsource = a.oid AND c.castmethod = 'b' AND c.castcontext = 'i' JOIN pg_type t ON t.oid = c.casttarget
), class AS (
  SELECT DISTINCT ON (c.type) c.type, o.opcfamily AS family, o.opcintype AS input, m.amname = 'btree' AS sorts
  FROM candidate c JOIN pg_opclass o ON o.opcintype = c.input AND o.opcdefault JOIN pg_am m ON m.oid = o.opcmethod AND m.amname IN ('btree', 'hash')
  ORDER BY c.type, m.amname, c.preference
), operators AS (
  SELECT c.type,
    (SELECT amopopr FROM pg_amop WHERE amopfamily = c.family AND amoplefttype = c.input AND amoprighttype = c.input
      AND amopstrategy = CASE WHEN c.sorts THEN 3 ELSE 1 END AND amoppurpose = 's') AS eq,
    (SELECT amopopr FROM pg_amop WHERE amopfamily = c.family AND amoplefttype = c.input AND amoprighttype = c.input
      AND amopstrategy = 1 AND c.sorts AND amoppurpose = 's') AS lt
  FROM class c
)
SELECT r.declared, r.type, r.element, o.eq, o.lt, e.eq AS element_eq
FROM resolved r LEFT JOIN operators o ON o.type = r.type LEFT JOIN operators e ON e.type = r.element"""

# Kinds: 1 most common values, 2 histogram, 3 correlation, 4 most common elements, 5 counts of elements, 6 lengths and 7 bounds of ranges
# (pg_statistic.h). A tsvector's elements are text; so are those of an index on one, whose column has the type that GIN stores.
_INSERT = """
INSERT INTO pg_catalog.pg_statistic
SELECT g.relation, g.attribute, g.inherited, g.nulls, g.width, g.n_distinct,
  CASE WHEN g.common IS NULL OR o.eq IS NULL THEN 0 ELSE 1 END, CASE WHEN g.histogram IS NULL OR o.lt IS NULL THEN 0 ELSE 2 END,
  CASE WHEN g.correlation IS NULL OR o.lt IS NULL THEN 0 ELSE 3 END,
  CASE WHEN g.elements IS NOT NULL THEN 4 WHEN g.lengths IS NOT NULL THEN 6 ELSE 0 END,
  CASE WHEN g.element_counts IS NOT NULL AND o.element IS NOT NULL THEN 5 WHEN g.bounds IS NOT NULL THEN 7 ELSE 0 END,
  CASE WHEN g.common IS NULL THEN 0 ELSE coalesce(o.eq, 0) END, CASE WHEN g.histogram IS NULL THEN 0 ELSE coalesce(o.lt, 0) END,
  CASE WHEN g.correlation IS NULL THEN 0 ELSE coalesce(o.lt, 0) END,
  CASE WHEN g.elements IS NOT NULL THEN coalesce(o.element_eq, 98) WHEN g.lengths IS NOT NULL THEN 672 ELSE 0 END,
  CASE WHEN g.element_counts IS NOT NULL THEN coalesce(o.element_eq, 0) ELSE 0 END,
  CASE WHEN g.common IS NULL OR o.eq IS NULL THEN 0 ELSE a.attcollation END,
  CASE WHEN g.histogram IS NULL OR o.lt IS NULL THEN 0 ELSE a.attcollation END,
  CASE WHEN g.correlation IS NULL OR o.lt IS NULL THEN 0 ELSE a.attcollation END,
  CASE WHEN g.elements IS NULL THEN 0 WHEN o.element IS NULL THEN 100 ELSE a.attcollation END,
  CASE WHEN g.element_counts IS NULL OR o.element IS NULL THEN 0 ELSE a.attcollation END,
  CASE WHEN o.eq IS NOT NULL THEN g.common_numbers::float4[] END, NULL,
  CASE WHEN o.lt IS NOT NULL AND g.correlation IS NOT NULL THEN ARRAY[g.correlation] END,
  CASE WHEN g.elements IS NOT NULL THEN g.element_numbers::float4[] WHEN g.lengths IS NOT NULL THEN ARRAY[coalesce(g.empty, 0)] END,
  CASE WHEN o.element IS NOT NULL THEN g.element_counts::float4[] END,
  CASE WHEN o.eq IS NOT NULL THEN array_in(textout(g.common), o.type, -1) END,
  CASE WHEN o.lt IS NOT NULL THEN array_in(textout(g.histogram), o.type, -1) END, NULL,
  CASE WHEN g.elements IS NOT NULL THEN array_in(textout(g.elements), coalesce(o.element, 25), -1)
       WHEN g.lengths IS NOT NULL THEN array_in(textout(g.lengths), 701, -1) END,
  CASE WHEN g.bounds IS NOT NULL AND g.element_counts IS NULL THEN array_in(textout(g.bounds), coalesce(r.rngtypid, o.type), -1) END
FROM given_statistics g
JOIN pg_attribute a ON a.attrelid = g.relation AND a.attnum = g.attribute
JOIN type_operators o ON o.declared = a.atttypid
LEFT JOIN pg_range r ON {multirange} = o.type
WHERE {which}"""


def restore(connection: Connection[Any], given: Mapping[tuple[int, int, bool], ColumnStatistics]) -> list[str]:
    """Writes statistics by (OID of the relation, number of the column, inherited). Returns sentences about what PostgreSQL did not take.

    The connection is a superuser's, in a transaction, with `allow_system_table_mods`.
    """
    import psycopg

    if not given:
        return []
    cursor = connection.cursor()
    cursor.execute(_GIVEN.encode())
    with cursor.copy(b"COPY given_statistics FROM STDIN") as copy:
        for number, ((relation, attribute, inherited), one) in enumerate(given.items()):
            copy.write_row((number, relation, attribute, inherited, *_texts(one)))
    cursor.execute(b"ANALYZE given_statistics")
    cursor.execute(_TYPES.encode())
    insert = _INSERT.replace("{multirange}", "r.rngmultitypid" if connection.info.server_version >= 140000 else "NULL::oid")
    lost = []
    try:
        with connection.transaction():
            cursor.execute(insert.replace("{which}", "true").encode())
    except psycopg.DataError:
        lost = _one_by_one(connection, insert, list(given.values()))
    cursor.execute(b"DROP TABLE given_statistics, type_operators")
    return lost


def _one_by_one(connection: Connection[Any], insert: str, given: list[ColumnStatistics]) -> list[str]:
    import psycopg

    lost = []
    for number, one in enumerate(given):
        try:
            with connection.transaction():
                connection.execute(insert.replace("{which}", f"g.number = {number}").encode())
        except psycopg.DataError as error:
            lost.append(f"statistics of {one.relation}.{one.column} are left out: {error.diag.message_primary}")
    return lost


def _texts(one: ColumnStatistics) -> tuple[Any, ...]:
    """The fields in the order of the table. Values and frequencies count only together (`get_attstatsslot`, lsyscache.c)."""
    common = one.most_common_vals if one.most_common_freqs is not None else None
    elements = one.most_common_elems if one.most_common_elem_freqs is not None else None
    return (
        one.null_frac,
        one.avg_width,
        one.n_distinct,
        common,
        one.most_common_freqs if common is not None else None,
        one.histogram_bounds,
        one.correlation,
        elements,
        one.most_common_elem_freqs if elements is not None else None,
        one.elem_count_histogram if elements is not None else None,
        one.range_length_histogram,
        one.range_empty_frac,
        one.range_bounds_histogram,
    )


def match(connection: Connection[Any], columns: Iterable[ColumnStatistics]) -> dict[tuple[int, int, bool], ColumnStatistics]:
    """Statistics by what they belong to in this database. Those of relations and columns that are not there are left out."""
    found = {}
    by_name = attributes(connection)
    for one in columns:
        key = by_name.get((one.relation, one.column))
        if key is not None:
            found[*key, one.inherited] = one
    return found


def attributes(connection: Connection[Any]) -> dict[tuple[Name, str], tuple[int, int]]:
    """OID and number of every column of every relation that can have statistics."""
    rows = connection.execute(_ATTRIBUTES.encode())
    return {(Name(schema, relation), column): (oid, number) for schema, relation, column, oid, number in rows}


_ATTRIBUTES = """
SELECT n.nspname::text, c.relname::text, a.attname::text, c.oid, a.attnum
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'i', 'I', 'f') AND c.oid >= 16384"""
