"""REINDEX, CLUSTER, VACUUM, ANALYZE and REFRESH MATERIALIZED VIEW."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.operations import Analyze, Cluster, Refresh, Reindex, Vacuum
from dbguard.model.postgres import LockMode, Server
from dbguard.model.schema import Index, Table
from dbguard.model.state import Effects, State
from dbguard.replay.effects.common import AS, AX, SUE, S, X, add, assumed, family, indexes_of, lock, lock_all, refused, schema_knows, stored_indexes
from dbguard.replay.effects.indexes import children_of
from dbguard.replay.effects.reading import read_all

_ALL_UNKNOWN = "tables that were not seen being created are worked on too"


def _reindex(reindex: Reindex, state: State, server: Server) -> Effects:
    """ExecReindex in src/backend/commands/indexcmds.c. What works on several tables commits after each of them."""
    if reindex.name is None or reindex.kind in {"schema", "database", "system"}:
        return _reindex_many(reindex, state)
    forbidden = Effects(transaction="forbidden") if reindex.concurrently else Effects()
    if reindex.kind == "index":
        return add(forbidden, _reindex_index(reindex, state, server))
    return add(forbidden, _reindex_table(reindex, state.table(reindex.name), state, server))


def _reindex_index(reindex: Reindex, state: State, server: Server) -> Effects:
    assert reindex.name is not None
    name = state.resolve(reindex.name)
    index = state.schema.find_index(name)
    if index is None:
        mode = SUE if reindex.concurrently else AX
        return Effects(locks=lock(mode, name), builds=(name,), unknown=(f"index `{name}` was not seen being created: its table is locked too",))
    table = state.table(index.table)
    if table.kind == "partitioned table":
        if not server.since(14):
            return refused("REINDEX of a partitioned index is known from PostgreSQL 14")
        parts = [found for found in children_of(index, state) if state.table(found.table).has_storage]
        on_table, on_index = (SUE, SUE) if reindex.concurrently else (S, AX)
        own = Effects(transaction="forbidden", locks=(*lock(on_table, table.name), *lock(on_index, name)))
        return add(own, _rebuild(parts, state, concurrently=reindex.concurrently))
    if reindex.concurrently and index.constraint is not None and _is_exclusion(table, index) and schema_knows(state.schema, table):
        return refused(f"index `{name}` of an exclusion constraint cannot be rebuilt concurrently")
    return _rebuild((index,), state, concurrently=reindex.concurrently)


def _reindex_table(reindex: Reindex, table: Table, state: State, server: Server) -> Effects:
    if table.kind != "partitioned table":
        return _rebuild_all(table, state, concurrently=reindex.concurrently)
    own = Effects(locks=lock(SUE if reindex.concurrently else S, table.name))  # for a moment
    if not server.since(14):  # only a warning: "REINDEX of partitioned tables is not yet implemented"
        return own
    parts = [child for child in state.schema.descendants(table.name) if child.has_storage]
    return add(own._replace(transaction="forbidden"), *(_rebuild_all(child, state, concurrently=reindex.concurrently) for child in parts))


def _reindex_many(reindex: Reindex, state: State) -> Effects:
    schema = reindex.name.name if reindex.kind == "schema" and reindex.name is not None else None
    tables = [table for table in state.schema.tables.values() if table.has_storage and schema in {None, table.name.schema}]
    if reindex.kind == "system":
        tables = []
    unknown = () if state.schema.complete else (_ALL_UNKNOWN,)
    parts = (_rebuild_all(table, state, concurrently=reindex.concurrently) for table in tables)
    return add(Effects(transaction="forbidden", unknown=unknown), *parts)


def _rebuild_all(table: Table, state: State, *, concurrently: bool) -> Effects:
    """Every index of one table; CONCURRENTLY leaves out those of exclusion constraints, with a warning."""
    passed_over = [index for index in table.indexes.values() if concurrently and _is_exclusion(table, index)]
    rebuilt = [index for index in table.indexes.values() if index not in passed_over]
    own = Effects(locks=(*lock(SUE if concurrently else S, table.name), *lock_all(SUE, passed_over)), unknown=assumed(table))
    return add(own, _rebuild(rebuilt, state, concurrently=concurrently))


def _rebuild(indexes: Iterable[Index], state: State, *, concurrently: bool) -> Effects:
    """SHARE on the table and ACCESS EXCLUSIVE on the index, so that queries that plan with it wait; or SHARE UPDATE EXCLUSIVE."""
    parts = []
    for index in indexes:
        on_table, on_index = (SUE, SUE) if concurrently else (S, AX)
        locks = (*lock(on_table, index.table), *lock(on_index, index.name))
        parts.append(Effects(locks=locks, builds=(index.name,), unknown=assumed(state.table(index.table))))
    return add(Effects(), *parts)


def _is_exclusion(table: Table, index: Index) -> bool:
    constraint = table.constraints.get(index.constraint or "")
    return constraint is not None and constraint.kind == "exclusion"


def _write_again(table: Table) -> Effects:
    """A new file for the table and all of its indexes (`rebuild_relation` and `finish_heap_swap` in cluster.c)."""
    indexes = stored_indexes((table,))
    locks = (*lock(AX, table.name), *lock_all(AX, indexes))
    return Effects(locks=locks, rewrites=(table.name,), builds=tuple(index.name for index in indexes), unknown=assumed(table))


def _cluster(cluster: Cluster, state: State, server: Server) -> Effects:
    """src/backend/commands/cluster.c; partitioned tables from 15."""
    if cluster.table is None:
        return Effects(transaction="forbidden", unknown=("every table that was clustered before is written again",))
    table = state.table(cluster.table)
    if table.kind != "partitioned table":
        return _write_again(table)
    if not server.since(15):
        return refused(f"`{table.name}` is partitioned: CLUSTER takes it from PostgreSQL 15")
    leaves = [child for child in state.schema.descendants(table.name) if child.has_storage]
    return add(Effects(transaction="forbidden", locks=lock(AX, table.name)), *map(_write_again, leaves))


def _vacuum(vacuum: Vacuum, state: State, server: Server) -> Effects:
    """src/backend/commands/vacuum.c: partitions are included, inheritance children from 18."""
    tables = _maintained(vacuum.tables, state, server)
    unknown = () if vacuum.tables or state.schema.complete else (_ALL_UNKNOWN,)
    forbidden = Effects(transaction="forbidden", unknown=unknown)
    if vacuum.full:
        return add(forbidden, *(_write_again(table) if table.has_storage else _touch(table, AX) for table in tables))
    read = _sampled_children(vacuum.tables, state, server) if vacuum.analyze else Effects()
    return add(forbidden, *(_touch(table, SUE) for table in tables), read)


def _analyze(analyze: Analyze, state: State, server: Server) -> Effects:
    """src/backend/commands/analyze.c."""
    tables = _maintained(analyze.tables, state, server)
    unknown = () if analyze.tables or state.schema.complete else (_ALL_UNKNOWN,)
    return add(Effects(unknown=unknown), *(_touch(table, SUE) for table in tables), _sampled_children(analyze.tables, state, server))


def _maintained(names: tuple[Name, ...], state: State, server: Server) -> list[Table]:
    """The tables that VACUUM or ANALYZE works on (`expand_vacuum_rel`); views are passed over with a warning."""
    kinds = {"table", "partitioned table", "materialized view", "foreign table"}
    if not names:
        return [table for table in state.schema.tables.values() if table.kind in kinds]
    found: dict[Name, Table] = {}
    for name in names:
        table = state.table(name)
        with_children = table.kind == "partitioned table" or (_has_children(state, table) and server.since(18))
        for one in family(state, name, only=not with_children):
            if one.kind in kinds:
                found[one.name] = one
    return list(found.values())


def _sampled_children(names: tuple[Name, ...], state: State, server: Server) -> Effects:
    """Before 18 inheritance children are only read for their parent's statistics (`acquire_inherited_sample_rows`)."""
    parents = [state.table(name) for name in names]
    plain = [table for table in parents if table.kind == "table" and _has_children(state, table)]
    if not plain or server.since(18):
        return Effects()
    return Effects(locks=tuple(one for table in plain for one in lock_all(AS, state.schema.descendants(table.name))))


