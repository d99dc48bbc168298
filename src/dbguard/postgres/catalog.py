"""A server's catalog as plain values that can be compared with a replayed schema (`replay.describe`).

In: a psycopg connection. Out: a dictionary of the user's relations, sequences, enums and domains by complete name.
Objects of extensions are left out, and so are temporary ones. It reads only; `search_path` is set for the moment,
because `format_type` writes names as it finds them there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

_USER = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
_OWN = "NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{catalog}'::regclass AND e.objid = {oid} AND e.deptype = 'e')"

_KINDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "c": "composite type",
}
_CONSTRAINTS = {"c": "check", "u": "unique", "p": "primary key", "x": "exclusion", "f": "foreign key"}

_RELATIONS = f"""
SELECT c.oid, n.nspname || '.' || c.relname, c.relkind,
       (SELECT array_agg(pn.nspname || '.' || p.relname ORDER BY i.inhseqno)
        FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid),
       c.relispartition
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND {_USER} AND {_OWN.format(catalog="pg_class", oid="c.oid")}
  AND (c.reltype = 0 OR {_OWN.format(catalog="pg_type", oid="c.reltype")})
ORDER BY 2"""

_COLUMNS = """
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef, a.attgenerated, a.attidentity
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
ORDER BY a.attrelid, a.attnum"""

# A foreign key to a partitioned table has a further row per partition, whose parent stands on the same table.
_CONSTRAINTS_OF = """
SELECT c.conrelid, c.conname, c.contype, c.convalidated, {enforced}, c.condeferrable, c.condeferred,
       (SELECT array_agg(a.attname ORDER BY k.position) FROM unnest(c.conkey) WITH ORDINALITY AS k(number, position)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number),
       rn.nspname || '.' || r.relname,
       (SELECT array_agg(a.attname ORDER BY k.position) FROM unnest(c.confkey) WITH ORDINALITY AS k(number, position)
        JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number)
