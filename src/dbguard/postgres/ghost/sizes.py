"""How large every relation of the ghost is: the catalog and the snapshot in, `Size` by OID and `File` values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.snapshot import Relation
from dbguard.postgres.ghost.files import MOST_BLOCKS, SEGMENT_BLOCKS, File
from dbguard.postgres.ghost.pages import align, btree_level

if TYPE_CHECKING:
    from psycopg import Connection

MOST_SEGMENTS = 20_000  # 20 TB in files of 1 GB: every process that plans opens all files of a table
_MOST_TUPLES = 1e15
FIRST_OID = 16384  # FirstNormalObjectId (transam.h)


class Size(Record):
    """What the ghost says of one relation."""

    pages: int
    tuples: float = -1.0
    all_visible: int = 0
    all_frozen: int = 0
    level: int | None = None  # of a btree; None: to be derived
    analyzed_pages: int | None = None  # pg_class.relpages, where it is not the number of pages


class Stored(Record):
    """A relation with storage, or the parent of such, in this database."""

    oid: int
    name: Name
    kind: str
    node: str  # file name, empty if there is none
    method: str
    table: int  # of an index
    owner: Name | None  # of a TOAST table


def stored(connection: Connection[Any], after: int = FIRST_OID - 1) -> list[Stored]:
    """Relations of users, or those of them whose OID is larger than `after`."""
    rows = connection.execute(_STORED.encode(), (after,))
    return [
        Stored(oid, Name(schema, name), kind, path.rpartition("/")[2] if path else "", method, table, Name(owner_schema, owner) if owner else None)
        for oid, schema, name, kind, path, method, table, owner_schema, owner in rows
    ]


_STORED = """
SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, pg_relation_filepath(c.oid), coalesce(m.amname::text, ''), coalesce(i.indrelid, 0),
       p.nspname::text, o.relname::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_am m ON m.oid = c.relam AND c.relkind IN ('i', 'I')
