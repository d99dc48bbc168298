"""Locks that foreign keys add to a write: checks against the parent, and what an ON DELETE or ON UPDATE action reaches.

The queries behind them are in src/backend/utils/adt/ri_triggers.c. Every key is taken to be changed and not null, and every
referencing row to exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model.postgres import LockMode
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import Lock, State
from dbguard.replay.effects.common import RS, RX, parents_of
from dbguard.replay.effects.reading import ancestors, partition_bounds

Seen = set[tuple[object, ...]]


def checks_after_insert(state: State, table: Table, filled: frozenset[str] | None) -> Iterator[Lock]:
    """The parents' locks for new rows; `filled` are the columns that get a value, None: all.

    A key with a NULL in it is not checked (manual, CREATE TABLE, MATCH SIMPLE).
    """
    for key in _keys(state, table):
        if filled is None or filled.issuperset(key.columns):
            yield from _check_parent(state, key)


def checks_after_update(state: State, table: Table, assigned: frozenset[str]) -> Iterator[Lock]:
    """The parents' locks for changed keys, and what the change of a referenced key does to children."""
    yield from _after_update(state, table, assigned, set())


def actions_after_delete(state: State, table: Table) -> Iterator[Lock]:
    yield from _after_delete(state, table, set())


def _after_update(state: State, table: Table, assigned: frozenset[str], seen: Seen) -> Iterator[Lock]:
    moves = _moves_rows(state, table, assigned)
    again = state.transaction is not None and table.name in state.transaction.written  # RI_FKey_fk_upd_check_required: no check was made yet
    for key in _keys(state, table):
        if moves or again or not assigned.isdisjoint(key.columns):
            yield from _check_parent(state, key)
    yield from _actions(state, table, assigned, seen)


def _actions(state: State, table: Table, assigned: frozenset[str], seen: Seen) -> Iterator[Lock]:
    for child, key in _referencing(state, table):
        if assigned.isdisjoint(_referenced_columns(state, key)) or _is_seen(seen, "update", child, key, assigned):
            continue
        mode = _action_mode(key, key.on_update)
        if mode is None:
            continue
        yield from _lock_child(state, child, mode)
        if key.on_update == "set null":
            yield from _actions(state, child, frozenset(key.columns), seen)
        elif mode == RX:
            yield from _after_update(state, child, frozenset(key.columns), seen)


def _after_delete(state: State, table: Table, seen: Seen) -> Iterator[Lock]:
    for child, key in _referencing(state, table):
        if _is_seen(seen, "delete", child, key):
            continue
        mode = _action_mode(key, key.on_delete)
        if mode is None:
            continue
        yield from _lock_child(state, child, mode)
        match key.on_delete:
            case "cascade":
                yield from _after_delete(state, child, seen)
            case "set null":
                yield from _actions(state, child, frozenset(key.columns), seen)
            case "set default":
                yield from _after_update(state, child, frozenset(key.columns), seen)


def _action_mode(key: Constraint, action: str) -> LockMode | None:
    """SELECT ... FOR KEY SHARE for a check, a write for the other actions; only NO ACTION can wait until COMMIT."""
    if not key.enforced or (action == "no action" and key.deferred):
        return None
    return RS if action in {"no action", "restrict"} else RX


def _check_parent(state: State, key: Constraint) -> Iterator[Lock]:
    if not key.enforced or key.deferred:
        return
    for parent in parents_of(state, key):
        if parent.name == key.references or parent.parent is not None:
            yield Lock(parent.name, RS)
            yield from partition_bounds(state, parent)


def _lock_child(state: State, child: Table, mode: LockMode) -> Iterator[Lock]:
    """The child and its partitions; an inheritance child has a key of its own or none (FROM ONLY in ri_triggers.c)."""
    yield Lock(child.name, mode)
    if child.kind == "partitioned table":
        yield from partition_bounds(state, child)
        for partition in state.schema.descendants(child.name):
            yield Lock(partition.name, mode)


def _keys(state: State, table: Table) -> Iterator[Constraint]:
    """Foreign keys that rows of the table must satisfy: its own, its ancestors', and those of its partitions alone."""
    tables = (table, *ancestors(state, table), *state.schema.descendants(table.name))
    for one in tables:
        if one.name == table.name or one.parent is not None or one.kind == "partitioned table":
            yield from one.foreign_keys()


def _referencing(state: State, table: Table) -> Iterator[tuple[Table, Constraint]]:
    for one in (table, *ancestors(state, table), *_partitions(state, table)):
        yield from state.schema.referencing(one.name)


def _partitions(state: State, table: Table) -> Iterable[Table]:
    return (child for child in state.schema.descendants(table.name) if child.parent is not None)


def _referenced_columns(state: State, key: Constraint) -> tuple[str, ...]:
    if key.referenced_columns or key.references is None:
        return key.referenced_columns
    primary = state.table(key.references).primary_key
    return primary.columns if primary is not None else ()


def _moves_rows(state: State, table: Table, assigned: frozenset[str]) -> bool:
    """Whether the update may move rows to another partition, which inserts them there."""
    return any(
        not assigned.isdisjoint({key.column} if key.column is not None else (key.expression.columns if key.expression else ()))
        for one in (table, *_partitions(state, table))
        if one.partition_by is not None
        for key in one.partition_by.keys
    )


def _is_seen(seen: Seen, event: str, child: Table, key: Constraint, columns: frozenset[str] = frozenset()) -> bool:
    """Foreign keys may form a cycle."""
    mark = (event, child.name, key.name, columns)
    if mark in seen:
        return True
    seen.add(mark)
    return False
