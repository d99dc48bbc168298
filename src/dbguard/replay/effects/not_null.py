"""NOT NULL: set, dropped, and what proves it without reading the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.expression import Tree
from dbguard.model.names import Name
from dbguard.model.operations import DropNotNull, SetNotNull
from dbguard.model.postgres import Server
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import Effects, State
from dbguard.replay.effects.common import AX, absent, assumed, family, lock_all, no_column, refused


def is_never_null(table: Table, column: str) -> bool:
    """Whether PostgreSQL takes it as proved that the column holds no null.

    NotNullImpliedByRelConstraints in src/backend/commands/tablecmds.c: the column is NOT NULL, or a validated check says so.
    """
    if any(c.kind == "not null" and column in c.columns and not c.valid for c in table.constraints.values()):
        return False
    found = table.columns.get(column)
    return (found is not None and found.not_null) or is_proved(table, column)


def is_proved(table: Table, column: str) -> bool:
    """Whether a validated check implies that the column is not null."""
    return any(says_not_null(check.expression.tree, column) for check in proofs(table) if check.expression is not None)


def proofs(table: Table) -> tuple[Constraint, ...]:
    """Checks that PostgreSQL reasons with."""
    return tuple(c for c in table.constraints.values() if c.kind == "check" and c.valid and c.enforced)


def says_not_null(tree: Tree, column: str) -> bool:
    """Whether the condition cannot be true or null while the column is null (weak implication, predicate_implied_by)."""
    match tree[0]:
        case "is_not_null":
            return bool(tree[1] == ("column", column))
        case "not":
            return bool(tree[1] == ("is_null", ("column", column)))
        case "and":
            return any(says_not_null(part, column) for part in tree[1:])
        case "or":
            return all(says_not_null(part, column) for part in tree[1:])
        case _:
            return False


def read_for_not_null(tables: tuple[Table, ...], columns: tuple[str, ...]) -> tuple[Name, ...]:
    """Tables with storage that must be read to see that none of the columns holds a null."""
    return tuple(t.name for t in tables if t.has_storage and not all(is_never_null(t, column) for column in columns))


def _set_not_null(operation: SetNotNull, state: State, server: Server) -> Effects:
    """ATExecSetNotNull. A column of which nothing is known has to be read."""
    table = state.table(operation.table)
    if (answer := absent(state, table) or no_column(table, operation.column)) is not None:
        return answer
    column = table.columns.get(operation.column)
    at_once = table.known and column is not None and column.not_null and is_never_null(table, operation.column)
    if at_once and (table.partition_by is not None or server.since(18)):
        return Effects(locks=lock_all(AX, (table,)))  # it is so already, and below
    tables = family(state, table.name, only=operation.only)
    children = state.schema.partitions(table.name) if operation.only and table.known else ()
    if children and server.since(18) and table.partition_by is not None:
        return refused("constraint must be added to child tables too")
    if children and not server.since(18):
        if any(one.known and one.parent is not None and not is_never_null(one, operation.column) for one in children):
            return refused("constraint must be added to child tables too")
        tables += tuple(one for one in children if one.parent is not None)
    return Effects(locks=lock_all(AX, tables), scans=read_for_not_null(tables, (operation.column,)), unknown=assumed(table))


def _drop_not_null(operation: DropNotNull, state: State, server: Server) -> Effects:
    """ATExecDropNotNull."""
    table = state.table(operation.table)
    if (answer := absent(state, table) or no_column(table, operation.column)) is not None:
        return answer
    if table.primary_key is not None and operation.column in table.primary_key.columns:
        return refused(f'column "{operation.column}" is in a primary key')
    column = table.columns.get(operation.column)
    if column is not None and table.known and column.identity:
        return refused(f'column "{column.name}" of relation `{table.name}` is an identity column')
    if column is not None:
        above = (table.parent,) if table.parent is not None else table.inherits if server.since(18) else ()
        inherited = (state.schema.table(name).columns.get(operation.column) for name in above)
        if any(one is not None and one.not_null for one in inherited):
            return refused(f'column "{operation.column}" is marked NOT NULL in parent table')
    nothing_to_do = table.known and column is not None and not column.not_null and server.since(18)
    tables = family(state, table.name, only=operation.only or nothing_to_do)
    return Effects(locks=lock_all(AX, tables), unknown=assumed(table))


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    SetNotNull: _set_not_null,
    DropNotNull: _drop_not_null,
}
