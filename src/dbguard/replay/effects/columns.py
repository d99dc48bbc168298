"""Columns: added, dropped, renamed, and what ALTER COLUMN sets, except types (column_types) and NOT NULL (not_null).

Lock modes are those of AlterTableGetLockLevel, the work that of ATRewriteTables, both in src/backend/commands/tablecmds.c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.keys import IndexKey
from dbguard.model.operations import (
    AddColumn,
    AddIdentity,
    ChangeColumnOptions,
    ColumnDefinition,
    DropColumn,
    DropDefault,
    DropExpression,
    DropIdentity,
    RenameColumn,
    SetCompression,
    SetDefault,
    SetExpression,
    SetIdentity,
    SetStatistics,
    SetStorage,
)
from dbguard.model.postgres import Server
from dbguard.model.schema import Column, Table
from dbguard.model.state import Effects, Lock, State
from dbguard.replay.advance.dependents import sequences_in
from dbguard.replay.effects.common import (
    AX,
    RX,
    SRX,
    SUE,
    absent,
    add,
    assumed,
    built,
    family,
    leaves,
    lock,
    lock_all,
    named_in,
    no_column,
    refused,
    torn,
)
from dbguard.replay.effects.common import rewritten as rewrite
from dbguard.replay.effects.dependents import bound_to, row_type_user, views_of
from dbguard.replay.effects.foreign_keys import add_foreign_key
from dbguard.replay.effects.refusals import column_too_new, why_no_constraint
from dbguard.replay.effects.types import domain_default, is_constrained_domain, unseen_type
from dbguard.replay.effects.volatility import is_volatile

_INTEGERS = frozenset({"int2", "int4", "int8"})


def _add_column(operation: AddColumn, state: State, server: Server) -> Effects:
    """Metadata only, unless every row needs a value of its own or has to be checked (ATExecAddColumn)."""
    table = state.table(operation.table)
    if (answer := absent(state, table, if_exists=operation.if_exists)) is not None:
        return answer
    if table.known and operation.column.name in table.columns and operation.if_not_exists:
        return Effects(locks=lock(AX, table.name))
    if (answer := _refused_column(operation, table, state, server)) is not None:
        return answer
    column = operation.column
    tables = family(state, table.name, only=operation.only)
    effects = Effects(locks=lock_all(AX, tables), unknown=assumed(table) + unseen_type(column.type, state))
    effects = add(effects, _fill(column, tables, state, server), _verify(operation, tables, state))
    if (effects.rewrites or _has_value(column)) and (reason := next(filter(None, (row_type_user(state, one) for one in tables)), None)) is not None:
        return refused(reason)
    if any(constraint.kind in {"unique", "primary key", "exclusion"} for constraint in column.constraints):
        effects = effects._replace(builds=effects.builds + built(state, operation))
    if not table.known or not _leaves_nulls(column, state):
        return effects
    if all(state.may_be_empty(name) for name in leaves(tables)):
        return add(effects, Effects(scans=leaves(tables)))
    return effects._replace(fails=f'column "{column.name}" of relation `{table.name}` contains null values')


def _refused_column(operation: AddColumn, table: Table, state: State, server: Server) -> Effects | None:
    column = operation.column
    if (reason := column_too_new(column, server)) is not None:
        return refused(reason)
    if table.known and column.name in table.columns:
        return refused(f'column "{column.name}" of relation `{table.name}` already exists')
    if table.known and operation.only and state.schema.partitions(table.name):
        return refused("column must be added to child tables too")
    if table.parent is not None:
        return refused("cannot add column to a partition")
    if table.of_type is not None:
        return refused("cannot add column to typed table")
    grown = table._replace(columns={**table.columns, column.name: Column(column.name, column.type)})
    reasons = (why_no_constraint(constraint, grown, state, server) for constraint in column.constraints if constraint.kind != "not null")
    return next((refused(reason) for reason in reasons if reason is not None), None)


def _fill(column: ColumnDefinition, tables: tuple[Table, ...], state: State, server: Server) -> Effects:
    """A rewrite for a value that differs from row to row, and for a domain whose constraints have to be checked."""
    if _is_virtual(column, server):
        return Effects(scans=leaves(tables)) if _is_not_null(column) else Effects()
    if column.serial or column.identity or column.generated or is_constrained_domain(column.type, state):
        return rewrite(tables)
    default = column.default or domain_default(column.type, state)
    if default is None or default.is_null:
        return Effects()
    found = is_volatile(default, state)
    if not found.volatile:
        return Effects(locks=named_in(state, server, default))
    taken = Effects(locks=lock(RX, *sequences_in(state, default)), unknown=found.unknown)
    return add(taken, rewrite(tables))


def _is_virtual(column: ColumnDefinition, server: Server) -> bool:
    return column.generated == "virtual" or (column.generated == "unstated" and server.since(18))


def _is_not_null(column: ColumnDefinition) -> bool:
    return column.not_null or any(constraint.kind in {"not null", "primary key"} for constraint in column.constraints)


def _has_value(column: ColumnDefinition) -> bool:
    """Whether rows that exist get a value, be it from the catalog."""
    return bool(column.generated) or (column.default is not None and not column.default.is_null)


def _leaves_nulls(column: ColumnDefinition, state: State) -> bool:
    if not _is_not_null(column) or column.serial or column.identity or column.generated:
        return False
    default = column.default or domain_default(column.type, state)
    return default is None or default.is_null


def _verify(operation: AddColumn, tables: tuple[Table, ...], state: State) -> Effects:
    """Inline checks are verified at once. An inline foreign key is not, unless a default was written, even DEFAULT NULL
    (transformAlterTableStmt in src/backend/parser/parse_utilcmd.c, skipValidation).
    """
    effects = Effects()
    for constraint in operation.column.constraints:
        if constraint.kind == "check" and constraint.valid and constraint.enforced:
            effects = add(effects, Effects(scans=leaves(tables[:1] if constraint.no_inherit else tables)))
        elif constraint.kind == "foreign key":
            checked = (operation.column.default is not None or operation.verified) and constraint.valid and constraint.enforced
            referencing = tables if tables[0].kind == "partitioned table" else tables[:1]  # inheritance children have keys of their own
            effects = add(effects, add_foreign_key(constraint, referencing, state, checked=checked))
    return effects


def _drop_column(operation: DropColumn, state: State, server: Server) -> Effects:
    """Indexes, constraints, foreign keys on both sides and owned sequences go with it, views only by CASCADE."""
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    tables = family(state, table.name, only=operation.only)
    if table.known and operation.column not in table.columns:
        if operation.if_exists:
            return Effects(locks=lock(AX, table.name))
        return refused(f'column "{operation.column}" of relation `{table.name}` does not exist')
    if (reason := _keeps_column(operation, table, state, server)) is not None:
        return refused(reason)
    heirs = state.schema.partitions(table.name) if operation.only else ()  # ONLY leaves them a column of their own
    return Effects(locks=lock_all(AX, (*tables, *heirs)) + torn(state, operation), unknown=assumed(table))


def _keeps_column(operation: DropColumn, table: Table, state: State, server: Server) -> str | None:
    """Why the column has to stay (ATExecDropColumn, and dependencies without CASCADE); up to 14 generated columns went along."""
    name = operation.column
    if not table.known:
        return None
    if table.of_type is not None:
        return "cannot drop column from typed table"
    if (parted := parted_by(table, name, state)) is not None:
        return f'cannot drop column "{name}" because it is part of the partition key of relation `{parted.name}`'
    if table.parent is not None or table.columns[name].inherited:
        return f'cannot drop inherited column "{name}"'
    if operation.only and table.kind == "partitioned table" and state.schema.partitions(table.name):
        return "cannot drop column from only the partitioned table when partitions exist"
    if operation.cascade:
        return None
    generated = (c for c in table.columns.values() if c.generated and c.default is not None and name in c.default.columns and server.since(15))
    children = (
        child
        for child, key in state.schema.referencing(table.name)
        if name in referenced_columns(key, table) and (child.name != table.name or name not in key.columns)
    )
    views = (view for view in views_of(state, table.name, name) if surely_uses(view, name, state))
    triggers = (t for t in table.triggers.values() if name in t.columns or name in t.when_columns)
    policies = (p for p in table.policies.values() if name in p.columns)
    dependent = next((str(one.name) for found in (generated, children, views, triggers, policies) for one in found), None)
    dependent = dependent or next((f"publication {one}" for one, columns in table.published.items() if name in columns), None)
    dependent = dependent or next((str(one) for one in bound_to(state, table.name, name)), None)
    return None if dependent is None else f"cannot drop column {name} of table {table.name} because `{dependent}` depends on it"


def parted_by(table: Table, column: str, state: State) -> Table | None:
    """The table, or the one below it, that is partitioned by the column."""
    if table.partition_by is None:
        return None
    tables = family(state, table.name)
    return next((one for one in tables if one.partition_by is not None and any(key_uses(key, column) for key in one.partition_by.keys)), None)


def key_uses(key: IndexKey, column: str) -> bool:
    """Whether a key of an index or a partitioned table is that column or an expression with it."""
    return key.column == column or (key.expression is not None and column in key.expression.columns)


def referenced_columns(key: Any, parent: Table) -> tuple[str, ...]:
    """The columns of `parent` that a foreign key references."""
    if key.referenced_columns:
        return tuple(key.referenced_columns)
    return parent.primary_key.columns if parent.primary_key is not None else ()


def surely_uses(view: Table, column: str, state: State) -> bool:
    """Whether the view cannot do without that column of a table it reads: no other table it reads has such a column."""
    assert view.uses is not None
    reads = {state.resolve(name) for name in view.uses.reads}
    if view.uses.star:
        return len(reads) == 1
    holders = [name for name in reads if not state.schema.table(name).known or column in state.schema.table(name).columns]
    return len(holders) == 1


def _rename_column(operation: RenameColumn, state: State, server: Server) -> Effects:
    """renameatt_internal; views follow, so they are no obstacle."""
    table = state.table(operation.table)
    if (answer := absent(state, table) or no_column(table, operation.column)) is not None:
        return answer
    if table.known and operation.to in table.columns:
        return refused(f'column "{operation.to}" of relation `{table.name}` already exists')
    if table.known and (table.parent is not None or table.columns[operation.column].inherited):
        return refused(f'cannot rename inherited column "{operation.column}"')
    if table.known and operation.only and state.schema.partitions(table.name):
        return refused(f'inherited column "{operation.column}" must be renamed in child tables too')
    return Effects(locks=lock_all(AX, family(state, table.name, only=operation.only)), unknown=assumed(table))


def _set_default(operation: SetDefault, state: State, server: Server) -> Effects:
    """Rows that exist keep their value (manual, ALTER TABLE, SET DEFAULT)."""
    table = state.table(operation.table)
    column = table.columns.get(operation.column)
    if column is not None and table.known and column.generated:
        return refused(f'column "{column.name}" of relation `{table.name}` is a generated column')
    if column is not None and table.known and column.identity:
        return refused(f'column "{column.name}" of relation `{table.name}` is an identity column')
    return add(_alter_column(operation, state, server), Effects(locks=named_in(state, server, operation.default)))


def _alter_column(operation: Any, state: State, server: Server) -> Effects:
    """ACCESS EXCLUSIVE on the table and its descendants, and no work."""
    table = state.table(operation.table)
    if (answer := absent(state, table) or no_column(table, operation.column)) is not None:
        return answer
    return Effects(locks=lock_all(AX, family(state, table.name, only=operation.only)), unknown=assumed(table))


def _set_compression(operation: SetCompression, state: State, server: Server) -> Effects:
    """Of this table alone (ATPrepCmd, AT_SetCompression)."""
    return _alter_column(operation._replace(only=True), state, server) if server.since(14) else refused("SET COMPRESSION needs PostgreSQL 14")


def _set_expression(operation: SetExpression, state: State, server: Server) -> Effects:
    """Stored values are computed again; of a virtual column only constraints are verified (ATExecSetExpression)."""
    if not server.since(17):
        return refused("SET EXPRESSION needs PostgreSQL 17")
    table = state.table(operation.table)
    column = table.columns.get(operation.column)
    if table.known and column is not None and not column.generated:
        return refused(f'column "{column.name}" of relation `{table.name}` is not a generated column')
    tables = family(state, table.name, only=operation.only)
    base = _alter_column(operation, state, server)
    if column is None or column.generated == "stored":
        return add(base, rewrite(tables))
    checked = column.not_null or any(
        c.kind == "check" and c.expression is not None and column.name in c.expression.columns for c in table.constraints.values()
    )
    return add(base, Effects(scans=leaves(tables))) if checked else base


def _drop_expression(operation: DropExpression, state: State, server: Server) -> Effects:
    table = state.table(operation.table)
    column = table.columns.get(operation.column)
    if table.known and column is not None:
        if column.generated == "virtual":
            return refused("ALTER TABLE / DROP EXPRESSION is not supported for virtual generated columns")
        if not column.generated and not operation.if_exists:
            return refused(f'column "{column.name}" of relation `{table.name}` is not a generated column')
    return _alter_column(operation, state, server)


def _add_identity(operation: AddIdentity, state: State, server: Server) -> Effects:
    table = state.table(operation.table)
    column = table.columns.get(operation.column)
    if table.known and table.parent is not None:
        return refused("cannot add identity to a column of a partition")
    if table.known and column is not None and (reason := _no_identity(column)) is not None:
        return refused(f'column "{column.name}" of relation `{table.name}` {reason}')
    return _alter_identity(operation, table, state, server)


def _alter_identity(operation: AddIdentity | SetIdentity | DropIdentity, table: Table, state: State, server: Server) -> Effects:
    """Inheritance children have no part in it; partitions do since 17 (ATPrepCmd, AT_AddIdentity)."""
    reaches_down = table.kind == "partitioned table" and server.since(17)
    return _alter_column(operation if reaches_down else operation._replace(only=True), state, server)


def _no_identity(column: Column) -> str | None:
    """ATExecAddIdentity."""
    if column.type.builtin is not None and column.type.builtin not in _INTEGERS:
        return "must be smallint, integer, or bigint to be an identity column"
    if not column.not_null:
        return "must be declared NOT NULL before identity can be added"
    if column.identity:
        return "is already an identity column"
    return "already has a default value" if column.default is not None else None


def _identity(operation: SetIdentity | DropIdentity, state: State, server: Server) -> Effects:
    """The sequence is changed or dropped with it (ATExecSetIdentity, ATExecDropIdentity)."""
    table = state.table(operation.table)
    column = table.columns.get(operation.column)
    base = _alter_identity(operation, table, state, server)
    dropped = isinstance(operation, DropIdentity)
    if column is not None and table.known and not column.identity:
        if isinstance(operation, DropIdentity) and operation.if_exists:
            return Effects(locks=lock(AX, table.name))
        return refused(f'column "{column.name}" of relation `{table.name}` is not an identity column')
    return add(base, Effects(locks=identity_locks(table, operation.column, state, AX if dropped else SRX)))


def identity_locks(table: Table, column: str, state: State, mode: Any) -> tuple[Lock, ...]:
    """`mode` on the sequence behind an identity column."""
    return lock(mode, *(s.name for s in state.schema.sequences.values() if s.identity and s.owner == (table.name, column)))


def _gently(operation: Any, state: State, server: Server) -> Effects:
    """SHARE UPDATE EXCLUSIVE: reads and writes go on (AlterTableGetLockLevel)."""
    if isinstance(operation, SetStatistics) and operation.of_index:
        return Effects(locks=lock(SUE, state.resolve(operation.table)))
    table = state.table(operation.table)
    if (answer := absent(state, table) or no_column(table, operation.column)) is not None:
        return answer
    whole = family(state, table.name, only=isinstance(operation, ChangeColumnOptions) or operation.only)
    return Effects(locks=lock_all(SUE, whole), unknown=assumed(table))


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    AddColumn: _add_column,
    DropColumn: _drop_column,
    RenameColumn: _rename_column,
    SetDefault: _set_default,
    DropDefault: _alter_column,
    SetStorage: _alter_column,
    SetCompression: _set_compression,
    SetExpression: _set_expression,
    DropExpression: _drop_expression,
    AddIdentity: _add_identity,
    SetIdentity: _identity,
    DropIdentity: _identity,
    SetStatistics: _gently,
    ChangeColumnOptions: _gently,
}
