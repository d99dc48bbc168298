"""DROP of tables, views, sequences, types, functions, schemas and of what stands on a table."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.operations.objects import (
    DropFunction,
    DropObject,
    DropOnTable,
    DropSchema,
    DropSequence,
    DropType,
    DropView,
)
from dbguard.model.operations.tables import DropTable
from dbguard.model.schema import Function
from dbguard.model.state import State
from dbguard.replay.advance.define import type_in
from dbguard.replay.advance.dependents import (
    drop_relation,
    drop_sequence,
    drop_triggers_of,
    drop_type,
    drop_views_on,
    put_overloads,
)
from dbguard.replay.advance.draft import Advances, Draft, without
from dbguard.replay.advance.publications import unpublish

_VIEWS = {"view", "materialized view"}


def tables(state: State, operation: DropTable) -> State:
    draft = Draft(state)
    for written in operation.names:
        name = state.resolve(written)
        table = draft.tables.get(name)
        if table is not None and (table.kind not in _VIEWS or not table.known):
            drop_relation(draft, name, cascade=operation.cascade)
    return draft.done()


def views(state: State, operation: DropView) -> State:
    draft = Draft(state)
    kind = "materialized view" if operation.materialized else "view"
    for written in operation.names:
        name = state.resolve(written)
        table = draft.tables.get(name)
        if table is not None and (table.kind == kind or not table.known):
            drop_relation(draft, name, cascade=operation.cascade)
    return draft.done()


def sequences(state: State, operation: DropSequence) -> State:
    draft = Draft(state)
    for written in operation.names:
        name = state.resolve(written)
        drop_sequence(draft, name)
        if operation.cascade:
            drop_views_on(draft, name)
    return draft.done()


def types(state: State, operation: DropType) -> State:
    draft = Draft(state)
    for written in operation.names:
        name = state.resolve_type(written)
        if name in draft.tables and draft.tables[name].kind == "composite type":
            drop_relation(draft, name, cascade=operation.cascade)
        drop_type(draft, name, cascade=operation.cascade)
    return draft.done()


def functions(state: State, operation: DropFunction) -> State:
    draft = Draft(state)
    for position, written in enumerate(operation.names):
        name = resolve_function(state, written)
        arguments = operation.arguments[position] if position < len(operation.arguments) else None
        overloads = draft.functions.get(name, ())
        if arguments is None:
            kept: tuple[Function, ...] = ()
        else:
            wanted = tuple(type_in(draft, one)._replace(modifiers=()) for one in arguments)
            kept = tuple(f for f in overloads if tuple(a._replace(modifiers=()) for a in f.arguments) != wanted)
        if overloads:
            put_overloads(draft, name, kept)
        if operation.cascade and not kept:
            drop_triggers_of(draft, name)
    return draft.done()


def resolve_function(state: State, name: Name) -> Name:
    if name.schema is not None:
        return name
    for namespace in state.search_path:
        full = Name(namespace, name.name)
        if full in state.schema.functions:
            return full
    return state.target(name)


def schemas(state: State, operation: DropSchema) -> State:
    draft = Draft(state)
    for name in operation.names:
        if operation.cascade:
            _empty(draft, name)
        draft.namespaces -= {name}
    return draft.done()


def _empty(draft: Draft, namespace: str) -> None:
    for table in [name for name in draft.tables if name.schema == namespace]:
        drop_relation(draft, table, cascade=True)
    for sequence in [name for name in draft.sequences if name.schema == namespace]:
        drop_sequence(draft, sequence)
    for one in [name for name in draft.types if name.schema == namespace]:
        drop_type(draft, one, cascade=True)
    for function in [name for name in draft.functions if name.schema == namespace]:
        draft.own_functions().pop(function, None)
        drop_triggers_of(draft, function)


def on_table(state: State, operation: DropOnTable) -> State:
    draft = Draft(state)
    table = draft.find(operation.table)
    if table is None:
        return state
    name = operation.name
    match operation.kind:
        case "trigger":
            for one in draft.family(table) if table.kind == "partitioned table" else [table]:
                if name in one.triggers:
                    draft.put(one._replace(triggers=without(one.triggers, name)))
        case "policy":
            draft.put(table._replace(policies=without(table.policies, name)))
        case "rule":
            draft.put(table._replace(rules=table.rules - {name}))
    return draft.done()


def objects(state: State, operation: DropObject) -> State:
    draft = Draft(state)
    if operation.kind == "extension":
        draft.extensions -= {name.name for name in operation.names}
        return draft.done()
    if operation.kind == "publication":
        for name in operation.names:
            state = unpublish(state, name.name)
        return state
    for written in operation.names:
        name = state.resolve_type(written)
        if name in draft.types and "type" in operation.kind:
            drop_type(draft, name, cascade=operation.cascade)
    return draft.done()


ADVANCE: Advances = {
    DropTable: tables,
    DropView: views,
    DropSequence: sequences,
    DropType: types,
    DropFunction: functions,
    DropSchema: schemas,
    DropOnTable: on_table,
    DropObject: objects,
}
