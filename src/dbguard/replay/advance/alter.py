"""ALTER TABLE on the table itself: persistence, options, inheritance, row security."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model.operations.tables import (
    Inherit,
    SetAccessMethod,
    SetOfType,
    SetPersistence,
    SetRowSecurity,
    SetTableOptions,
    SetTablespace,
)
from dbguard.model.schema import Table
from dbguard.model.state import State
from dbguard.replay.advance.draft import Advances, Draft


def _table(state: State, operation: Any, change: Callable[[Table], Table]) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None:
        return state
    draft.put(change(draft.tables[table.name]))
    return draft.done()


def set_persistence(state: State, operation: SetPersistence) -> State:
    """The sequences that the table owns go with it."""
    persistence = "permanent" if operation.logged else "unlogged"
    state = _table(state, operation, lambda table: table._replace(persistence=persistence))
    draft, name = Draft(state), state.resolve(operation.table)
    for sequence in [s for s in draft.sequences.values() if s.name == name or (s.owner is not None and s.owner[0] == name)]:
        draft.own_sequences()[sequence.name] = sequence._replace(persistence=persistence)
    return draft.done()


def set_access_method(state: State, operation: SetAccessMethod) -> State:
    return _table(state, operation, lambda table: table._replace(access_method=operation.method or "heap"))


def set_tablespace(state: State, operation: SetTablespace) -> State:
    if operation.kind == "index":
        return state
    return _table(state, operation, lambda table: table._replace(tablespace=operation.tablespace))


def set_options(state: State, operation: SetTableOptions) -> State:
    if operation.kind == "index":
        return state
    return _table(state, operation, lambda table: table._replace(options=_merged(table, operation)))


def _merged(table: Table, operation: SetTableOptions) -> dict[str, str]:
    options = dict(table.options)
    for name, value in operation.options:
        if value is None:
            options.pop(name, None)
        else:
            options[name] = value
    return options


def inherit(state: State, operation: Inherit) -> State:
    """The child has its parent's columns and checks already; from now on they come from the parent, too."""
    parent = state.resolve(operation.parent)
    if operation.add:
        if Draft(state).is_below(parent, state.resolve(operation.table)):
            return state
        return _table(state, operation, lambda table: table._replace(inherits=(*(i for i in table.inherits if i != parent), parent)))
    return _table(state, operation, lambda table: on_its_own(table)._replace(inherits=tuple(i for i in table.inherits if i != parent)))


def on_its_own(table: Table) -> Table:
    """The table once its columns and constraints are nobody else's."""
    return table._replace(
        columns={name: column._replace(inherited=False) for name, column in table.columns.items()},
        constraints={name: constraint._replace(inherited=False) for name, constraint in table.constraints.items()},
    )


def set_of_type(state: State, operation: SetOfType) -> State:
    of_type = state.resolve_type(operation.type) if operation.type is not None else None
    return _table(state, operation, lambda table: table._replace(of_type=of_type))


def set_row_security(state: State, operation: SetRowSecurity) -> State:
    if operation.change not in {"enable", "disable"}:
        return state
    return _table(state, operation, lambda table: table._replace(row_security=operation.change == "enable"))


ADVANCE: Advances = {
    SetPersistence: set_persistence,
    SetAccessMethod: set_access_method,
    SetTablespace: set_tablespace,
    SetTableOptions: set_options,
    Inherit: inherit,
    SetOfType: set_of_type,
    SetRowSecurity: set_row_security,
}
