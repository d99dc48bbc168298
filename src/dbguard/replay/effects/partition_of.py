"""What a new or attached partition shares with its parent: indexes, foreign keys, and the rows of the DEFAULT partition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dbguard.model.operations import CreateTable
from dbguard.model.postgres import LockMode, Server
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import Effects, State
from dbguard.replay.effects.bounds import is_refuted, overlaps
from dbguard.replay.effects.common import AS, AX, SRX, SUE, absent, add, assumed, family, indexes_of, leaves, lock, lock_all, parents_of, refused
from dbguard.replay.effects.reading import ancestors


def create_partition(operation: CreateTable, state: State, server: Server) -> Effects:
    """CREATE TABLE ... PARTITION OF: ACCESS EXCLUSIVE on the parent in every version (DefineRelation in tablecmds.c)."""
    assert operation.partition_of is not None
    parent = state.table(operation.partition_of)
    if (answer := absent(state, parent)) is not None:
        return answer
    if parent.known and parent.partition_by is None:
        return refused(f"`{parent.name}` is not partitioned")
    if (reason := no_room(parent, operation.bound, state)) is not None:
        return refused(reason)
    found = Effects(locks=lock(AX, parent.name) + lock_all(SUE, indexes_of((parent,))), unknown=assumed(parent))
    for key in parent.foreign_keys():
        found = add(found, Effects(locks=lock_all(SRX, parents_of(state, key))))
    return add(found, default_partition(parent, operation.bound, state), referencing(parent, state, SRX if server.since(15) else AS))


def no_room(parent: Table, bound: Any, state: State) -> str | None:
    """Why a partition of that bound cannot be added."""
    if bound is None or parent.partition_by is None:
        return None
    for sibling in state.schema.partitions(parent.name):
        if sibling.known and sibling.bound is not None and overlaps(parent.partition_by, bound, sibling.bound):
            return f"the partition would overlap partition `{sibling.name}`"
    return None


def default_of(parent: Table, state: State) -> Table | None:
    return next((one for one in state.schema.partitions(parent.name) if one.bound is not None and one.bound.default), None)


def default_partition(parent: Table, bound: Any, state: State) -> Effects:
    """The DEFAULT partition is locked, and read for rows that belong to the new one (check_default_partition_contents in partbounds.c)."""
    default = default_of(parent, state)
    if default is None or bound is None or bound.default or parent.partition_by is None:
        return Effects()
    tables = family(state, default.name)
    if is_refuted(default, parent.partition_by, bound):
        return Effects(locks=lock_all(AX, tables[:1]))
    unproved = [table for table in tables if not is_refuted(table, parent.partition_by, bound)]
    return Effects(locks=lock_all(AX, tables), scans=leaves(unproved))


def referencing(parent: Table, state: State, mode: LockMode) -> Effects:
    """Tables whose foreign keys point at the partitioned table get, or lose, the triggers of one more partition."""
    above = (parent, *ancestors(state, parent))
    tables = (child for one in above for child, key in state.schema.referencing(one.name) if not key.inherited)
    return Effects(locks=lock_all(mode, (one for child in tables for one in family(state, child.name, only=child.kind != "partitioned table"))))


def same_key(own: Constraint, key: Constraint) -> bool:
    """Whether a partition's foreign key can stand for its parent's (tryAttachPartitionForeignKey in tablecmds.c)."""
    fields = ("columns", "references", "referenced_columns", "on_delete", "on_update", "deferrable", "deferred")
    return own.valid and all(getattr(own, field) == getattr(key, field) for field in fields)


def has_same_key(table: Table, key: Constraint) -> bool:
    keys: Iterable[Constraint] = table.foreign_keys()
    return any(same_key(own, key) for own in keys)
