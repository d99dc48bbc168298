"""How large indexes would be that do not exist in production: new indexes of a changed ghost in, their `Size` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

from dbguard.model.record import Record
from dbguard.postgres.ghost.pages import align
from dbguard.postgres.ghost.sizes import Size, Stored
from dbguard.postgres.roles import Access

if TYPE_CHECKING:
    from psycopg import Connection

_PAGE = 8152.0  # usable bytes of a page of a btree
_FILL = 0.9  # BTREE_DEFAULT_FILLFACTOR (nbtree.h)
_GUESS = 0.3  # share of rows that a predicate leaves, where the planner could not be asked
_ALIGNMENTS = {"c": 1, "s": 2, "i": 4, "d": 8}


class Column(Record):
    length: int  # pg_attribute.attlen: -1 if it varies
    alignment: str
    width: float | None  # stawidth
    distinct: float | None  # stadistinct
    nulls: float


class Index(Record):
    oid: int
    table: int
    method: str
    is_unique: bool
    has_included: bool
    predicate: str | None
    table_name: str
    columns: tuple[Column, ...]
    fill: float = _FILL


def measure(connection: Connection[Any], access: Access, running: str, here: Iterable[Stored], known: Mapping[int, Size]) -> dict[int, Size]:
    """Sizes of the indexes that have none yet and whose table has one. `running` is the database that is asked about predicates."""
    new = [one.oid for one in here if one.kind in "iI" and one.oid not in known and one.table in known]
    if not new:
        return {}
    connection.execute(_EXPRESSIONS.encode(), (new,))
    indexes = _indexes(connection, new)
    rows = _rows(indexes, known, access, running)
    found = {}
    for index in indexes:
        pages = index_pages(index, rows[index.oid], known[index.table].pages)
        found[index.oid] = Size(pages, max(rows[index.oid], 0.0))
    return found


def _indexes(connection: Connection[Any], oids: list[int]) -> list[Index]:
    columns: dict[int, list[Column]] = {}
    found: dict[int, Index] = {}
    for oid, table, method, unique, included, predicate, name, fill, *column in connection.execute(_NEW.encode(), (oids,)):
        columns.setdefault(oid, []).append(Column(*column))
        found[oid] = Index(oid, table, method, unique, included, predicate, name, tuple(columns[oid]), (fill or 90) / 100)
    return list(found.values())


def _rows(indexes: list[Index], known: Mapping[int, Size], access: Access, running: str) -> dict[int, float]:
    """Rows in each index: those of its table, or what the planner expects of its predicate."""
    import psycopg

    from dbguard.postgres.ghost.roles import caller_dsn

    rows = {index.oid: max(known[index.table].tuples, 0.0) for index in indexes}
    partial = [index for index in indexes if index.predicate is not None]
    if not partial:
        return rows
    with psycopg.connect(caller_dsn(access, running), autocommit=True) as connection:
        for index in partial:
            try:
                row = connection.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM ONLY {index.table_name} WHERE {index.predicate}".encode()).fetchone()
                estimate = float(row[0][0]["Plan"]["Plan Rows"]) if row is not None else 0.0
            except psycopg.Error:
                estimate = rows[index.oid] * _GUESS
            rows[index.oid] = min(rows[index.oid], estimate)
    return rows


def index_pages(index: Index, rows: float, table_pages: int) -> int:
    """Pages of an index just built. For a btree: entries of 8 bytes and the key, with equal keys stored once and 6 bytes for each row
    (deduplication, nbtdedup.c), on pages filled as far as fillfactor says. For others a share of their usual size; they are not compressible
    to a formula.
    """
    if rows <= 0:
        return 1
    key = 0.0
    distinct = 1.0
    for column in index.columns:
        width = column.length if column.length > 0 else (column.width or 16.0)
        if column.length > 0:
            key = align(int(key), _ALIGNMENTS[column.alignment])
        key += width * (1 - column.nulls)
        values = column.distinct or -1.0
        distinct = min(rows, distinct * max(1.0, values if values > 0 else -values * rows))
    entry = align(8 + ceil(key), 8) + 4.0
    match index.method:
        case "btree":
            plain = rows * entry
            can_share = not index.is_unique and not index.has_included
            size = min(plain, 6 * rows + distinct * entry) if can_share and distinct < rows / 2 else plain
            leaves = ceil(size / (_PAGE * index.fill))
            return 1 + leaves + ceil(leaves / 200) if leaves > 1 else 2
        case "hash":
            return 2 + ceil(rows / 307) + ceil(rows / 307 / 8)  # entries of 20 bytes, 75 % full (hash.h)
        case "brin":
            return 3 + ceil(table_pages / 128 * (align(16 + 2 * ceil(key), 8) + 4) / _PAGE)
        case "gin":
            return 2 + ceil(rows * 12 / _PAGE)
        case _:
            return 1 + ceil(rows * (entry + 8) / (_PAGE * 0.7))


# Statistics of an index's only expression, where it is made of one column and the predicate of no other: it has at most as many values as that
# column. Without them the planner takes every expression to have 200 (DEFAULT_NUM_DISTINCT, selfuncs.h).
_EXPRESSIONS = """
INSERT INTO pg_catalog.pg_statistic (starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct,
  stakind1, stakind2, stakind3, stakind4, stakind5, staop1, staop2, staop3, staop4, staop5, stacoll1, stacoll2, stacoll3, stacoll4, stacoll5)
SELECT i.indexrelid, (SELECT min(k.position) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position) WHERE k.attnum = 0), false,
  s.stanullfrac, s.stawidth, s.stadistinct, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
FROM pg_index i CROSS JOIN LATERAL (
  SELECT min(d.refobjsubid) AS number, count(DISTINCT d.refobjsubid) AS many FROM pg_depend d
  WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid
    AND d.refobjsubid > 0 AND NOT d.refobjsubid = ANY (i.indkey::int2[])) c
JOIN pg_statistic s ON s.starelid = i.indrelid AND s.staattnum = c.number AND NOT s.stainherit
WHERE i.indexrelid = ANY (%s) AND c.many = 1 AND i.indexprs IS NOT NULL
  AND (SELECT count(*) FROM unnest(i.indkey::int2[]) AS k(attnum) WHERE k.attnum = 0) = 1"""
_NEW = """
SELECT i.indexrelid, i.indrelid, m.amname::text, i.indisunique, i.indnatts > i.indnkeyatts, pg_get_expr(i.indpred, i.indrelid),
  pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
  (SELECT substr(o, 12)::int FROM unnest(x.reloptions) o WHERE o LIKE 'fillfactor=%%'),
  a.attlen, a.attalign::text, coalesce(t.stawidth, e.stawidth), coalesce(t.stadistinct, e.stadistinct), coalesce(t.stanullfrac, e.stanullfrac, 0)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = k.position
LEFT JOIN pg_statistic t ON t.starelid = i.indrelid AND t.staattnum = k.attnum AND NOT t.stainherit
LEFT JOIN pg_statistic e ON e.starelid = i.indexrelid AND e.staattnum = k.position AND NOT e.stainherit
WHERE i.indexrelid = ANY (%s) ORDER BY i.indexrelid, k.position"""
