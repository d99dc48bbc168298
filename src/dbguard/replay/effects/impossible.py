"""What no server can do whatever the rows are: names that are taken, parts that do not fit together.

Whoever is asked here is known: what was not seen is no reason. Each function names the place in PostgreSQL that refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dbguard.model import operations as op
from dbguard.model.expression import Expression, walk
from dbguard.model.names import Name
from dbguard.model.operations import ColumnDefinition
from dbguard.model.schema import Index, Table
from dbguard.model.state import State
from dbguard.model.types import CATALOG, DataType
from dbguard.replay.effects.types import base_type

_INTEGERS = frozenset({"int2", "int4", "int8"})
_KEYS = frozenset({"unique", "primary key"})
# Functions without arguments that are not immutable (provolatile in pg_proc.dat).
_MOMENTS = frozenset(
    {
        *("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now", "clock_timestamp", "timeofday"),
        *("statement_timestamp", "transaction_timestamp", "random", "gen_random_uuid", "current_user", "session_user"),
    }
)
# Types of fixed width, whose values are never moved out or compressed (typstorage and typlen in pg_type.dat).
_FIXED = frozenset({*_INTEGERS, "float4", "float8", "bool", "date", "time", "timetz", "timestamp", "timestamptz", "uuid", "interval", "money"})


def why_impossible(operation: Any, state: State) -> str | None:
    """The reason to refuse `operation`, None if none is to be seen."""
    ask = _ASKED.get(type(operation))
    if ask is None and state.schema.complete:
        ask = _TAKEN.get(type(operation))
    return None if ask is None else next(ask(operation, state), None)


def _type_taken(creation: Any, state: State) -> Iterator[str]:
    """DefineEnum and DefineDomain in typecmds.c; a table's row type takes a name, too."""
    name = state.target(creation.name)
    if name in state.schema.types or name in state.schema.tables:
        yield f'type "{name}" already exists'


def _sequence_taken(creation: op.CreateSequence, state: State) -> Iterator[str]:
    name = state.target(creation.name)
    if not creation.if_not_exists and not creation.temporary and state.schema.has_relation(name):
        yield f"relation `{name}` already exists"


def _schema_taken(creation: op.CreateSchema, state: State) -> Iterator[str]:
    if not creation.if_not_exists and creation.name in state.schema.namespaces:
        yield f'schema "{creation.name}" already exists'


def _function(creation: op.CreateFunction, state: State) -> Iterator[str]:
    """ProcedureCreate in pg_proc.c."""
    for old in state.schema.functions.get(state.target(creation.name), ()):
        if [_same_type(one, state) for one in old.arguments] != [_same_type(one, state) for one in creation.arguments]:
            continue
        if not creation.replace:
            yield f'function "{creation.name}" already exists with same argument types'
        elif (old.kind == "procedure") is not creation.procedure:
            yield "cannot change routine kind"
        elif old.returns is not None and creation.returns is not None and _same_type(old.returns, state) != _same_type(creation.returns, state):
            yield "cannot change return type of existing function"


def _same_type(data_type: DataType, state: State) -> tuple[Name, int | bool]:
    name = data_type.name if data_type.name.schema is not None else state.resolve_type(data_type.name)
    return name, data_type.array


def _enum_neighbour(change: op.AddEnumValue, state: State) -> Iterator[str]:
    """AddEnumLabel in pg_enum.c."""
    known = state.schema.types.get(state.resolve_type(change.type))
    if known is not None and known.created is not None and change.neighbour is not None and change.neighbour not in known.labels:
        yield f'"{change.neighbour}" is not an existing enum label'


def _enum_rename(change: op.RenameEnumValue, state: State) -> Iterator[str]:
    """RenameEnumLabel in pg_enum.c."""
    known = state.schema.types.get(state.resolve_type(change.type))
    if known is None or known.created is None:
        return
    if change.label not in known.labels:
        yield f'"{change.label}" is not an existing enum label'
    if change.to in known.labels:
        yield f'enum label "{change.to}" already exists'


