"""Types, functions, schemas, extensions and every other object: most lock no relation, unless CASCADE reaches one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.operations import (
    AddEnumValue,
    AlterAttribute,
    AlterObject,
    CreateDomain,
    CreateEnum,
    CreateFunction,
    CreateObject,
    CreateSchema,
    DropFunction,
    DropObject,
    DropOwned,
    DropSchema,
    DropType,
    RenameEnumValue,
    RenameObject,
)
from dbguard.model.postgres import Server
from dbguard.model.state import Effects, Lock, State
from dbguard.replay.effects.common import AX, FORBIDDEN, NOTHING, add, leaves, lock, lock_all, refused, schema_knows
from dbguard.replay.effects.dependents import drop_collation, drop_function, drop_namespace, drop_type, has_type
from dbguard.replay.effects.queries import plan_query
from dbguard.replay.effects.reading import REWRITTEN

# PreventInTransactionBlock in src/backend/tcop/utility.c and src/backend/commands/subscriptioncmds.c.
_STANDS_ALONE = frozenset({"database", "tablespace", "subscription"})


def _plain(operation: object, state: State, server: Server) -> Effects:
    """No relation is locked; only a name can be taken (impossible)."""
    return NOTHING


def _create_object(create: CreateObject, state: State, server: Server) -> Effects:
    return FORBIDDEN if create.kind in _STANDS_ALONE and create.detail != "no slot" else Effects()


def _alter_object(alter: AlterObject, state: State, server: Server) -> Effects:
    """ALTER DATABASE SET TABLESPACE and ALTER SUBSCRIPTION REFRESH stand alone."""
    if (alter.kind, alter.detail) in {("database", "tablespace"), ("subscription", "refresh")}:
        return FORBIDDEN
    return _composite(alter.kind, alter.name, state)


def _rename_object(rename: RenameObject, state: State, server: Server) -> Effects:
    return _composite(rename.kind, rename.name, state)


def _composite(kind: str, name: Name, state: State) -> Effects:
    """A composite type is a relation, and locked like one when it gets a name or an owner (`RenameType` in typecmds.c)."""
    full = state.resolve_type(name)
    return Effects(locks=lock(AX, full)) if kind == "type" and full in state.schema.tables else Effects()


def _drop_object(drop: DropObject, state: State, server: Server) -> Effects:
    if drop.kind in _STANDS_ALONE:
        return FORBIDDEN
    if drop.kind == "collation":
        return _drop_with(drop, [(name, drop_collation(state, state.target(name))) for name in drop.names], state)
    if drop.kind == "statistics":
        return Effects(unknown=("the table of the statistics is locked in SHARE UPDATE EXCLUSIVE mode",))
    if drop.cascade:
        return Effects(unknown=(f"what depends on the {drop.kind} is dropped too, under ACCESS EXCLUSIVE",))
    return Effects()


def _drop_with(drop: Any, reached: list[tuple[Name, tuple[Lock, ...]]], state: State) -> Effects:
    """Without CASCADE a drop that would reach a relation is refused."""
    if not drop.cascade and schema_knows(state.schema):
        for name, locks in reached:
            others = [one.relation for one in locks if one.relation != state.resolve_type(name)]
            if others:
                return refused(f"`{others[0]}` depends on `{name}`")
    return Effects(locks=tuple(one for _, locks in reached for one in locks))


def _drop_type(drop: DropType, state: State, server: Server) -> Effects:
    """RemoveTypes; CASCADE drops every column of the type, of an array of it, and of domains over it."""
    full = [state.resolve_type(name) for name in drop.names]
    missing = [name for name in full if name not in state.schema.types and name not in state.schema.tables]
    if missing and state.schema.complete and not drop.if_exists and not state.schema.extensions:
        return refused(f'type "{missing[0]}" does not exist')
    return _drop_with(drop, [(name, drop_type(state, name)) for name in full], state)


def _drop_function(drop: DropFunction, state: State, server: Server) -> Effects:
    """An overloaded function is judged by its name alone, so a refusal is only predicted where there is one."""
    reached = []
    for name in drop.names:
        full = _function_name(name, state)
        known = state.schema.functions.get(full, ())
        if len(known) == 1 or drop.cascade:
            reached.append((full, drop_function(state, full)))
    return _drop_with(drop, reached, state)


def _function_name(name: Name, state: State) -> Name:
    if name.schema is not None:
        return name
    places = (Name(schema, name.name) for schema in state.search_path)
    return next((place for place in places if place in state.schema.functions), state.target(name))


def _create_function(function: CreateFunction, state: State, server: Server) -> Effects:
    """The body of an SQL function is analysed when it is created (`fmgr_sql_validator` in pg_proc.c)."""
    if function.atomic:
        if not server.since(14):
            return refused("functions with BEGIN ATOMIC or RETURN are known from PostgreSQL 14")
        return plan_query(function.uses, state, stage=REWRITTEN)
    if function.language != "sql" or not function.body or state.settings.get("check_function_bodies") in {"off", "false", "0"}:
        return Effects()
    from dbguard.parsing import parse_text

    queries = (getattr(operation, "uses", None) for statement in parse_text(function.body) for operation in statement.operations)
    return add(Effects(), *(plan_query(uses, state, stage=REWRITTEN) for uses in queries if uses is not None))


def _drop_schema(drop: DropSchema, state: State, server: Server) -> Effects:
    parts = []
    for schema in drop.names:
        locks = drop_namespace(state, schema)
        holds_others = any(name.schema == schema for kind in (state.schema.types, state.schema.functions) for name in kind)
        if not drop.cascade and (locks or holds_others) and state.schema.complete:
            return refused(f"schema `{schema}` is not empty")
        parts.append(Effects(locks=locks if drop.cascade else ()))
    unknown = () if state.schema.complete or not drop.cascade else ("objects that were not seen being created are dropped too",)
    return add(Effects(unknown=unknown), *parts)


def _drop_owned(drop: DropOwned, state: State, server: Server) -> Effects:
    """Who owns what is not in migrations."""
    action = "gets a new owner" if drop.reassign else "is dropped"
    return Effects(unknown=(f"everything that the role owns {action}, each relation under ACCESS EXCLUSIVE",))


def _add_enum_value(add_value: AddEnumValue, state: State, server: Server) -> Effects:
    """AddEnumLabel in src/backend/catalog/pg_enum.c: tables that use the type are not locked."""
    known = state.schema.types.get(state.resolve_type(add_value.type))
    if known is not None and state.schema.complete and add_value.label in known.labels and not add_value.if_not_exists:
        return refused(f"`{known.name}` has a value `{add_value.label}`")
    return Effects()


def _alter_attribute(alter: AlterAttribute, state: State, server: Server) -> Effects:
    """ATTypedTableRecursion and find_composite_type_dependencies in src/backend/commands/tablecmds.c."""
    name = state.resolve_type(alter.type)
    tables = state.schema.tables.values()
    typed = [table for table in tables if table.of_type is not None and state.resolve_type(table.of_type) == name]
    if typed and not alter.cascade and schema_knows(state.schema, *typed):
        return refused(f"`{typed[0].name}` is made of type `{name}`: the change needs CASCADE")
    uses = has_type(state, name)
    users = [table for table in tables if table.has_storage and any(map(uses, table.columns.values()))]
    if users and alter.change == "alter" and schema_knows(state.schema, *users):
        return refused(f"`{users[0].name}` has a column of type `{name}`")
    rewrites = leaves(typed) if alter.change == "alter" else ()
    return Effects(locks=(*lock(AX, name), *lock_all(AX, typed)), rewrites=rewrites)


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    CreateDomain: _plain,
    CreateEnum: _plain,
    CreateSchema: _plain,
    RenameEnumValue: _plain,
    CreateObject: _create_object,
    AlterObject: _alter_object,
    RenameObject: _rename_object,
    DropObject: _drop_object,
    DropType: _drop_type,
    DropFunction: _drop_function,
    CreateFunction: _create_function,
    DropSchema: _drop_schema,
    DropOwned: _drop_owned,
    AddEnumValue: _add_enum_value,
    AlterAttribute: _alter_attribute,
}