LEFT JOIN pg_class o ON c.relkind = 't' AND o.reltoastrelid = c.oid LEFT JOIN pg_namespace p ON p.oid = o.relnamespace
WHERE c.oid > %s::int8 AND c.relkind IN ('r', 'p', 'i', 'I', 'm', 't', 'f') AND c.relpersistence <> 't' ORDER BY c.oid"""


def wanted(relations: Iterable[Relation], here: Iterable[Stored], major: int, taken_on: int) -> tuple[dict[int, Size], list[str]]:
    """Sizes by OID, and sentences about relations of the snapshot that are not here."""
    tables = {one.name: one.oid for one in here if one.kind != "t"}
    toast = {one.owner: one.oid for one in here if one.kind == "t"}
    sizes: dict[int, Size] = {}
    missing = []
    segments = 0
    for relation in relations:
        oid = (toast if relation.kind == "t" else tables).get(relation.name)
        if oid is None:
            if relation.kind != "t":
                missing.append(f"{relation.name} is not in the ghost")
            continue
        pages = min(max(relation.pages, 0), MOST_BLOCKS)
        segments += pages // SEGMENT_BLOCKS
        if segments > MOST_SEGMENTS:
            missing.append(f"{relation.name} and what comes after it are too large to be shown in full: more than {MOST_SEGMENTS} GB together")
            pages = min(pages, SEGMENT_BLOCKS)
        sizes[oid] = Size(
            pages,
            _tuples(relation, major, taken_on),
            min(max(relation.all_visible, 0), pages),
            min(max(relation.all_frozen, 0), pages),
            relation.height,
            relation.analyzed_pages,
        )
    return sizes, missing


def _tuples(relation: Relation, major: int, taken_on: int) -> float:
    """reltuples. A table that was never analyzed has 0 before PostgreSQL 14 and -1 from then on (release notes of 14)."""
    tuples = relation.tuples if isfinite(relation.tuples) else -1.0
    if taken_on < 14 <= major and tuples == 0 and relation.pages == 0:
        return -1.0
    if major < 14 and tuples < 0:
        return 0.0
    return min(max(tuples, -1.0), _MOST_TUPLES)


def write_sizes(connection: Connection[Any], sizes: Mapping[int, Size]) -> None:
    """Sizes into pg_class, as ANALYZE and VACUUM would write them."""
    has_frozen = connection.info.server_version >= 180000
    cursor = connection.cursor()
    cursor.execute(b"CREATE TEMP TABLE given_sizes (relation oid, pages int4, tuples float4, visible int4, frozen int4)")
    with cursor.copy(b"COPY given_sizes FROM STDIN") as copy:
        for oid, size in sizes.items():
            pages = size.pages if size.analyzed_pages is None else min(max(size.analyzed_pages, 0), MOST_BLOCKS)
            copy.write_row((oid, pages, size.tuples, size.all_visible, size.all_frozen))
    frozen = ", relallfrozen = g.frozen" if has_frozen else ""
    cursor.execute(
        f"UPDATE pg_catalog.pg_class c SET relpages = CASE WHEN relkind IN ('p', 'I') THEN relpages ELSE g.pages END, reltuples = g.tuples,"
        f" relallvisible = g.visible{frozen} FROM given_sizes g WHERE c.oid = g.relation".encode()
    )
    cursor.execute(b"DROP TABLE given_sizes")


def files(connection: Connection[Any], here: Iterable[Stored], sizes: Mapping[int, Size]) -> list[File]:
    """What becomes of the files of the relations that have a size."""
    here = list(here)
    keys = key_bytes(connection, min((one.oid for one in here), default=FIRST_OID))
    found = []
    for one in here:
        size = sizes.get(one.oid)
        if size is None or not one.node or size.pages == 0:
            continue
        level = 0
        if one.method == "btree":
            level = size.level if size.level is not None else btree_level(size.pages, keys.get(one.oid, 8.0))
        table = sizes.get(one.table)
        found.append(File(one.node, size.pages, one.method, level, table.pages if table is not None and one.method == "brin" else 0))
    return found


def key_bytes(connection: Connection[Any], first: int = FIRST_OID) -> dict[int, float]:
    """Mean bytes of the keys that separate pages of each btree: as many columns as it takes to tell them apart (`_bt_truncate`, nbtutils.c)."""
    columns: dict[int, list[tuple[int, str, int | None, float | None, float]]] = {}
    for index, length, alignment, width, distinct, tuples in connection.execute(_KEYS.encode(), (first,)):
        columns.setdefault(index, []).append((length, alignment, width, distinct, tuples))
    return {index: _separator(rows) for index, rows in columns.items()}


def _separator(columns: list[tuple[int, str, int | None, float | None, float]]) -> float:
    """Mean bytes of the keys that separate pages: the first column, and each further one as often as neighbours are equal up to there."""
    size, distinct, need, mean = 0, 1.0, 1.0, 0.0
    for length, alignment, width, n_distinct, tuples in columns:
        before = align(size, 8)
        size = align(size, _ALIGNMENTS[alignment]) + length if length > 0 else size + (width or 16)
        mean += need * (align(size, 8) - before)
        values = n_distinct or -1.0  # negative: as a share of the rows
        distinct *= max(1.0, values if values > 0 else -values * tuples)
        need = max(0.0, 1 - distinct / max(tuples, 1.0))
    return mean + need * 8  # the heap TID tells equal keys apart


_ALIGNMENTS = {"c": 1, "s": 2, "i": 4, "d": 8}
_KEYS = """
SELECT i.indexrelid, a.attlen, a.attalign::text, coalesce(t.stawidth, e.stawidth), coalesce(t.stadistinct, e.stadistinct), c.reltuples
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = k.position
LEFT JOIN pg_statistic t ON t.starelid = i.indrelid AND t.staattnum = k.attnum AND NOT t.stainherit
LEFT JOIN pg_statistic e ON e.starelid = i.indexrelid AND e.staattnum = k.position AND NOT e.stainherit
WHERE k.position <= i.indnkeyatts AND i.indexrelid >= %s::int8 ORDER BY i.indexrelid, k.position"""
