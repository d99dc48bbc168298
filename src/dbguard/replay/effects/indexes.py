"""CREATE INDEX, DROP INDEX and ALTER INDEX ATTACH PARTITION."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dbguard.model.keys import IndexKey
from dbguard.model.names import Name
from dbguard.model.operations import AttachIndexPartition, CreateIndex, DropIndex
from dbguard.model.postgres import LockMode, Server
from dbguard.model.schema import Index, Schema, Table
from dbguard.model.sql import chosen_index_name
from dbguard.model.state import Effects, State
from dbguard.replay.advance.dependents import references_to_key
from dbguard.replay.advance.draft import Draft
from dbguard.replay.effects.common import AS, AX, SUE, S, add, assumed, family, lock, lock_all, refused, schema_knows


def _create_index(index: CreateIndex, state: State, server: Server) -> Effects:
    """DefineIndex in src/backend/commands/indexcmds.c; manual, CREATE INDEX, Building Indexes Concurrently."""
    table = state.table(index.table)
    transaction = "forbidden" if index.concurrently else "allowed"
    mode = SUE if index.concurrently and table.persistence != "temporary" else S
    reason = _refusal(index, table, state, server)
    if reason is not None:
        return Effects(fails=reason, transaction=transaction)
    tables = family(state, table.name, only=index.only or table.kind != "partitioned table")
    locked = Effects(locks=lock_all(mode, tables), transaction=transaction, unknown=assumed(table))
    name = Name(table.name.schema, chosen_index_name(index, table))
    if index.name is not None and index.if_not_exists and _is_taken(state.schema, name):
        return locked
    if table.kind != "partitioned table":
        return locked._replace(builds=(name,))
    if index.only:
        return locked
    return add(locked, *_on_partitions(index, table, name, state))


def _refusal(index: CreateIndex, table: Table, state: State, server: Server) -> str | None:
    if index.nulls_not_distinct and not server.since(15):
        return "NULLS NOT DISTINCT needs PostgreSQL 15"
    if not schema_knows(state.schema, table):
        return None
    if table.kind not in {"table", "partitioned table", "materialized view"}:
        return f"`{table.name}` is a {table.kind}, which has no indexes"
    if table.kind == "partitioned table":
        if index.concurrently:
            return f"`{table.name}` is partitioned: its index cannot be built concurrently"
        below = (table, *state.schema.descendants(table.name))
        if index.unique and not all(_covers_partition_key(index, one) for one in below):
            return f"a unique index of `{table.name}` must have every column of its partition key"
    if index.name is not None and not index.if_not_exists and _is_taken(state.schema, Name(table.name.schema, index.name)):
        return f"a relation `{index.name}` exists"
    return None


def _is_taken(schema: Schema, name: Name) -> bool:
    return name in schema.index_tables or name in schema.tables or name in schema.sequences


def _covers_partition_key(index: CreateIndex, table: Table) -> bool:
    partition = table.partition_by
    if partition is None or any(key.column is None for key in partition.keys):
        return partition is None
    return {key.column for key in index.keys} >= {key.column for key in partition.keys}


def _on_partitions(index: CreateIndex, parent: Table, name: Name, state: State) -> Iterator[Effects]:
    """Every partition gets the index, unless it has an equal one that is still free: that one is attached, and locked."""
    for child in state.schema.partitions(parent.name):
        same = next((found for found in child.indexes.values() if found.parent is None and _is_same(found, index)), None)
        if same is not None:
            yield Effects(locks=lock(S, same.name))
            continue
        own = index._replace(table=child.name, name=None)
        if child.kind == "partitioned table":
            yield from _on_partitions(own, child, name, state)
        elif child.has_storage:
            yield Effects(builds=(Name(child.name.schema, chosen_index_name(own, child)),))


def _is_same(found: Index, index: CreateIndex) -> bool:
    """CompareIndexInfo in src/backend/catalog/index.c, which does not look at the order."""
    if (found.method, found.unique, found.include) != (index.method, index.unique, index.include):
        return False
    if (found.where is None) != (index.where is None) or (found.where and index.where and found.where.tree != index.where.tree):
        return False
    return found.valid and [_identity(key) for key in found.keys] == [_identity(key) for key in index.keys]


def _identity(key: Any) -> tuple[object, ...]:
    return (key.column, key.expression.tree if key.expression is not None else None, key.collation, key.opclass)


def _drop_index(drop: DropIndex, state: State, server: Server) -> Effects:
    """RemoveRelations in src/backend/commands/tablecmds.c, index_drop in src/backend/catalog/index.c."""
    found = [(name, state.schema.find_index(state.resolve(name))) for name in drop.names]
    if drop.concurrently:
        reason = _concurrent_refusal(drop, [index for _, index in found], state)
        if reason is not None:
            return Effects(fails=reason, transaction="forbidden")
    parts = []
    for name, index in found:
        if index is None:
            parts.append(_drop_unknown(drop, state, state.resolve(name)))
            continue
        if state.table(index.table).known:
            reason = _drop_refusal(index, drop, state)
            if reason is not None:
                return Effects(fails=reason, transaction="forbidden" if drop.concurrently else "allowed")
        parts.append(_drop_one(index, state, concurrently=drop.concurrently))
        if drop.cascade:
            parts.append(Effects(locks=lock_all(AX, (table for table, _ in references_to_key(Draft(state), index)))))
    return add(Effects(transaction="forbidden" if drop.concurrently else "allowed"), *parts)


def _drop_one(index: Index, state: State, *, concurrently: bool) -> Effects:
    """Without CONCURRENTLY the table is locked against everything, with all partitions if the index is a partitioned one."""
    table = state.table(index.table)
    if concurrently and table.persistence != "temporary":  # the index itself, when nobody uses it any more
        return Effects(locks=(*lock(SUE, table.name), *lock(AX, index.name)), unknown=assumed(table))
    tables = (table, *(state.schema.descendants(table.name) if table.kind == "partitioned table" else ()))
    return Effects(locks=(*lock_all(AX, tables), *lock_all(AX, (index, *children_of(index, state)))), unknown=assumed(table))


def children_of(index: Index, state: State) -> Iterator[Index]:
    """Indexes of partitions that are attached to a partitioned index, at every level."""
    for child in state.schema.partitions(index.table):
        for found in child.indexes.values():
            if found.parent == index.name:
                yield found
                yield from children_of(found, state)


def _drop_unknown(drop: DropIndex, state: State, name: Name) -> Effects:
    """An index that was not seen being created: its table is not known either."""
    if state.schema.complete and drop.if_exists:
        return Effects()
    mode: LockMode = AX
    sentence = f"index `{name}` was not seen being created: it and a table that is not known are taken to be locked"
    return Effects(locks=lock(mode, name), unknown=(sentence,))


def _drop_refusal(index: Index, drop: DropIndex, state: State) -> str | None:
    if index.constraint is not None:
        return f"index `{index.name}` belongs to constraint `{index.constraint}`: drop that"
    if index.parent is not None and index.parent not in drop.names:
        return f"index `{index.name}` is a part of the partitioned index `{index.parent}`"
    bound = [] if drop.cascade else references_to_key(Draft(state), index)
    return f"cannot drop index `{index.name}` because a foreign key of `{bound[0][0].name}` depends on it" if bound else None


def _concurrent_refusal(drop: DropIndex, found: list[Index | None], state: State) -> str | None:
    """The text alone tells two of them."""
    if len(drop.names) > 1:
        return "DROP INDEX CONCURRENTLY takes one index"
    if drop.cascade:
        return "DROP INDEX CONCURRENTLY does not take CASCADE"
    index = found[0] if found else None
    if index is not None and schema_knows(state.schema, state.table(index.table)) and state.table(index.table).kind == "partitioned table":
        return f"`{index.name}` is a partitioned index: it cannot be dropped concurrently"
    return None


def _attach_index(attach: AttachIndexPartition, state: State, server: Server) -> Effects:
    """ATExecAttachPartitionIdx in src/backend/commands/tablecmds.c. Since 12 the parent's index is locked weakly."""
    parent, child = state.resolve(attach.parent), state.resolve(attach.partition)
    indexes = [(name, state.schema.find_index(name)) for name in (parent, child)]
    unknown = tuple(f"index `{name}` was not seen being created" for name, index in indexes if index is None)
    tables = [state.table(index.table) for _, index in indexes if index is not None]
    first, second = (index for _, index in indexes)
    if first is not None and second is not None and schema_knows(state.schema, *tables):
        if tables[1].parent != tables[0].name:
            return refused(f"`{tables[1].name}` is not a partition of `{tables[0].name}`")
        if not _are_same(first, second):
            return refused(f"index `{child}` is not like `{parent}`")
    return Effects(locks=(*lock(SUE, parent), *lock(AX, child), *lock_all(AS, tables)), unknown=unknown)


def _are_same(first: Index, second: Index) -> bool:
    def shape(key: IndexKey) -> tuple[object, ...]:
        return _identity(key)

    return (first.method, first.unique) == (second.method, second.unique) and [*map(shape, first.keys)] == [*map(shape, second.keys)]


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    CreateIndex: _create_index,
    DropIndex: _drop_index,
    AttachIndexPartition: _attach_index,
}
