"""Options of a whole table: storage, persistence, clustering, replica identity, its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.operations import (
    SetAccessMethod,
    SetClustered,
    SetOfType,
    SetPersistence,
    SetReplicaIdentity,
    SetTableOptions,
    SetTablespace,
)
from dbguard.model.postgres import Server
from dbguard.model.schema import Table
from dbguard.model.state import Effects, State
from dbguard.replay.effects.common import AS, AX, SUE, S, absent, add, assumed, lock, refused
from dbguard.replay.effects.common import rewritten as rewrite
from dbguard.replay.effects.dependents import row_type_user

# Options that only ACCESS EXCLUSIVE changes (src/backend/access/common/reloptions.c); all others need SHARE UPDATE EXCLUSIVE.
_EXCLUSIVE_OPTIONS = frozenset(
    {
        "user_catalog_table",
        "buffering",
        "fastupdate",
        "gin_pending_list_limit",
        "pages_per_range",
        "autosummarize",
        "security_barrier",
        "security_invoker",
        "check_option",
    }
)


def _set_options(operation: SetTableOptions, state: State, server: Server) -> Effects:
    """AlterTableGetRelOptionsLockLevel."""
    name = state.resolve(operation.table)
    if operation.kind == "index":
        index = state.schema.find_index(name)
        if index is not None and state.schema.table(index.table).kind == "partitioned table":
            return refused(f"`{name}` is a partitioned index, which has no storage parameters")
        return Effects(locks=lock(_mode(operation), name))
    table = state.table(name)
    if (answer := absent(state, table)) is not None:
        return answer
    if table.known and table.kind == "partitioned table" and any(value is not None for _, value in operation.options):
        return refused("cannot specify storage parameters for a partitioned table")
    return Effects(locks=lock(_mode(operation), name), unknown=assumed(table))


def _mode(operation: SetTableOptions) -> Any:
    exclusive = operation.kind == "view" or any(option in _EXCLUSIVE_OPTIONS for option, _ in operation.options)
    return AX if exclusive else SUE


def _set_persistence(operation: SetPersistence, state: State, server: Server) -> Effects:
    """Rewritten unless it is so already (ATPrepChangePersistence); from 15 its sequences go with it."""
    if operation.kind == "sequence":
        return Effects(locks=lock(AX, state.resolve(operation.table)))
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    locked = Effects(locks=lock(AX, table.name), unknown=assumed(table))
    if table.known and table.kind == "partitioned table" and server.since(18):
        return refused("a partitioned table is neither logged nor unlogged")
    if table.known and (table.persistence == "permanent") == operation.logged:
        return locked
    if table.known and (reason := _no_change(table, operation, state, server)) is not None:
        return refused(reason)
    if server.since(15):
        owned = (s.name for s in state.schema.sequences.values() if s.owner is not None and s.owner[0] == table.name)
        locked = add(locked, Effects(locks=lock(AX, *owned)))
    return add(locked, rewrite((table,)))


def _no_change(table: Table, operation: SetPersistence, state: State, server: Server) -> str | None:
    if table.persistence == "temporary":
        return f"cannot change logged status of table `{table.name}` because it is temporary"
    if table.kind == "partitioned table":
        return None
    if (user := row_type_user(state, table)) is not None:
        return user
    if not operation.logged and table.published:
        return f"cannot change table `{table.name}` to unlogged because it is part of a publication"
    if operation.logged:
        others = (state.schema.table(key.references) for key in table.foreign_keys() if key.references not in {None, table.name})
        bad = next((other for other in others if other.persistence == "unlogged"), None)
    else:
        bad = next(
            (child for child, _ in state.schema.referencing(table.name) if child.name != table.name and child.persistence == "permanent"), None
        )
    return None if bad is None else f"a foreign key ties `{table.name}` to `{bad.name}`"


def _set_access_method(operation: SetAccessMethod, state: State, server: Server) -> Effects:
    if not server.since(15):
        return refused("SET ACCESS METHOD needs PostgreSQL 15")
    if operation.method is None and not server.since(17):
        return refused("SET ACCESS METHOD DEFAULT needs PostgreSQL 17")
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    locked = Effects(locks=lock(AX, table.name), unknown=assumed(table))
    return locked if (operation.method or "heap") == table.access_method else add(locked, rewrite((table,)))


def _set_tablespace(operation: SetTablespace, state: State, server: Server) -> Effects:
    """The file is copied block by block, its indexes stay where they are (ATExecSetTableSpace)."""
    name = state.resolve(operation.table)
    locked = Effects(locks=lock(AX, name))
    if operation.kind == "index" or name in state.schema.index_tables:
        return locked
    table = state.table(name)
    if (answer := absent(state, table)) is not None:
        return answer
    locked = locked._replace(unknown=assumed(table))
    if operation.tablespace == (table.tablespace or "pg_default") or not table.has_storage:
        return locked
    return locked._replace(rewrites=(name,))


def _set_clustered(operation: SetClustered, state: State, server: Server) -> Effects:
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    names = [table.name] if operation.index_name is None else [table.name, _index(table, operation.index_name)]
    return Effects(locks=lock(SUE, *names), unknown=assumed(table))


def _set_replica_identity(operation: SetReplicaIdentity, state: State, server: Server) -> Effects:
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    if operation.index_name is not None and table.known and operation.index_name not in table.indexes:
        return refused(f'index "{operation.index_name}" for table `{table.name}` does not exist')
    indexes = [] if operation.index_name is None else [_index(table, operation.index_name)]
    return Effects(locks=lock(AX, table.name) + lock(S, *indexes), unknown=assumed(table))


def _index(table: Table, name: str) -> Name:
    return Name(table.name.schema, name)


def _set_of_type(operation: SetOfType, state: State, server: Server) -> Effects:
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    types = [] if operation.type is None else [state.resolve_type(operation.type)]
    return Effects(locks=lock(AX, table.name) + lock(AS, *types), unknown=assumed(table))


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    SetTableOptions: _set_options,
    SetPersistence: _set_persistence,
    SetAccessMethod: _set_access_method,
    SetTablespace: _set_tablespace,
    SetClustered: _set_clustered,
    SetReplicaIdentity: _set_replica_identity,
    SetOfType: _set_of_type,
}