def _has_children(state: State, table: Table) -> bool:
    return bool(state.schema.partitions(table.name))


def _touch(table: Table, mode: LockMode) -> Effects:
    return Effects(locks=lock(mode, table.name), unknown=assumed(table))


def _refresh(refresh: Refresh, state: State, server: Server) -> Effects:
    """RefreshMatViewByOid in src/backend/commands/matview.c."""
    view = state.table(refresh.name)
    if view.known and view.kind != "materialized view" and state.schema.complete:
        return refused(f"`{view.name}` is not a materialized view")
    reads = add(Effects(), *read_all(view.uses, state)) if view.uses is not None and refresh.with_data else Effects()
    if refresh.concurrently:
        if not refresh.with_data:
            return refused("REFRESH takes CONCURRENTLY or WITH NO DATA, not both")
        if schema_knows(state.schema, view) and not any(map(_serves_refresh, view.indexes.values())):
            return refused(f"`{view.name}` has no unique index on columns alone, for all rows")
        return add(Effects(locks=lock(X, view.name), unknown=assumed(view)), reads)
    again = _write_again(view) if refresh.with_data else Effects(locks=(*lock(AX, view.name), *lock_all(AX, indexes_of((view,)))))
    return add(again, reads)


def _serves_refresh(index: Index) -> bool:
    """is_usable_unique_index in src/backend/commands/matview.c."""
    return index.unique and index.valid and index.where is None and all(key.column is not None for key in index.keys)


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    Reindex: _reindex,
    Cluster: _cluster,
    Vacuum: _vacuum,
    Analyze: _analyze,
    Refresh: _refresh,
}
