"""ALTER TABLE on columns, except renaming them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model.expression import Expression
from dbguard.model.names import Name
from dbguard.model.operations.objects import AlterAttribute
from dbguard.model.operations.tables import (
    AddColumn,
    AddIdentity,
    ChangeColumnType,
    ColumnDefinition,
    DropColumn,
    DropDefault,
    DropExpression,
    DropIdentity,
    DropNotNull,
    SetCompression,
    SetDefault,
    SetExpression,
    SetIdentity,
    SetNotNull,
    SetStorage,
)
from dbguard.model.schema import Column, Constraint, Table
from dbguard.model.state import State
from dbguard.model.types import DataType
from dbguard.replay.advance.create import merged
from dbguard.replay.advance.define import UNKNOWN, add_constraint, add_owned_sequence, column_from, column_type, drop_index, kept_default, type_in
from dbguard.replay.advance.dependents import drop_references, drop_sequence, drop_views_on
from dbguard.replay.advance.draft import Advances, Draft, without


def add_column(state: State, operation: AddColumn) -> State:
    definition = operation.column
    if operation.if_exists and state.schema.complete and state.resolve(operation.table) not in state.schema.tables:
        return state
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None or definition.name in table.columns:
        return state
    column = column_from(draft, definition)
    if definition.serial or definition.identity:
        column = add_owned_sequence(draft, table.name, column, identity=bool(definition.identity), persistence=table.persistence)
    if not column.not_null and any(c.kind in {"primary key", "not null"} for c in definition.constraints):
        column = column._replace(not_null=True)
    inherited = column._replace(inherited=True)
    for one in draft.family(table, only=operation.only):
        if definition.name not in one.columns:
            draft.put_column(one.name, column if one.name == table.name else inherited)
    if definition.constraints:
        _add_inline(draft, table.name, definition, only=operation.only)
    return draft.done()


def _add_inline(draft: Draft, name: Name, definition: ColumnDefinition, *, only: bool) -> None:
    """Keys first: ALTER TABLE builds indexes before it adds checks and foreign keys (AT_PASS_ADD_INDEX in tablecmds.c)."""
    keys = merged(c for c in definition.constraints if c.kind in {"primary key", "unique"})
    others = (c for c in definition.constraints if c.kind not in {"primary key", "unique"})
    for constraint in (*keys, *sorted(others, key=lambda c: c.kind == "foreign key")):
        add_constraint(draft, name, constraint, only=only)


def drop_column(state: State, operation: DropColumn) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None:
        return state
    if operation.column not in table.columns and table.known:
        return state
    remove_column(draft, table.name, operation.column, cascade=operation.cascade, only=operation.only)
    return draft.done()


def remove_column(draft: Draft, name: Name, column: str, *, cascade: bool, only: bool = False) -> None:
    """A column with everything that mentions it: indexes, constraints, foreign keys of others, owned sequences; with CASCADE more."""
    table = draft.tables[name]
    for child in draft.children(name):
        inherited = child.columns.get(column)
        if inherited is not None and inherited.inherited:
            if only:
                draft.put_column(child.name, inherited._replace(inherited=False))
            else:
                remove_column(draft, child.name, column, cascade=cascade)
    for index in tuple(table.indexes.values()):
        if column in index.mentioned:
            drop_index(draft, index)
    table = draft.tables[name]
    constraints = {k: c for k, c in table.constraints.items() if not _mentions(c, column)}
    triggers = {k: t for k, t in table.triggers.items() if column not in t.columns and column not in t.when_columns}
    policies = {k: p for k, p in table.policies.items() if column not in p.columns}
    draft.put(table._replace(columns=without(table.columns, column), constraints=constraints, triggers=triggers, policies=policies))
    drop_references(draft, name, column)
    for sequence in [s for s in draft.sequences.values() if s.owner == (name, column)]:
        drop_sequence(draft, sequence.name)
    for generated in [c.name for c in table.columns.values() if c.generated and c.default is not None and column in c.default.columns]:
        if generated != column:
            remove_column(draft, name, generated, cascade=cascade)
    if cascade:
        drop_views_on(draft, name, column)


def _mentions(constraint: Constraint, column: str) -> bool:
    if column in constraint.columns:
        return True
    return constraint.expression is not None and column in constraint.expression.columns


def change_type(state: State, operation: ChangeColumnType) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None:
        return state
    new_type = column_type(draft, operation.type)
    for one in draft.family(table, only=operation.only):
        column = one.columns.get(operation.column) or (None if one.known else Column(operation.column, new_type))
        if column is not None:
            default = _converted_default(draft, column)
            draft.put_column(one.name, column._replace(type=new_type, collation=operation.collation, default=default))
    _retype_identity(draft, table.name, operation.column, new_type)
    return draft.done()


def _converted_default(draft: Draft, column: Column) -> Expression | None:
    """The default of a column that changes its type is converted, so a literal keeps its cast to an old type of the user."""
    default, old = column.default, column.type
    if default is None or column.generated or old.name not in draft.types or default.tree[0] != "const":
        return default
    return Expression(f"{default.sql}::{old}", ("cast", old, default.tree))


def _retype_identity(draft: Draft, name: Name, column: str, new_type: DataType) -> None:
    """The sequence of an identity column changes its type with it (transformAlterTableStmt)."""
    for sequence in [s for s in draft.sequences.values() if s.identity and s.owner == (name, column)]:
        draft.own_sequences()[sequence.name] = sequence._replace(type=new_type)


def _each(state: State, operation: Any, change: Callable[[Column], Column]) -> State:
    """The column changed in the table and, unless ONLY was written, in its children."""
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None:
        return state
    for one in draft.family(table, only=getattr(operation, "only", True)):
        column = one.columns.get(operation.column) or (None if one.known else Column(operation.column, UNKNOWN))
        if column is not None:
            draft.put_column(one.name, change(column))
    return draft.done()


def set_default(state: State, operation: SetDefault) -> State:
    draft = Draft(state)
    return _each(state, operation, lambda column: column._replace(default=kept_default(draft, column.type, operation.default)))


def drop_default(state: State, operation: DropDefault) -> State:
    return _each(state, operation, lambda column: column if column.generated else column._replace(default=None))


def set_not_null(state: State, operation: SetNotNull) -> State:
    state = _each(state, operation, lambda column: column._replace(not_null=True))
    table = state.schema.tables.get(state.resolve(operation.table))
    unproved = None if table is None else next((c for c in table.constraints.values() if _is_not_null(c, operation.column) and not c.valid), None)
    if table is None or unproved is None:
        return state
    draft = Draft(state)
    draft.put_constraint(table.name, unproved._replace(valid=True))
    return draft.done()


def drop_not_null(state: State, operation: DropNotNull) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None:
        return state
    for one in draft.family(table, only=operation.only):
        remove_not_null(draft, one.name, operation.column)
    return draft.done()


def remove_not_null(draft: Draft, name: Name, column: str) -> None:
    table = draft.tables[name]
    found = table.columns.get(column) or Column(column, UNKNOWN)
    if not table.known or column in table.columns:
        draft.put(
            table._replace(
                columns={**table.columns, column: found._replace(not_null=False)},
                constraints={k: c for k, c in table.constraints.items() if not _is_not_null(c, column)},
            )
        )


def _is_not_null(constraint: Constraint, column: str) -> bool:
    return constraint.kind == "not null" and constraint.columns == (column,)


def set_expression(state: State, operation: SetExpression) -> State:
    return _each(state, operation, lambda column: column._replace(default=operation.expression))


def drop_expression(state: State, operation: DropExpression) -> State:
    return _each(state, operation, lambda column: column._replace(default=None, generated="") if column.generated else column)


def add_identity(state: State, operation: AddIdentity) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None:
        return state
    column = table.columns.get(operation.column) or Column(operation.column, UNKNOWN, not_null=True)
    if column.identity:
        return state
    add_owned_sequence(draft, table.name, column, identity=True, persistence=table.persistence)
    draft.put_column(table.name, column._replace(identity=operation.identity, not_null=True))
    for child in _partitions_below(draft, table):
        if operation.column in child.columns:
            draft.put_column(child.name, child.columns[operation.column]._replace(identity=operation.identity))
    return draft.done()


def set_identity(state: State, operation: SetIdentity) -> State:
    kind = operation.identity
    return state if kind is None else _each(state, operation, lambda column: column._replace(identity=kind))


def drop_identity(state: State, operation: DropIdentity) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    column = table.columns.get(operation.column) if table is not None else None
    if table is None or column is None or not column.identity:
        return state
    for one in (table, *_partitions_below(draft, table)):
        if operation.column in one.columns:
            draft.put_column(one.name, one.columns[operation.column]._replace(identity=""))
    for sequence in [s for s in draft.sequences.values() if s.identity and s.owner == (table.name, operation.column)]:
        draft.own_sequences().pop(sequence.name)
    return draft.done()


def _partitions_below(draft: Draft, table: Table) -> list[Table]:
    """Identity is inherited by partitions (from 17), never by inheritance children."""
    return [one for one in draft.family(table)[1:] if one.parent is not None]


def set_storage(state: State, operation: SetStorage) -> State:
    return _each(state, operation, lambda column: column._replace(storage=operation.storage.lower()))


def set_compression(state: State, operation: SetCompression) -> State:
    return _each(state, operation, lambda column: column._replace(compression=operation.method))


def alter_attribute(state: State, operation: AlterAttribute) -> State:
    draft = Draft(state)
    name = state.resolve_type(operation.type)
    table = draft.tables.get(name) or Table(name, "composite type", known=False)
    data_type = type_in(draft, operation.data_type) if operation.data_type is not None else UNKNOWN
    if operation.change == "drop":
        draft.put(table._replace(columns=without(table.columns, operation.attribute)))
    else:
        draft.put(table._replace(columns={**table.columns, operation.attribute: Column(operation.attribute, data_type)}))
    return draft.done()


ADVANCE: Advances = {
    AddColumn: add_column,
    DropColumn: drop_column,
    ChangeColumnType: change_type,
    SetDefault: set_default,
    DropDefault: drop_default,
    SetNotNull: set_not_null,
    DropNotNull: drop_not_null,
    SetExpression: set_expression,
    DropExpression: drop_expression,
    AddIdentity: add_identity,
    SetIdentity: set_identity,
    DropIdentity: drop_identity,
    SetStorage: set_storage,
    SetCompression: set_compression,
    AlterAttribute: alter_attribute,
}