def _create_table(creation: op.CreateTable, state: State) -> Iterator[str]:
    """transformCreateStmt in parse_utilcmd.c, BuildDescForRelation in tablecmds.c."""
    if creation.if_not_exists and state.target(creation.name) in state.schema.tables:
        return
    seen: set[str] = set()
    for column in creation.columns:
        if column.name in seen:
            yield f'column "{column.name}" specified more than once'
        seen.add(column.name)
        yield from _column(column, state)
    for one in creation.constraints:
        if one.kind in _KEYS:
            from dbguard.replay.effects.opclasses import why_no_key

            reason = why_no_key(one.columns, creation.columns, state)
            if reason is not None:
                yield reason
    keys = [one for column in creation.columns for one in column.constraints if one.kind == "primary key"]
    if len(keys) + sum(one.kind == "primary key" for one in creation.constraints) > 1:
        yield f"multiple primary keys for table `{creation.name}` are not allowed"
    if not creation.like and not creation.inherits and creation.partition_of is None and creation.of_type is None:
        missing = (key.column for key in creation.partition_keys if key.column is not None and key.column not in seen)
        yield from (f'column "{column}" named in partition key does not exist' for column in missing)
    for written in creation.inherits:
        parent = state.table(written)
        if parent.known and (parent.partition_by is not None or parent.parent is not None):
            yield f"cannot inherit from {'partition' if parent.parent is not None else 'partitioned table'} `{parent.name}`"


def _column(column: ColumnDefinition, state: State) -> Iterator[str]:
    if column.identity:
        if column.default is not None:
            yield f'both default and identity specified for column "{column.name}"'
        if column.type.builtin is not None and column.type.builtin not in _INTEGERS:
            yield "identity column type must be smallint, integer, or bigint"
    if column.default is not None:
        yield from _literal(column.type, column.default, state)
    if any(one.kind in _KEYS for one in column.constraints):
        from dbguard.replay.effects.opclasses import why_not_indexed

        reason = why_not_indexed("btree", column.type, state)
        if reason is not None:
            yield reason


def _literal(data_type: DataType, default: Expression, state: State) -> Iterator[str]:
    from dbguard.replay.effects.literals import why_no_default

    reason = why_no_default(data_type, default, state)
    if reason is not None:
        yield reason


def _add_column(addition: op.AddColumn, state: State) -> Iterator[str]:
    """ATExecAddColumn in tablecmds.c."""
    table = state.table(addition.table)
    if addition.if_not_exists and addition.column.name in table.columns:
        return
    yield from _column(addition.column, state)
    if addition.column.identity and table.partition_by is None and any(True for _ in state.schema.partitions(table.name)):
        yield "cannot recursively add identity column to table that has child tables"


def _set_default(change: op.SetDefault, state: State) -> Iterator[str]:
    column = state.table(change.table).columns.get(change.column)
    if column is not None:
        yield from _literal(column.type, change.default, state)


def _fixed(change: op.SetStorage | op.SetCompression, state: State) -> Iterator[str]:
    """GetAttributeStorage and GetAttributeCompression in tablecmds.c."""
    column = state.table(change.table).columns.get(change.column)
    if column is None or column.type.array or column.type.builtin not in _FIXED:
        return
    if isinstance(change, op.SetCompression):
        yield f"column data type {column.type} does not support compression"
    elif change.storage.lower() not in {"plain", "default"}:
        yield f"column data type {column.type} can only have storage PLAIN"


def _index(creation: op.CreateIndex, state: State) -> Iterator[str]:
    """CheckPredicate and ComputeIndexAttrs in indexcmds.c."""
    if creation.method == "hash" and len(creation.keys) > 1:
        yield 'access method "hash" does not support multicolumn indexes'
    from dbguard.replay.effects.opclasses import why_no_index

    table = state.table(creation.table)
    if (reason := why_no_index(creation.method, creation.keys, table, state)) is not None:
        yield reason
    for expression in [key.expression for key in creation.keys] + [creation.where]:
        if expression is not None and _changes(expression, table, state):
            yield f"functions in index {'predicate' if expression is creation.where else 'expression'} must be marked IMMUTABLE"


def _changes(expression: Expression, table: Table, state: State) -> bool:
    """Whether the value depends on the session or the moment: now() and its like, and what shows a timestamptz in local time."""
    for node in walk(expression.tree):
        if node[0] == "call" and len(node) == 2 and node[1].schema in {None, CATALOG} and node[1].name in _MOMENTS:
            return node[1].schema is not None or not any(name.name == node[1].name for name in state.schema.functions)
        if node[0] == "cast" and node[2][0] == "column" and node[1].builtin in {"date", "time", "timestamp", "text", "varchar"}:
            column = table.columns.get(node[2][1])
            if column is not None and not column.type.array and base_type(column.type, state).builtin == "timestamptz":
                return True
    return False


