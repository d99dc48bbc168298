"""Sizes of relations: a connection in, `Relation` values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.snapshot import Relation

if TYPE_CHECKING:
    from psycopg import Connection

USER = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_%'"
)

# The file system is asked, as the planner asks it. Who holds ACCESS EXCLUSIVE on a relation would be waited for: those are left out.
_RELATIONS = f"""
WITH locked AS (
    SELECT l.relation FROM pg_catalog.pg_locks l
    WHERE l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation'
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
      AND l.pid <> pg_catalog.pg_backend_pid()
)
SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.reltuples, c.relallvisible, {{frozen}}, coalesce(m.amname, ''),
       i.indrelid, o.oid, c.relpages, l.relation IS NOT NULL,
       CASE WHEN l.relation IS NULL AND c.relkind IN ('r', 'i', 'm', 't')
            THEN pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int END,
       CASE WHEN l.relation IS NULL AND c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid)
            WHEN l.relation IS NULL AND c.relkind IN ('i', 't') THEN pg_catalog.pg_total_relation_size(c.oid) END
FROM pg_catalog.pg_class c
LEFT JOIN pg_catalog.pg_class o ON c.relkind = 't' AND o.reltoastrelid = c.oid
JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(o.relnamespace, c.relnamespace)
LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam AND c.relkind IN ('i', 'I')
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid AND c.relkind IN ('i', 'I')
LEFT JOIN locked l ON l.relation = c.oid
WHERE c.relkind IN ('r', 'p', 'i', 'I', 'm', 'f', 't') AND c.relpersistence <> 't' AND {USER}
  AND (c.relkind <> 't' OR o.oid IS NOT NULL)
ORDER BY c.oid"""


class Measured(Record):
    """Relations, by OID too."""

    by_oid: dict[int, Relation]
    hidden: tuple[str, ...]


def read_relations(connection: Connection[Any]) -> Measured:
    """All relations of users that have pages, or are made of those that have."""
    frozen = "c.relallfrozen" if connection.info.server_version >= 180000 else "0"
    rows = connection.execute(_RELATIONS.format(frozen=frozen).encode()).fetchall()
    names = {row[0]: Name(row[1], row[2]) for row in rows}
    found: dict[int, Relation] = {}
    hidden = []
    for oid, _, _, kind, tuples, visible, all_frozen, method, table, owner, analyzed, locked, blocks, size in rows:
        pages = int(analyzed if blocks is None and kind not in "pI" else blocks or 0)
        found[oid] = Relation(
            name=names[owner] if kind == "t" else names[oid],
            kind=kind,
            pages=pages,
            tuples=float(tuples),
            all_visible=visible,
            all_frozen=all_frozen,
            method=method,
            table=names.get(table),
            relation_bytes=int(size or 0),
            analyzed_pages=None if kind in "pIf" or analyzed == pages else analyzed,
        )
        if locked:
            hidden.append(f"{names[oid]}: locked at that moment, so its size is the one of the last VACUUM or ANALYZE")
    return Measured(found, tuple(hidden))
