"""Sequences, functions, triggers, policies, rules, schemas, extensions."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.operations.objects import (
    AlterPolicy,
    AlterSequence,
    CreateExtension,
    CreateFunction,
    CreateObject,
    CreatePolicy,
    CreateRule,
    CreateSchema,
    CreateSequence,
    CreateTrigger,
    RenameOnTable,
)
from dbguard.model.schema import Function, Policy, Sequence, Table, Trigger, UserType
from dbguard.model.state import State
from dbguard.model.types import builtin
from dbguard.replay.advance.create import resolved, target
from dbguard.replay.advance.define import type_in
from dbguard.replay.advance.draft import Advances, Draft, without
from dbguard.replay.advance.drop import resolve_function

_EXTENSION_TYPES = {
    "citext": ("citext",),
    "cube": ("cube",),
    "hstore": ("hstore",),
    "ltree": ("ltree", "lquery", "ltxtquery"),
    "postgis": ("geometry", "geography", "box2d", "box3d"),
    "vector": ("vector", "halfvec", "sparsevec"),
}
_USER_TYPES = {"range type": "range", "range": "range", "base type": "base", "shell type": "base"}


def create_sequence(state: State, operation: CreateSequence) -> State:
    persistence = "temporary" if operation.temporary else "permanent"
    name = target(state, operation.name, persistence)
    draft = Draft(state)
    if draft.takes(name):
        return state
    owner = operation.owned_by
    owned = (state.resolve(owner[0]), owner[1]) if owner is not None else None
    draft.own_sequences()[name] = Sequence(name, operation.type or builtin("int8"), owned, created=state.now, persistence=persistence)
    return draft.done()


def alter_sequence(state: State, operation: AlterSequence) -> State:
    name = state.resolve(operation.name)
    sequence = state.schema.sequences.get(name)
    if sequence is None:
        return state
    if operation.type is not None:
        sequence = sequence._replace(type=operation.type)
    if operation.owned_by == ():
        sequence = sequence._replace(owner=None)
    elif operation.owned_by:
        table, column = operation.owned_by
        sequence = sequence._replace(owner=(state.resolve(table), column))
    return state._replace(schema=state.schema._replace(sequences={**state.schema.sequences, name: sequence}))


def create_function(state: State, operation: CreateFunction) -> State:
    name = state.target(operation.name)
    draft = Draft(state)
    function = Function(
        name,
        tuple(type_in(draft, one) for one in operation.arguments),
        "procedure" if operation.procedure else "function",
        operation.volatility,
        operation.language,
        operation.body,
        type_in(draft, operation.returns) if operation.returns is not None else None,
        operation.security_definer,
        state.now,
        resolved(state, operation.uses) if operation.atomic else None,
    )
    overloads = draft.functions.get(name, ())
    same = next((one for one in overloads if _same_arguments(one, function)), None)
    if same is not None and not operation.replace:
        return state
    kept = tuple(one for one in overloads if one is not same)
    replaced = function if same is None else function._replace(created=same.created)
    draft.own_functions()[name] = (*kept, replaced)
    return draft.done()


def _same_arguments(one: Function, other: Function) -> bool:
    return [a._replace(modifiers=()) for a in one.arguments] == [a._replace(modifiers=()) for a in other.arguments]


def create_trigger(state: State, operation: CreateTrigger) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None or (operation.name in table.triggers and not operation.replace):
        return state
    trigger = Trigger(
        operation.name,
        resolve_function(state, operation.function),
        operation.events,
        operation.columns,
        operation.when.columns if operation.when is not None else frozenset(),
        operation.row,
        operation.constraint,
        state.resolve(operation.references) if operation.references is not None else None,
    )
    for one in draft.family(table) if table.kind == "partitioned table" and operation.row else [table]:
        draft.put(one._replace(triggers={**one.triggers, trigger.name: trigger}))
    return draft.done()


def create_rule(state: State, operation: CreateRule) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None:
        return state
    draft.put(table._replace(rules=table.rules | {operation.name}))
    return draft.done()


def create_policy(state: State, operation: CreatePolicy) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None or operation.name in table.policies:
        return state
    return _put_policy(draft, table, Policy(operation.name, operation.columns, resolved(state, operation.uses).reads))


def alter_policy(state: State, operation: AlterPolicy) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None or not operation.columns:
        return state
    return _put_policy(draft, table, Policy(operation.name, operation.columns, resolved(state, operation.uses).reads))


def _put_policy(draft: Draft, table: Table, policy: Policy) -> State:
    draft.put(table._replace(policies={**table.policies, policy.name: policy}))
    return draft.done()


def rename_on_table(state: State, operation: RenameOnTable) -> State:
    draft = Draft(state)
    table = draft.find(operation.table)
    if table is None:
        return state
    old, new = operation.name, operation.to
    match operation.kind:
        case "trigger":
            for one in draft.family(table) if table.kind == "partitioned table" else [table]:
                if old in one.triggers:
                    renamed = one.triggers[old]._replace(name=new)
                    draft.put(one._replace(triggers={**without(one.triggers, old), new: renamed}))
        case "policy" if old in table.policies:
            draft.put(table._replace(policies={**without(table.policies, old), new: table.policies[old]._replace(name=new)}))
        case "rule" if old in table.rules:
            draft.put(table._replace(rules=table.rules - {old} | {new}))
    return draft.done()


def create_schema(state: State, operation: CreateSchema) -> State:
    return state._replace(schema=state.schema._replace(namespaces=state.schema.namespaces | {operation.name}))


def create_extension(state: State, operation: CreateExtension) -> State:
    """With the types that well-known extensions bring, so that they are found in the schema where they are."""
    types = dict(state.schema.types)
    for one in _EXTENSION_TYPES.get(operation.name, ()):
        name = state.target(Name(operation.schema, one))
        types.setdefault(name, UserType(name, "base", created=state.now))
    return state._replace(schema=state.schema._replace(extensions=state.schema.extensions | {operation.name}, types=types))


def create_object(state: State, operation: CreateObject) -> State:
    if operation.kind == "aggregate":
        draft = Draft(state)
        name = state.target(operation.name)
        draft.own_functions()[name] = (*draft.functions.get(name, ()), Function(name, kind="aggregate", created=state.now))
        return draft.done()
    kind = _USER_TYPES.get(operation.kind)
    if kind is None:
        return state
    name = state.target(operation.name)
    if name in state.schema.types:
        return state
    user_type = UserType(name, kind, created=state.now)
    return state._replace(schema=state.schema._replace(types={**state.schema.types, name: user_type}))


ADVANCE: Advances = {
    CreateSequence: create_sequence,
    AlterSequence: alter_sequence,
    CreateFunction: create_function,
    CreateTrigger: create_trigger,
    CreateRule: create_rule,
    CreatePolicy: create_policy,
    AlterPolicy: alter_policy,
    RenameOnTable: rename_on_table,
    CreateSchema: create_schema,
    CreateExtension: create_extension,
    CreateObject: create_object,
}
