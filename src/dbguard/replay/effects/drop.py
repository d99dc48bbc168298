"""DROP TABLE: the table, what belongs to it, the tables its foreign keys tie it to, and what CASCADE takes along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.operations import DropTable
from dbguard.model.postgres import Server
from dbguard.model.schema import Table
from dbguard.model.state import Effects, State
from dbguard.replay.effects.common import AX, assumed, family, lock, refused, torn
from dbguard.replay.effects.dependents import bound_to, defaults_from, row_type_user, views_of
from dbguard.replay.effects.reading import ancestors


def _drop_table(operation: DropTable, state: State, server: Server) -> Effects:
    """RemoveRelations in src/backend/commands/tablecmds.c. A partition is dropped under ACCESS EXCLUSIVE on its parent and on
    the parent's DEFAULT partition, whose constraint changes (heap_drop_with_catalog in catalog/heap.c).
    """
    tables = [state.table(name) for name in operation.names]
    seen = [table for table in tables if table.name in state.schema.tables]
    if state.schema.complete and not operation.if_exists and len(seen) < len(tables):
        missing = next(table for table in tables if table not in seen)
        return refused(f"table `{missing.name}` does not exist")
    for table in seen:
        if (reason := _stays(table, tables, operation, state)) is not None:
            return refused(reason)
    named = seen if state.schema.complete else tables
    locks = lock(AX, *(table.name for table in named)) + torn(state, operation)
    for table in named:
        if table.parent is not None:
            default = (one.name for one in state.schema.partitions(table.parent) if one.bound is not None and one.bound.default)
            locks += lock(AX, table.parent, *default)
    unknown = tuple(sentence for table in named for sentence in _unknown(table))
    return Effects(locks=locks, unknown=unknown)


def _unknown(table: Table) -> tuple[str, ...]:
    if table.known:
        return ()
    return (*assumed(table), f"foreign keys of `{table.name}` were not seen: tables that they reference would be locked as well")


def _stays(table: Table, dropped: list[Table], operation: DropTable, state: State) -> str | None:
    """What keeps the table without CASCADE (manual, Dependency Tracking)."""
    if not table.known:
        return None
    expected = {"table", "partitioned table"} if operation.kind == "table" else {"foreign table"}
    if table.kind not in expected:
        return f"`{table.name}` is not a {operation.kind}"
    if operation.cascade:
        return None
    going = {one.name for table in dropped for one in family(state, table.name) if one.parent is not None or one in dropped}
    children = (child.name for one in (table, *ancestors(state, table)) for child, _ in state.schema.referencing(one.name))
    views = (view.name for view in views_of(state, table.name))
    heirs = (child.name for child in state.schema.tables.values() if table.name in child.inherits and child.parent is None)
    if (user := row_type_user(state, table)) is not None:
        return user
    owned = [s.name for s in state.schema.sequences.values() if s.owner is not None and s.owner[0] == table.name]
    users = (user.name for sequence in owned for user, _ in defaults_from(state, sequence))
    bound = bound_to(state, table.name)
    dependent = next((name for found in (children, views, heirs, users, bound) for name in found if name not in going), None)
    return None if dependent is None else f"cannot drop table {table.name} because `{dependent}` depends on it"


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {DropTable: _drop_table}
