"""What CASCADE takes along: everything that dependencies reach is dropped or changed under ACCESS EXCLUSIVE.

Dependencies are those of pg_depend as far as the replayed schema shows them (manual, Dependency Tracking).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dbguard.model.expression import Expression, walk
from dbguard.model.names import Name
from dbguard.model.schema import Column, Index, Table
from dbguard.model.state import Lock, State
from dbguard.model.types import DataType
from dbguard.replay.effects.common import AX, family, foreign_keys_of, lock, lock_all
from dbguard.replay.effects.queries import sequences_of_default


def drop_relations(state: State, relations: Iterable[Name]) -> Iterator[Lock]:
    """Tables, views and sequences dropped with all that depends on them: views, foreign keys, indexes, owned sequences."""
    waiting = list(relations)
    done: set[Name] = set()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        yield Lock(name, AX)
        table = state.schema.tables.get(name)
        if table is None:
            continue
        yield from lock_all(AX, table.indexes.values())
        yield from lock(AX, *(key.references for _, key in foreign_keys_of((table,)) if key.references is not None))
        yield from lock(AX, *(child.name for child, _ in state.schema.referencing(name)))
        yield from lock(
            AX, *(sequence.name for sequence in state.schema.sequences.values() if sequence.owner is not None and sequence.owner[0] == name)
        )
        waiting += [view.name for view in views_of(state, name)]
        waiting += [child.name for child in state.schema.partitions(name)]


def views_of(state: State, name: Name, column: str | None = None) -> tuple[Table, ...]:
    """Views and materialized views that read the relation, or that column of it."""
    return tuple(
        view
        for view in state.schema.tables.values()
        if view.uses is not None
        and any(read.name == name.name and state.resolve(read) == name for read in view.uses.reads)
        and (column is None or view.uses.star or column in view.uses.columns)
    )


def bound_to(state: State, name: Name, column: str | None = None) -> Iterator[Name | str]:
    """What, besides views, cannot do without the table, or without that column of it: policies of other tables, and functions
    with a body that was bound when they were created (BEGIN ATOMIC).
    """
    for table in state.schema.tables.values():
        for policy in table.policies.values():
            if name in policy.reads and (column is None or (column in policy.columns and _is_its(state, name, column, (table.name, *policy.reads)))):
                yield policy.name
    for overloads in state.schema.functions.values():
        for function in overloads:
            uses = function.uses
            if uses is not None and name in uses.reads and (column is None or (column in uses.columns and _is_its(state, name, column, uses.reads))):
                yield function.name


def _is_its(state: State, name: Name, column: str, relations: Iterable[Name]) -> bool:
    """Whether no other of the relations has a column of that name."""
    tables = (state.schema.table(one) for one in relations if one != name)
    return all(table.known and column not in table.columns for table in tables)


def row_type_user(state: State, table: Table) -> str | None:
    """A column of another table whose type is this table's rows, which keeps stored values from changing
    (find_composite_type_dependencies in tablecmds.c).
    """
    if not table.as_type:
        return None
    uses = has_type(state, table.name)
    others = (one for one in state.schema.tables.values() if one.has_storage and one.name != table.name)
    found = next((f"{one.name}.{column.name}" for one in others for column in one.columns.values() if uses(column)), None)
    return None if found is None else f"cannot alter table `{table.name}` because column `{found}` uses its row type"


def drop_columns(state: State, is_dropped: Callable[[Column], bool]) -> tuple[Lock, ...]:
    """Columns dropped wherever they are: their tables, the indexes and views on them."""
    locks: list[Lock] = []
    for table in state.schema.tables.values():
        dropped = {column.name for column in table.columns.values() if is_dropped(column)}
        if not dropped or table.uses is not None:
            continue
        locks += lock_all(AX, (table, *(index for index in table.indexes.values() if index.mentioned & dropped)))
        for column in dropped:
            locks += drop_relations(state, (view.name for view in views_of(state, table.name, column)))
    return tuple(locks)


def has_type(state: State, name: Name) -> Callable[[Column], bool]:
    """Whether a column has that type, an array of it, or a domain over it."""
    family_of_types = {name, *(one.name for one in state.schema.types.values() if one.base is not None and _is(state, one.base, name))}
    last = {one.name for one in family_of_types}
    return lambda column: column.type.name.name in last and state.resolve_type(column.type.name) in family_of_types


def _is(state: State, data_type: DataType, name: Name) -> bool:
    return data_type.name.name == name.name and state.resolve_type(data_type.name) == name


def drop_type(state: State, name: Name) -> tuple[Lock, ...]:
    """Its columns; of a composite type also the tables made OF it."""
    typed = [table.name for table in state.schema.tables.values() if table.of_type is not None and state.resolve_type(table.of_type) == name]
    own = [name] if name in state.schema.tables else []
    casts = [view.name for view in state.schema.tables.values() if view.uses is None and view.name in typed]
    return (*drop_relations(state, (*own, *typed, *casts)), *drop_columns(state, has_type(state, name)))


def drop_sequence(state: State, name: Name) -> tuple[Lock, ...]:
    """The tables whose defaults take values from it."""
    return (*lock(AX, name), *(Lock(table.name, AX) for table, _ in defaults_from(state, name)))


def defaults_from(state: State, sequence: Name) -> Iterator[tuple[Table, Column]]:
    for table in state.schema.tables.values():
        for column in table.columns.values():
            if sequence in sequences_of_default(state, table, column):
                yield table, column


def drop_function(state: State, name: Name) -> tuple[Lock, ...]:
    """Triggers, defaults, checks, indexes and views that call it."""
    locks: list[Lock] = []
    for table in state.schema.tables.values():
        if any(_means(state, trigger.function, name) for trigger in table.triggers.values()):
            locks += lock_all(AX, family(state, table.name, only=table.kind != "partitioned table"))
        if any(_calls(state, expression, name) for expression in _expressions(table)):
            locks += lock(AX, table.name)
        for index in table.indexes.values():
            if any(_calls(state, expression, name) for expression in _expressions_of(index)):
                locks += lock(AX, table.name, index.name)
        if table.uses is not None and any(_means(state, function, name) for function in table.uses.functions):
            locks += drop_relations(state, (table.name,))
    return tuple(locks)


def _expressions(table: Table) -> Iterator[Expression]:
    for column in table.columns.values():
        if column.default is not None:
            yield column.default
    for constraint in table.constraints.values():
        if constraint.expression is not None:
            yield constraint.expression


def _expressions_of(index: Index) -> Iterator[Expression]:
    for key in index.keys:
        if key.expression is not None:
            yield key.expression
    if index.where is not None:
        yield index.where


def _calls(state: State, expression: Expression, name: Name) -> bool:
    if len(expression.sql) < len(name.name) or (name.name.lower() not in expression.sql.lower() and '"' not in name.name):
        return False
    return any(node[0] == "call" and _means(state, node[1], name) for node in walk(expression.tree))


def _means(state: State, written: Name, name: Name) -> bool:
    if written.name != name.name:
        return False
    return written.schema == name.schema or (written.schema is None and name.schema in state.search_path)


def drop_collation(state: State, name: Name) -> tuple[Lock, ...]:
    return drop_columns(state, lambda column: column.collation is not None and _means(state, column.collation, name))


def drop_namespace(state: State, schema: str) -> tuple[Lock, ...]:
    """Everything in a schema, and what depends on it from outside."""
    inside = [name for name in (*state.schema.tables, *state.schema.sequences) if name.schema == schema]
    types = [name for name in state.schema.types if name.schema == schema]
    functions = [name for name in state.schema.functions if name.schema == schema]
    sequences = [name for name in state.schema.sequences if name.schema == schema]
    return (
        *drop_relations(state, inside),
        *(one for name in types for one in drop_type(state, name)),
        *(one for name in inside if state.schema.table(name).kind == "composite type" for one in drop_type(state, name)),
        *(one for name in sequences for one in drop_sequence(state, name)),
        *(one for name in functions for one in drop_function(state, name)),
    )
