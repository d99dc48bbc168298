"""Views, materialized views and sequences, and new names, owners and schemas of any relation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.operations import (
    AlterSequence,
    ChangeOwner,
    CreateMaterializedView,
    CreateSequence,
    CreateView,
    DropSequence,
    DropView,
    RenameTable,
    SetSchema,
)
from dbguard.model.postgres import Server
from dbguard.model.schema import Table
from dbguard.model.state import Effects, State
from dbguard.replay.effects.common import AS, AX, SRX, SUE, add, after, assumed, indexes_of, lock, lock_all, refused, schema_knows
from dbguard.replay.effects.dependents import defaults_from, drop_relations, drop_sequence, views_of
from dbguard.replay.effects.reading import ANALYSED, read_all


def _create_view(view: CreateView, state: State, server: Server) -> Effects:
    """DefineView in src/backend/commands/view.c; a view that is replaced is locked against its readers."""
    if any(option == "security_invoker" for option, _ in view.options) and not server.since(15):
        return refused("security_invoker needs PostgreSQL 15")
    reads = read_all(view.uses, state, stage=ANALYSED)
    name = state.target(view.name)
    if name not in state.schema.tables or view.temporary:
        return add(Effects(), *reads)
    if not view.replace:
        return refused(f"`{name}` exists") if schema_knows(state.schema, state.table(name)) else add(Effects(), *reads)
    if (reason := _cannot_replace(view, state.schema.tables[name], state)) is not None:
        return refused(reason)
    return add(Effects(locks=lock(AX, name)), *reads)


def _cannot_replace(view: CreateView, old: Table, state: State) -> str | None:
    """Columns may only be added at the end (checkViewColumns in view.c)."""
    if not old.known:
        return None
    if old.kind != "view":
        return f"`{old.name}` is not a view"
    new = after(state, view).table(old.name)
    if not new.known:
        return None
    if len(new.columns) < len(old.columns):
        return "cannot drop columns from view"
    changed = next(((before, now) for before, now in zip(old.columns, new.columns, strict=False) if before != now), None)
    if changed is not None:
        return f'cannot change name of view column "{changed[0]}" to "{changed[1]}"'
    return _other_type(view, old, state)


def _other_type(view: CreateView, old: Table, state: State) -> str | None:
    from dbguard.replay.advance.view_text import column_types

    if not view.text or not old.definition:
        return None
    before = column_types(old.definition, state, old)
    now = column_types(view.text, state) if before else {}
    changed = next((name for name in before if name in now and str(before[name]) != str(now[name])), None)
    return None if changed is None else f'cannot change data type of view column "{changed}" from {before[changed]} to {now[changed]}'


def _create_materialized_view(view: CreateMaterializedView, state: State, server: Server) -> Effects:
    """ExecCreateTableAs in src/backend/commands/createas.c: WITH NO DATA only looks at the names."""
    exists = state.target(view.name) in state.schema.tables
    if exists and not view.if_not_exists and schema_knows(state.schema, state.table(state.target(view.name))):
        return refused(f"`{state.target(view.name)}` exists")
    if exists or not view.with_data:
        return add(Effects(), *read_all(view.uses, state, stage=ANALYSED))
    return add(Effects(), *read_all(view.uses, state))


def _drop_view(drop: DropView, state: State, server: Server) -> Effects:
    """Without CASCADE a view that another one reads stays (manual, Dependency Tracking)."""
    names = [state.resolve(name) for name in drop.names]
    for name in names:
        others = [view for view in views_of(state, name) if view.name not in names]
        if others and not drop.cascade and schema_knows(state.schema, *others):
            return refused(f"`{others[0].name}` reads `{name}`")
        table = state.table(name)
        if table.known and table.kind not in {"view", "materialized view"} and state.schema.complete:
            return refused(f"`{name}` is not a view")
    known = [name for name in names if name in state.schema.tables]
    unseen = [name for name in names if name not in state.schema.tables and not (drop.if_exists and state.schema.complete)]
    unknown = tuple(sentence for name in unseen for sentence in assumed(state.table(name)))
    return Effects(locks=(*drop_relations(state, known), *lock(AX, *unseen)), unknown=unknown)


def _create_sequence(sequence: CreateSequence, state: State, server: Server) -> Effects:
    """OWNED BY opens the table (`process_owned_by` in sequence.c)."""
    return _owner_opened(sequence.owned_by, state)


def _alter_sequence(sequence: AlterSequence, state: State, server: Server) -> Effects:
    """SHARE ROW EXCLUSIVE makes nextval wait, and with it every INSERT (AlterSequenceGetLockLevel... in sequence.c)."""
    name = state.resolve(sequence.name)
    return add(Effects(locks=lock(SRX, name)), _owner_opened(sequence.owned_by or None, state))


def _owner_opened(owned_by: tuple[Name, str] | None, state: State) -> Effects:
    if owned_by is None:
        return Effects()
    table = state.table(owned_by[0])
    return Effects(locks=lock(AS, table.name), unknown=assumed(table))


def _drop_sequence(drop: DropSequence, state: State, server: Server) -> Effects:
    """A default that takes values from it keeps a sequence alive, unless CASCADE drops the default."""
    parts = []
    for name in map(state.resolve, drop.names):
        sequence = state.schema.sequences.get(name)
        if sequence is None:
            if not (drop.if_exists and state.schema.complete):
                parts.append(Effects(locks=lock(AX, name)))
            continue
        if sequence.identity and state.schema.complete:
            return refused(f"sequence `{name}` belongs to an identity column")
        users = [table for table, _ in defaults_from(state, name)]
        if users and not drop.cascade and schema_knows(state.schema, *users):
            return refused(f"a default of `{users[0].name}` takes values from `{name}`")
        parts.append(Effects(locks=drop_sequence(state, name)))
    return add(Effects(), *parts)


def _rename(rename: RenameTable, state: State, server: Server) -> Effects:
    """RenameRelation in src/backend/commands/tablecmds.c: only ALTER INDEX on an index has the weak lock, since 12."""
    name = state.resolve(rename.table)
    if rename.kind == "index" and (name in state.schema.index_tables or name not in state.schema.tables):
        return Effects(locks=lock(SUE, name))
    if rename.if_exists and state.schema.complete and not _exists(name, state):
        return Effects()
    taken = name._replace(name=rename.to)
    if state.schema.complete and _exists(taken, state):
        return refused(f"relation `{taken}` already exists")
    return _lock_relation(name, state)


def _set_schema(change: SetSchema, state: State, server: Server) -> Effects:
    """AlterTableNamespace: sequences of serial and identity columns move along."""
    name = state.resolve(change.table)
    sequence = state.schema.sequences.get(name)
    if sequence is not None and sequence.owner is not None and state.schema.complete:
        return refused(f"sequence `{name}` belongs to a column of `{sequence.owner[0]}` and moves with that table")
    if state.schema.complete and change.schema not in state.schema.namespaces:
        return refused(f'schema "{change.schema}" does not exist')
    return add(_lock_relation(name, state), _owned_sequences(name, state))


def _exists(name: Name, state: State) -> bool:
    schema = state.schema
    return name in schema.tables or name in schema.sequences or name in schema.index_tables


def _change_owner(change: ChangeOwner, state: State, server: Server) -> Effects:
    """ATExecChangeOwner: indexes and sequences of the table get the new owner too."""
    name = state.resolve(change.table)
    table = state.schema.tables.get(name)
    indexes = lock_all(AX, indexes_of((table,))) if table is not None else ()
    return add(_lock_relation(name, state), _owned_sequences(name, state), Effects(locks=indexes))


def _lock_relation(name: Name, state: State) -> Effects:
    is_other = name in state.schema.sequences or name in state.schema.index_tables
    return Effects(locks=lock(AX, name), unknown=() if is_other else assumed(state.table(name)))


def _owned_sequences(name: Name, state: State) -> Effects:
    owned = (sequence.name for sequence in state.schema.sequences.values() if sequence.owner is not None and sequence.owner[0] == name)
    return Effects(locks=lock(AX, *owned))


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    CreateView: _create_view,
    CreateMaterializedView: _create_materialized_view,
    DropView: _drop_view,
    CreateSequence: _create_sequence,
    AlterSequence: _alter_sequence,
    DropSequence: _drop_sequence,
    RenameTable: _rename,
    SetSchema: _set_schema,
    ChangeOwner: _change_owner,
}
