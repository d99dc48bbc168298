"""Partitions attached and detached, and inheritance set up by ALTER TABLE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.operations import AttachPartition, DetachPartition, Inherit
from dbguard.model.postgres import LockMode, Server
from dbguard.model.schema import Table
from dbguard.model.state import Effects, State
from dbguard.replay.effects.bounds import is_refuted, within
from dbguard.replay.effects.common import (
    AS,
    AX,
    SRX,
    SUE,
    absent,
    add,
    assumed,
    built,
    family,
    indexes_of,
    leaves,
    lock,
    lock_all,
    parents_of,
    refused,
)
from dbguard.replay.effects.partition_of import default_of, default_partition, has_same_key, no_room, referencing
from dbguard.replay.effects.reading import ancestors


def _attach(operation: AttachPartition, state: State, server: Server) -> Effects:
    """ATExecAttachPartition: the parent stays open to reads and writes, the new partition does not."""
    parent, child = state.table(operation.table), state.table(operation.partition)
    for table in (parent, child):
        if (answer := absent(state, table)) is not None:
            return answer
    if (reason := _cannot_attach(parent, child, operation, state)) is not None:
        return refused(reason)
    tables = family(state, child.name)
    found = Effects(
        locks=lock(SUE, parent.name) + lock_all(AS, ancestors(state, parent)) + lock_all(AX, tables) + lock_all(SUE, indexes_of((parent,))),
        scans=_unproved(operation, parent, tables, state),
        builds=built(state, operation) if parent.known else (),
        unknown=assumed(parent) + assumed(child),
    )
    found = add(found, default_partition(parent, operation.bound, state), referencing(parent, state, SRX if server.since(15) else AS))
    return add(found, _foreign_keys(parent, tables, state))


def _cannot_attach(parent: Table, child: Table, operation: AttachPartition, state: State) -> str | None:
    if parent.known and parent.partition_by is None:
        return f"ALTER action ATTACH PARTITION cannot be performed on relation `{parent.name}`"
    if child.parent is not None:
        return f"`{child.name}` is already a partition"
    if not parent.known or not child.known:
        return None
    for column in parent.columns.values():
        own = child.columns.get(column.name)
        if own is None:
            return f'child table is missing column "{column.name}"'
        if own.type != column.type:
            return f'child table `{child.name}` has different type for column "{column.name}"'
        if column.not_null and not own.not_null:
            return f'column "{column.name}" in child table `{child.name}` must be marked NOT NULL'
    extra = child.columns.keys() - parent.columns.keys()
    if extra:
        return f'table `{child.name}` contains column "{min(extra)}" not found in parent `{parent.name}`'
    for check in parent.constraints.values():
        if check.kind == "check" and not check.no_inherit and check.name not in child.constraints:
            return f'child table is missing constraint "{check.name}"'
    return no_room(parent, operation.bound, state)


def _unproved(operation: AttachPartition, parent: Table, tables: tuple[Table, ...], state: State) -> tuple[Any, ...]:
    """Tables below the new partition that have to be read (QueuePartitionConstraintValidation)."""
    if parent.partition_by is None:
        return leaves(tables)
    if operation.bound.default:
        siblings = [one.bound for one in state.schema.partitions(parent.name) if one.bound is not None]
        key = parent.partition_by
        return leaves(table for table in tables if not all(is_refuted(table, key, bound) for bound in siblings))
    proved = within((parent, *ancestors(state, parent)), operation.bound)
    if proved(tables[0]):
        return ()
    return leaves(table for table in tables if not proved(table))


def _foreign_keys(parent: Table, tables: tuple[Table, ...], state: State) -> Effects:
    """CloneFkReferencing: a foreign key that the new partition has already is taken over, any other is added and checked."""
    found = Effects()
    for key in parent.foreign_keys():
        parents = parents_of(state, key)
        if has_same_key(tables[0], key):
            found = add(found, Effects(locks=lock_all(AX, parents[:1])))
        else:
            found = add(found, Effects(locks=lock_all(SRX, parents), scans=leaves(tables) if key.valid and key.enforced else ()))
    return found


def _detach(operation: DetachPartition, state: State, server: Server) -> Effects:
    """ATExecDetachPartition."""
    if (operation.concurrently or operation.finalize) and not server.since(14):
        return refused("DETACH PARTITION ... CONCURRENTLY and FINALIZE need PostgreSQL 14")
    parent, child = state.table(operation.table), state.table(operation.partition)
    for table in (parent, child):
        if (answer := absent(state, table)) is not None:
            return answer
    if parent.known and child.known and child.parent != parent.name:
        return refused(f"relation `{child.name}` is not a partition of relation `{parent.name}`")
    unknown = assumed(parent) + assumed(child)
    default = default_of(parent, state)
    if operation.concurrently:
        if default is not None:
            return refused("cannot detach partitions concurrently when a default partition exists")
        return add(
            Effects(locks=lock(SUE, parent.name) + lock(AX, child.name), transaction="forbidden", unknown=unknown),
            _cut_loose(child, state, below=SUE),
        )
    if operation.finalize:
        return Effects(locks=lock(SUE, parent.name) + lock(AX, child.name), unknown=unknown)
    above = ancestors(state, parent)
    referenced = any(True for one in (parent, *above) for _ in state.schema.referencing(one.name))
    below = AX if server.since(14) or referenced else SUE
    locks = lock(AX, parent.name) + lock(below, child.name) + lock_all(AS, above if referenced else ())  # RI_PartitionRemove_Check
    found = add(Effects(locks=locks, unknown=unknown), _cut_loose(child, state))
    if default is not None:
        found = add(found, Effects(locks=lock(AX, default.name)))
    return add(found, referencing(parent, state, AX))


def _cut_loose(child: Table, state: State, below: LockMode = AX) -> Effects:
    """Its indexes and foreign keys become its own, and its own partitions are locked with it (DetachPartitionFinalize)."""
    parents = (parent for key in child.foreign_keys() for parent in parents_of(state, key))
    partitions = lock_all(below, state.schema.descendants(child.name))
    return Effects(locks=lock_all(AX, child.indexes.values()) + partitions + lock_all(SRX, parents))


def _inherit(operation: Inherit, state: State, server: Server) -> Effects:
    """ATExecAddInherit, ATExecDropInherit."""
    child, parent = state.table(operation.table), state.table(operation.parent)
    for table in (child, parent):
        if (answer := absent(state, table)) is not None:
            return answer
    unknown = assumed(child) + assumed(parent)
    if not operation.add:
        if child.known and parent.known and parent.name not in child.inherits:
            return refused(f"relation `{parent.name}` is not a parent of relation `{child.name}`")
        return Effects(locks=lock(AX, child.name) + lock(AS, parent.name), unknown=unknown)
    if child.known and parent.known:
        missing = parent.columns.keys() - child.columns.keys()
        if missing:
            return refused(f'child table is missing column "{min(missing)}"')
    return Effects(locks=lock(AX, child.name) + lock(SUE, parent.name), unknown=unknown)


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    AttachPartition: _attach,
    DetachPartition: _detach,
    Inherit: _inherit,
}
