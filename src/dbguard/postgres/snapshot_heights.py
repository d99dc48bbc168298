"""Heights of btrees: a connection and relations in, relations with `height` out.

A superuser with the extension pageinspect reads the metapage. Everybody else asks the planner: the start of an index scan costs
ceil(log2(tuples)) + 50 * (height + 1) operators (btcostestimate of src/backend/utils/adt/selfuncs.c), so that plain EXPLAIN of a
table in the order of an index tells the height. Only large trees are asked for: of the others the pages tell enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log2
from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name, quote
from dbguard.model.snapshot import Relation
from dbguard.postgres.snapshot_relations import USER

if TYPE_CHECKING:
    from psycopg import Connection

LEAST_PAGES = 100
MOST_INDEXES = 600
_AT_ONCE = 40
_PAGE_OPERATORS = 50  # DEFAULT_PAGE_CPU_MULTIPLIER

_PAGEINSPECT = """
SELECT n.nspname::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pageinspect' AND (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)"""

# Predicates and expressions with functions of users are left alone: the planner could run them.
_ORDERS = f"""
SELECT i.indexrelid, n.nspname, c.relname, pg_catalog.pg_get_expr(i.indpred, i.indrelid),
       (SELECT pg_catalog.string_agg(
                   pg_catalog.pg_get_indexdef(i.indexrelid, k, false)
                   || CASE WHEN pg_catalog.pg_index_column_has_property(i.indexrelid, k, 'desc') THEN ' DESC' ELSE '' END
                   || CASE WHEN pg_catalog.pg_index_column_has_property(i.indexrelid, k, 'nulls_first') THEN ' NULLS FIRST' ELSE ' NULLS LAST' END,
                   ', ' ORDER BY k)
        FROM pg_catalog.generate_series(1, i.indnkeyatts::int) AS k)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.indexrelid = ANY(%s::oid[]) AND i.indisvalid AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT c.relrowsecurity AND {USER.replace("%", "%%")}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
                  AND d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid >= 16384)"""
_PLANNER = (
    "SET LOCAL cpu_operator_cost = 1; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off;"
    " SET LOCAL enable_incremental_sort = off"
)


def with_heights(connection: Connection[Any], relations: Mapping[int, Relation]) -> dict[int, Relation]:
    """The same relations by OID. Where nobody tells, `height` stays None."""
    trees = {oid: one for oid, one in relations.items() if one.kind == "i" and one.method == "btree"}
    schema = connection.execute(_PAGEINSPECT).fetchone()
    if schema is not None:
        heights = _from_pages(connection, quote(schema[0]), trees)
    else:
        large = sorted((oid for oid, one in trees.items() if one.pages >= LEAST_PAGES), key=lambda oid: -trees[oid].pages)
        heights = _from_planner(connection, large[:MOST_INDEXES], relations)
    return {oid: one._replace(height=heights[oid]) if oid in heights else one for oid, one in relations.items()}


def _from_pages(connection: Connection[Any], schema: str, trees: Mapping[int, Relation]) -> dict[int, int]:
    query = f"SELECT c.oid, (SELECT m.fastlevel FROM {schema}.bt_metap(c.oid::regclass::text) AS m) FROM pg_catalog.unnest(%s::oid[]) AS c(oid)"
    rows = _attempt(connection, query, [list(trees)])
    return {oid: int(level) for oid, level in rows[0]} if rows else {}


def _from_planner(connection: Connection[Any], oids: Sequence[int], relations: Mapping[int, Relation]) -> dict[int, int]:
    if not oids:
        return {}
    by_name = {relations[oid].name: oid for oid in oids}
    tuples = {one.name: one.tuples for one in relations.values() if one.kind != "t"}
    asked = {}
    for oid, namespace, table, predicate, order in connection.execute(_ORDERS.encode(), [list(oids)]):
        where = f" WHERE {predicate}" if predicate else ""
        asked[oid] = f"EXPLAIN (FORMAT JSON) SELECT FROM ONLY {quote(namespace)}.{quote(table)}{where} ORDER BY {order}"
    heights: dict[int, int] = {}
    waiting = list(asked)
    for at in range(0, len(waiting), _AT_ONCE):
        some = waiting[at : at + _AT_ONCE]
        plans = _explained(connection, [asked[oid] for oid in some])
        for oid, plan in zip(some, plans, strict=True):
            name = Name(relations[oid].name.schema, plan.get("Index Name", ""))
            if plan.get("Node Type") in {"Index Scan", "Index Only Scan"} and name in by_name:
                rows = tuples.get(relations[oid].table or name, 0.0)
                height = round((plan["Startup Cost"] - ceil(log2(rows) if rows > 1 else 0)) / _PAGE_OPERATORS) - 1
                if 0 <= height < 12:
                    heights[by_name[name]] = height
    return heights


def _explained(connection: Connection[Any], statements: Sequence[str]) -> list[dict[str, Any]]:
    """The top nodes of plans. If one of several fails they are asked one by one; {} stands for one that does."""
    found = _attempt(connection, "; ".join((_PLANNER, *statements)))
    if len(found) == len(statements):
        return [rows[0][0][0]["Plan"] for rows in found]
    if len(statements) == 1:
        return [{}]
    return [plan for statement in statements for plan in _explained(connection, [statement])]


def _attempt(connection: Connection[Any], text: str, parameters: Sequence[Any] | None = None) -> list[list[tuple[Any, ...]]]:
    """The results of statements that give rows; none if one failed, be it for a lock or a right. The settings go with the savepoint."""
    import psycopg

    found: list[list[tuple[Any, ...]]] = []
    try:
        with connection.transaction(force_rollback=True):
            cursor = connection.execute(text.encode(), parameters)
            while True:
                if cursor.description is not None:
                    found.append(cursor.fetchall())
                if not cursor.nextset():
                    return found
    except (psycopg.OperationalError, psycopg.ProgrammingError, psycopg.DataError, psycopg.InternalError, psycopg.NotSupportedError):
        if connection.closed:
            raise
        return []