FROM pg_constraint c LEFT JOIN pg_class r ON r.oid = c.confrelid LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
LEFT JOIN pg_constraint above ON above.oid = c.conparentid
WHERE c.conrelid >= 16384 AND c.contype IN ('c', 'u', 'p', 'x', 'f') AND (above.oid IS NULL OR above.conrelid <> c.conrelid)
ORDER BY c.conname"""

_INDEXES = """
SELECT i.indrelid, c.relname, i.indisunique, i.indisvalid, i.indpred IS NOT NULL, m.amname, i.indnkeyatts,
       (SELECT array_agg(a.attname ORDER BY k.position) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, position)
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND a.attnum <> 0),
       pn.nspname || '.' || p.relname
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
LEFT JOIN pg_inherits h ON h.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = h.inhparent LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE i.indrelid >= 16384 ORDER BY c.relname"""

_TRIGGERS = 'SELECT tgrelid, array_agg(tgname::text ORDER BY tgname::text COLLATE "C") FROM pg_trigger WHERE NOT tgisinternal GROUP BY 1'
_POLICIES = 'SELECT polrelid, array_agg(polname::text ORDER BY polname::text COLLATE "C") FROM pg_policy GROUP BY 1'

_SEQUENCES = f"""
SELECT n.nspname || '.' || c.relname, tn.nspname || '.' || t.relname, a.attname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
     AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_class t ON t.oid = d.refobjid LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE c.relkind = 'S' AND {_USER} AND {_OWN.format(catalog="pg_class", oid="c.oid")} ORDER BY 1"""

_ENUMS = f"""
SELECT n.nspname || '.' || t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FILTER (WHERE e.oid IS NOT NULL)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_enum e ON e.enumtypid = t.oid
WHERE t.typtype = 'e' AND {_USER} AND {_OWN.format(catalog="pg_type", oid="t.oid")} GROUP BY 1 ORDER BY 1"""

_DOMAINS = f"""
SELECT n.nspname || '.' || t.typname, format_type(t.typbasetype, t.typtypmod), t.typnotnull,
       (SELECT array_agg(c.conname::text ORDER BY c.conname::text COLLATE "C") FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c')
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND {_USER} AND {_OWN.format(catalog="pg_type", oid="t.oid")} ORDER BY 1"""


def read_schema(connection: Connection[Any]) -> dict[str, dict[str, Any]]:
    """The user's schema. Inside a transaction it sees what that transaction did."""
    path = connection.execute("SELECT current_setting('search_path')").fetchone()
    connection.execute("SELECT set_config('search_path', '', false)")
    try:
        return {
            "relations": _relations(connection),
            "sequences": {name: {"owner": None if table is None else (table, column)} for name, table, column in _rows(connection, _SEQUENCES)},
            "enums": {name: {"labels": labels or []} for name, labels in _rows(connection, _ENUMS)},
            "domains": {
                name: {"base": base, "not_null": not_null, "checks": checks or []} for name, base, not_null, checks in _rows(connection, _DOMAINS)
            },
        }
    finally:
        connection.execute("SELECT set_config('search_path', %s, false)", path)


def _relations(connection: Connection[Any]) -> dict[str, dict[str, Any]]:
    by_oid: dict[int, dict[str, Any]] = {}
    found: dict[str, dict[str, Any]] = {}
    for oid, name, kind, parents, is_partition in _rows(connection, _RELATIONS):
        by_oid[oid] = found[name] = {
            "kind": _KINDS[kind],
            "order": [],
            "columns": {},
            "parent": parents[0] if is_partition and parents else None,
            "inherits": [] if is_partition else parents or [],
            "constraints": {},
            "indexes": {},
            "triggers": [],
            "policies": [],
        }
    _add_columns(connection, by_oid)
    _add_constraints(connection, by_oid)
    _add_indexes(connection, by_oid)
    for key, query in (("triggers", _TRIGGERS), ("policies", _POLICIES)):
        for oid, names in _rows(connection, query):
            if oid in by_oid:
                by_oid[oid][key] = names
    return found


def _add_columns(connection: Connection[Any], by_oid: dict[int, dict[str, Any]]) -> None:
    generated = {"": "", "s": "stored", "v": "virtual"}
    identity = {"": "", "a": "always", "d": "by default"}
    for oid, name, data_type, not_null, has_default, kind, identifies in _rows(connection, _COLUMNS):
        if oid in by_oid:
            by_oid[oid]["order"].append(name)
            by_oid[oid]["columns"][name] = {
                "type": data_type,
                "not_null": not_null,
                "default": has_default and not kind,
                "generated": generated[kind],
                "identity": identity[identifies],
            }


def _add_constraints(connection: Connection[Any], by_oid: dict[int, dict[str, Any]]) -> None:
    enforced = "c.conenforced" if connection.info.server_version >= 180000 else "true"
    for oid, name, kind, valid, is_enforced, deferrable, deferred, columns, references, referenced in _rows(
        connection, _CONSTRAINTS_OF.format(enforced=enforced)
    ):
        if oid in by_oid:
            by_oid[oid]["constraints"][name] = {
                "kind": _CONSTRAINTS[kind],
                "columns": sorted(columns or []) if kind == "c" else columns,
                "valid": valid,
                "enforced": is_enforced,
                "references": references,
                "referenced_columns": referenced,
                "deferrable": deferrable,
                "deferred": deferred,
            }


def _add_indexes(connection: Connection[Any], by_oid: dict[int, dict[str, Any]]) -> None:
    for oid, name, unique, valid, partial, method, keys, columns, parent in _rows(connection, _INDEXES):
        if oid in by_oid:
            by_oid[oid]["indexes"][name] = {
                "columns": columns[:keys],
                "include": columns[keys:],
                "unique": unique,
                "valid": valid,
                "partial": partial,
                "method": method,
                "parent": parent,
            }


def _rows(connection: Connection[Any], query: str) -> Iterable[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()
