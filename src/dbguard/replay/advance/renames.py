"""RENAME and SET SCHEMA. Whatever refers to the object follows, because PostgreSQL refers by number, not by name."""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.names import Name
from dbguard.model.operations.objects import RenameObject, SetObjectSchema
from dbguard.model.operations.tables import RenameColumn, RenameConstraint, RenameTable, SetSchema
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import State
from dbguard.replay.advance.draft import Advances, Draft
from dbguard.replay.advance.drop import resolve_function
from dbguard.replay.advance.follow import move, move_functions, move_types, rename_column_everywhere


def relation(state: State, operation: RenameTable) -> State:
    """ALTER TABLE renames indexes, views and sequences as well, so what counts is what has the name."""
    draft = Draft(state)
    name = state.resolve(operation.table)
    to = Name(name.schema, operation.to)
    if draft.takes(to):
        return state
    if name in draft.index_tables:
        _rename_index(draft, name, operation.to)
    elif draft.takes(name):
        move(draft, {name: to})
    elif not (operation.if_exists and state.schema.complete) and operation.kind not in {"index", "sequence"}:
        draft.put(Table(to, operation.kind, known=False))
    return draft.done()


def _rename_index(draft: Draft, name: Name, to: str) -> None:
    """The constraint behind it is renamed, too (RenameRelationInternal in tablecmds.c)."""
    index = draft.index(name)
    if index is None:
        return
    table = draft.tables[index.table]
    if index.constraint is not None and index.constraint in table.constraints:
        _put_renamed(draft, table, table.constraints[index.constraint], to)
    move(draft, {name: Name(name.schema, to)})


def constraint(state: State, operation: RenameConstraint) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    found = table.constraints.get(operation.name) if table is not None else None
    if table is None or found is None or operation.to in table.constraints:
        return state
    for one in draft.family(table, only=operation.only or found.kind not in {"check", "not null"}):
        same = one.constraints.get(operation.name)
        if same is not None and (one.name == table.name or same.inherited):
            _put_renamed(draft, one, same, operation.to)
    if found.index_name is not None and found.index_name in draft.index_tables:
        move(draft, {found.index_name: Name(found.index_name.schema, operation.to)})
    return draft.done()


def _put_renamed(draft: Draft, table: Table, old: Constraint, to: str) -> None:
    renamed = {to if name == old.name else name: one for name, one in table.constraints.items()}
    renamed[to] = old._replace(name=to)
    indexes = table.indexes
    if old.index_name is not None:
        indexes = {name: index._replace(constraint=to) if index.constraint == old.name else index for name, index in indexes.items()}
    draft.put(table._replace(constraints=renamed, indexes=indexes))


def column(state: State, operation: RenameColumn) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None or operation.to in table.columns:
        return state
    if table.known and operation.column not in table.columns:
        return state
    for one in draft.family(table, only=operation.only):
        rename_column_everywhere(draft, one.name, operation.column, operation.to)
    return draft.done()


def set_schema(state: State, operation: SetSchema) -> State:
    draft = Draft(state)
    name = state.resolve(operation.table)
    if draft.takes(Name(operation.schema, name.name)):
        return state
    if draft.takes(name):
        _move_relation(draft, name, operation.schema)
    elif not (operation.if_exists and state.schema.complete) and operation.kind != "sequence":
        draft.put(Table(Name(operation.schema, name.name), operation.kind, known=False))
    return draft.done()


def _move_relation(draft: Draft, name: Name, schema: str) -> None:
    """A table takes its indexes and owned sequences along (AlterTableNamespaceInternal in tablecmds.c)."""
    moves = {name: Name(schema, name.name)}
    table = draft.tables.get(name)
    if table is not None:
        moves |= {index.name: Name(schema, index.name.name) for index in table.indexes.values()}
        moves |= {s.name: Name(schema, s.name.name) for s in draft.sequences.values() if s.owner is not None and s.owner[0] == name}
    move(draft, moves)


def rename_object(state: State, operation: RenameObject) -> State:
    draft = Draft(state)
    old, to = operation.name, operation.to
    match operation.kind:
        case "schema":
            _rename_schema(draft, old.name, to)
        case "function" | "procedure" | "routine" | "aggregate":
            name = resolve_function(state, old)
            move_functions(draft, {name: Name(name.schema, to)})
        case "domain constraint":
            _rename_domain_constraint(draft, state.resolve_type(old), operation.detail, to)
        case "attribute":
            name = state.resolve_type(old)
            if name in draft.tables:
                rename_column_everywhere(draft, name, operation.detail, to)
        case "type" | "domain" | "enum" | "composite type":
            name = state.resolve_type(old)
            _move_type(draft, name, Name(name.schema, to))
        case "extension":
            draft.extensions = draft.extensions - {old.name} | {to}
    return draft.done()


def _rename_domain_constraint(draft: Draft, name: Name, old: str, to: str) -> None:
    domain = draft.types.get(name)
    if domain is None or old not in domain.constraints:
        return
    constraints = {to if k == old else k: c._replace(name=to) if k == old else c for k, c in domain.constraints.items()}
    draft.own_types()[name] = domain._replace(constraints=constraints)


def _move_type(draft: Draft, old: Name, new: Name) -> None:
    if old in draft.tables:
        move(draft, {old: new})
    elif old in draft.types:
        move_types(draft, {old: new})


def _rename_schema(draft: Draft, old: str, new: str) -> None:
    if old not in draft.namespaces or any(name.schema == new for name in (*draft.tables, *draft.types)):
        return
    draft.namespaces = draft.namespaces - {old} | {new}

    def moved(names: Iterable[Name]) -> dict[Name, Name]:
        return {name: Name(new, name.name) for name in names if name.schema == old}

    move(draft, {**moved(draft.tables), **moved(draft.sequences), **moved(draft.index_tables)})
    move_types(draft, moved(draft.types))
    move_functions(draft, moved(draft.functions))


def set_object_schema(state: State, operation: SetObjectSchema) -> State:
    draft = Draft(state)
    match operation.kind:
        case "function" | "procedure" | "routine" | "aggregate":
            name = resolve_function(state, operation.name)
            move_functions(draft, {name: Name(operation.schema, name.name)})
        case "type" | "domain" | "enum" | "composite type":
            name = state.resolve_type(operation.name)
            _move_type(draft, name, Name(operation.schema, name.name))
    return draft.done()


ADVANCE: Advances = {
    RenameTable: relation,
    RenameConstraint: constraint,
    RenameColumn: column,
    SetSchema: set_schema,
    RenameObject: rename_object,
    SetObjectSchema: set_object_schema,
}