def _trigger(creation: op.CreateTrigger, state: State) -> Iterator[str]:
    """CreateTriggerFiringOn in trigger.c."""
    table = state.table(creation.table)
    if not table.known:
        return
    if creation.timing == "instead of" and table.kind != "view":
        yield f"`{table.name}` is a {table.kind}: tables cannot have INSTEAD OF triggers"
    missing = [column for column in creation.columns if column not in table.columns]
    if missing:
        yield f'column "{missing[0]}" of relation `{table.name}` does not exist'


def _clustered(change: op.SetClustered, state: State) -> Iterator[str]:
    """ATExecClusterOn in tablecmds.c."""
    table = state.table(change.table)
    if table.known and table.kind == "partitioned table":
        yield "cannot mark index clustered in partitioned table"
    if table.known and change.index_name is not None and change.index_name not in table.indexes:
        yield f'index "{change.index_name}" for table `{table.name}` does not exist'


def _cluster(command: op.Cluster, state: State) -> Iterator[str]:
    table = state.table(command.table) if command.table is not None else None
    if table is not None and table.known and command.index_name is not None and command.index_name not in table.indexes:
        yield f'index "{command.index_name}" for table `{table.name}` does not exist'


def _replica_identity(change: op.SetReplicaIdentity, state: State) -> Iterator[str]:
    """ATExecReplicaIdentity in tablecmds.c."""
    table = state.table(change.table)
    index: Index | None = table.indexes.get(change.index_name or "")
    if not table.known or index is None:
        return
    if not index.unique:
        yield f'cannot use non-unique index "{index.name.name}" as replica identity'
    if index.where is not None or any(key.column is None for key in index.keys):
        yield f'cannot use index "{index.name.name}" as replica identity: it is partial or has expressions'
    nullable = [one for one in index.columns if one in table.columns and not table.columns[one].not_null]
    if nullable:
        yield f'index "{index.name.name}" cannot be used as replica identity because column "{nullable[0]}" is nullable'


def _rename_constraint(change: op.RenameConstraint, state: State) -> Iterator[str]:
    table = state.table(change.table)
    if table.known and change.to in table.constraints and change.to != change.name:
        yield f'constraint "{change.to}" for relation `{table.name}` already exists'


def _truncate(command: op.Truncate, state: State) -> Iterator[str]:
    """ExecuteTruncate in tablecmds.c."""
    tables = (state.table(name) for name in command.tables if name in command.only)
    yield from ("cannot truncate only a partitioned table" for table in tables if table.kind == "partitioned table")


def _insert(insert: op.Insert, state: State) -> Iterator[str]:
    """A row of VALUES leaves out a column that has to have a value (ExecConstraints in execMain.c); a trigger could fill it in."""
    table = state.table(insert.table)
    if insert.rows is None or not (insert.columns or insert.default_values) or not table.known or table.kind not in {"table", "partitioned table"}:
        return
    if table.triggers or table.rules or insert.on_conflict:
        return
    for column in table.columns.values():
        filled = column.name in insert.columns or column.default is not None or column.identity or column.generated
        if column.not_null and not filled and column.type.builtin is not None:
            yield f'null value in column "{column.name}" of relation `{table.name}` violates not-null constraint'


# A statement that was not understood may have dropped what has the name: asked only where everything is known.
_TAKEN: dict[type, Callable[[Any, State], Iterator[str]]] = {
    op.AddEnumValue: _enum_neighbour,
    op.CreateDomain: _type_taken,
    op.CreateEnum: _type_taken,
    op.CreateFunction: _function,
    op.CreateSchema: _schema_taken,
    op.CreateSequence: _sequence_taken,
    op.RenameEnumValue: _enum_rename,
}
_ASKED: dict[type, Callable[[Any, State], Iterator[str]]] = {
    op.AddColumn: _add_column,
    op.Cluster: _cluster,
    op.CreateIndex: _index,
    op.CreateTable: _create_table,
    op.CreateTrigger: _trigger,
    op.Insert: _insert,
    op.RenameConstraint: _rename_constraint,
    op.SetClustered: _clustered,
    op.SetCompression: _fixed,
    op.SetDefault: _set_default,
    op.SetReplicaIdentity: _replica_identity,
    op.SetStorage: _fixed,
    op.Truncate: _truncate,
}
