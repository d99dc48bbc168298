"""CREATE TABLE and CREATE TABLE AS: a new table is nobody's, but what it points at and copies from is locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.operations import CreateTable, CreateTableAs, LikeTable
from dbguard.model.postgres import Server
from dbguard.model.schema import Table
from dbguard.model.state import Effects, State
from dbguard.replay.effects.common import AS, SUE, absent, add, after, assumed, lock, named_in, refused
from dbguard.replay.effects.foreign_keys import add_foreign_key
from dbguard.replay.effects.partition_of import create_partition
from dbguard.replay.effects.reading import ANALYSED, read_all
from dbguard.replay.effects.refusals import column_too_new, why_no_constraint


def _create_table(operation: CreateTable, state: State, server: Server) -> Effects:
    """DefineRelation in src/backend/commands/tablecmds.c."""
    name = state.target(operation.name)
    if operation.persistence != "temporary" and name in state.schema.tables:
        existing = state.schema.tables[name]
        if operation.if_not_exists:
            return Effects()
        if existing.known:
            return refused(f"relation `{name}` already exists")
    for column in operation.columns:
        if (reason := column_too_new(column, server)) is not None:
            return refused(reason)
    found = Effects(locks=named_in(state, server, *[column.default for column in operation.columns]))
    for source in operation.like:
        found = add(found, _like(source, state, server))
    for parent_name in operation.inherits:
        found = add(found, _inherit(state.table(parent_name), state, server))
    found = add(found, _constraints(operation, name, state, server))
    return add(found, create_partition(operation, state, server)) if operation.partition_of is not None else found


def _constraints(operation: CreateTable, name: Name, state: State, server: Server) -> Effects:
    """There are no rows to check, but the tables that foreign keys reference get triggers."""
    found = Effects()
    inline = (constraint for column in operation.columns for constraint in column.constraints if constraint.kind != "not null")
    constraints = (*inline, *operation.constraints)
    if not constraints:
        return found
    created = state._replace(schema=after(state, operation))
    table = created.schema.table(name)._replace(constraints={}, indexes={})  # as it is before any of them
    for constraint in constraints:
        if (reason := why_no_constraint(constraint, table, created, server)) is not None:
            return refused(reason)
        if constraint.kind == "foreign key":
            found = add(found, add_foreign_key(constraint, (Table(name=name, known=False),), state, checked=False))
    return found


def _like(like: LikeTable, state: State, server: Server) -> Effects:
    """transformTableLikeClause; copied defaults name the same sequences."""
    source = state.table(like.source)
    if (answer := absent(state, source)) is not None:
        return answer
    found = Effects(locks=lock(AS, source.name), unknown=assumed(source))
    return add(found, _defaults(source, state, server)) if "defaults" in like.including else found


def _inherit(parent: Table, state: State, server: Server) -> Effects:
    """MergeAttributes locks a parent against other schema changes."""
    if (answer := absent(state, parent)) is not None:
        return answer
    return add(Effects(locks=lock(SUE, parent.name), unknown=assumed(parent)), _defaults(parent, state, server))


def _defaults(source: Table, state: State, server: Server) -> Effects:
    return Effects(locks=named_in(state, server, *(column.default for column in source.columns.values() if not column.generated)))


def _create_table_as(operation: CreateTableAs, state: State, server: Server) -> Effects:
    """ExecCreateTableAs in src/backend/commands/createas.c; WITH NO DATA plans nothing."""
    name = state.target(operation.name)
    existing = state.schema.tables.get(name)
    if existing is not None and operation.persistence != "temporary" and existing.known and not operation.if_not_exists:
        return refused(f"relation `{name}` already exists")
    if existing is not None or not operation.with_data:
        return add(Effects(), *read_all(operation.uses, state, stage=ANALYSED))
    return add(Effects(), *read_all(operation.uses, state))


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    CreateTable: _create_table,
    CreateTableAs: _create_table_as,
}
