"""ALTER COLUMN TYPE: whether rows are rewritten, and which indexes, checks and foreign keys are done again.

ATPrepAlterColumnType, ATExecAlterColumnType and ATPostAlterTypeCleanup in src/backend/commands/tablecmds.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dbguard.model.expression import Tree, walk
from dbguard.model.operations import ChangeColumnType
from dbguard.model.postgres import Server
from dbguard.model.schema import Column, Index, Table
from dbguard.model.state import Effects, State
from dbguard.model.types import DataType
from dbguard.replay.effects.coercions import Conversion, convert, opclass
from dbguard.replay.effects.columns import identity_locks, parted_by, referenced_columns, surely_uses
from dbguard.replay.effects.common import AX, SRX, absent, add, assumed, family, leaves, lock_all, named_in, no_column, parents_of, refused
from dbguard.replay.effects.common import rewritten as rewrite
from dbguard.replay.effects.dependents import bound_to, row_type_user, views_of
from dbguard.replay.effects.refusals import comparable
from dbguard.replay.effects.types import base_type


def _change_type(operation: ChangeColumnType, state: State, server: Server) -> Effects:
    table = state.table(operation.table)
    if (answer := absent(state, table) or no_column(table, operation.column)) is not None:
        return answer
    column = table.columns.get(operation.column)
    if column is None:
        return _of_unknown_column(operation, table, state)
    if (reason := _blocked(operation, table, column, state)) is not None:
        return refused(reason)
    conversion = _conversion(operation, column, state)
    if conversion.impossible and table.known:
        return refused(f'column "{column.name}" cannot be cast automatically to type {operation.type}')
    if operation.using is not None and table.known and _keeps_default(column) and convert(column.type, operation.type, state).impossible:
        return refused(f'default for column "{column.name}" cannot be cast automatically to type {operation.type}')
    if conversion.wrong_length and table.known and not all(state.may_be_empty(name) for name in leaves(family(state, table.name))):
        return refused("bit string length does not match")
    tables = family(state, table.name, only=operation.only)
    found = Effects(locks=lock_all(AX, tables), unknown=assumed(table) + conversion.unknown)
    if conversion.rewrites:
        found = add(found, rewrite(tables))
    for one in tables:
        found = add(found, _dependents(operation, one, state, rewrites=conversion.rewrites))
    return add(found, _sequences(table, column, state, server))


def _keeps_default(column: Column) -> bool:
    """Whether the column has a default, which USING does not convert."""
    return column.default is not None and not column.generated and not column.default.is_null


def _of_unknown_column(operation: ChangeColumnType, table: Table, state: State) -> Effects:
    tables = family(state, table.name, only=operation.only)
    sentence = f"the type of `{table.name}.{operation.column}` is not known: taken to need a rewrite"
    return add(Effects(locks=lock_all(AX, tables), unknown=(*assumed(table), sentence)), rewrite(tables))


def _conversion(operation: ChangeColumnType, column: Column, state: State) -> Conversion:
    """The way from the old type to the new one: through USING if one was written."""
    if operation.using is None:
        return convert(column.type, operation.type, state)
    steps = _casts(operation.using.tree, column.name)
    if steps is None:
        return Conversion(rewrites=True)
    found, current = Conversion(), column.type
    for step in (*steps, operation.type):
        one = convert(current, step, state)
        found = Conversion(rewrites=found.rewrites or one.rewrites, unknown=found.unknown + one.unknown)
        current = step
    return found


def _casts(tree: Tree, column: str) -> tuple[Any, ...] | None:
    """The types that a USING of the column alone casts it to, innermost first; None for any other expression."""
    steps: list[Any] = []
    while tree[0] == "cast":
        steps.append(tree[1])
        tree = tree[2]
    return tuple(reversed(steps)) if tree == ("column", column) else None


def _blocked(operation: ChangeColumnType, table: Table, column: Column, state: State) -> str | None:
    """What has to be dropped first (RememberAllDependentForRebuilding)."""
    name = column.name
    if not table.known:
        return None
    if table.of_type is not None:
        return "cannot alter column type of typed table"
    if (parted := parted_by(table, name, state)) is not None:
        return f'cannot alter column "{name}" because it is part of the partition key of relation `{parted.name}`'
    if column.inherited or table.parent is not None:
        return f'cannot alter inherited column "{name}"'
    if operation.only and state.schema.partitions(table.name):
        return f'type of inherited column "{name}" must be changed in child tables too'
    if any(not comparable(own, referenced) for own, referenced in _compared(operation, table, state)):
        return "a foreign key cannot be implemented any more: types that cannot be compared"
    view = next((view for view in views_of(state, table.name, name) if surely_uses(view, name, state)), None)
    if view is not None:
        return f"cannot alter type of a column used by a view or rule: view `{view.name}` uses it"
    if any(c.generated and c.default is not None and name in c.default.columns for c in table.columns.values()):
        return "cannot alter type of a column used by a generated column"
    if any(name in trigger.columns or name in trigger.when_columns for trigger in table.triggers.values()):
        return "cannot alter type of a column used in a trigger definition"
    if any(name in policy.columns for policy in table.policies.values()):
        return "cannot alter type of a column used in a policy definition"
    if any(name in columns for columns in table.published.values()):
        return "cannot alter type of a column used by a publication WHERE clause"
    if (operator := _lost_operator(operation, table, state)) is not None:
        return f"operator does not exist: {operation.type} {operator} integer"
    if (user := next(iter(bound_to(state, table.name, name)), None)) is not None:
        return f"cannot alter type of a column used by a function, procedure or policy: `{user}` uses it"
    return row_type_user(state, table)


def _lost_operator(operation: ChangeColumnType, table: Table, state: State) -> str | None:
    """An operator between the column and an integer in a check or an index, which a column of text does not have
    (ATPostAlterTypeParse analyses their text again).
    """
    if base_type(operation.type, state).builtin not in {"text", "varchar", "bpchar"} or operation.type.array:
        return None
    column = ("column", operation.column)
    expressions = [c.expression for c in table.constraints.values()]
    for index in table.indexes.values():
        expressions += [index.where, *(key.expression for key in index.keys)]
    for expression in filter(None, expressions):
        for node in walk(expression.tree):
            if node[0] == "op" and len(node) == 4 and node[1] != "||" and column in node[2:]:
                other = node[3] if node[2] == column else node[2]
                if other[0] == "const" and type(other[1]) is int:
                    return str(node[1])
    return None


def _compared(operation: ChangeColumnType, table: Table, state: State) -> Iterator[tuple[DataType, DataType]]:
    """The types that foreign keys compare after the change, on either side."""
    new = base_type(operation.type, state)
    for key in table.foreign_keys():
        parent = state.schema.table(key.references) if key.references is not None else table
        for own, other in zip(key.columns, referenced_columns(key, parent), strict=False):
            if own == operation.column and own != other and other in parent.columns:
                yield new, base_type(parent.columns[other].type, state)
    for child, key in state.schema.referencing(table.name):
        for own, other in zip(key.columns, referenced_columns(key, table), strict=False):
            if other == operation.column and child.name != table.name and own in child.columns:
                yield base_type(child.columns[own].type, state), new


def _dependents(operation: ChangeColumnType, table: Table, state: State, *, rewrites: bool) -> Effects:
    """Indexes on the column are made again, at best around the old file; checks on it and foreign keys are added again."""
    column = table.columns.get(operation.column)
    if column is None:
        return Effects()
    name = column.name
    indexes = [index for index in table.indexes.values() if name in index.mentioned]
    found = Effects(locks=lock_all(AX, indexes))
    if not rewrites and table.has_storage:
        found = found._replace(builds=tuple(index.name for index in indexes if not _keeps_file(index, column, operation, state)))
    checks = [c for c in table.constraints.values() if c.kind == "check" and c.expression is not None and name in c.expression.columns]
    if any(check.valid and check.enforced for check in checks) and table.has_storage:
        found = add(found, Effects(scans=(table.name,)))
    return add(found, _foreign_keys(operation, table, column, state, rewrites=rewrites))


def _foreign_keys(operation: ChangeColumnType, table: Table, column: Column, state: State, *, rewrites: bool) -> Effects:
    """Both tables are locked; the rows are checked unless the same = operator still compares them (TryReuseForeignKey)."""
    again = rewrites or opclass(column.type, state) != opclass(operation.type, state)
    found = Effects()
    for key in table.foreign_keys():
        if column.name in key.columns:
            checked = (table.name,) if again and key.valid and key.enforced and table.has_storage else ()
            found = add(found, Effects(locks=lock_all(AX, parents_of(state, key)), scans=checked))
    for child, key in state.schema.referencing(table.name):
        if column.name in referenced_columns(key, table):
            tables = family(state, child.name, only=child.kind != "partitioned table")
            found = add(found, Effects(locks=lock_all(AX, tables), scans=leaves(tables) if again and key.valid and key.enforced else ()))
    return found


def _keeps_file(index: Index, column: Column, operation: ChangeColumnType, state: State) -> bool:
    """CheckIndexCompatible in src/backend/commands/indexcmds.c: no expression, no predicate, the same operator classes and collations.

    An index of a partition that belongs to one of the whole table is made anew from that one, so it never keeps its file.
    """
    if index.parent is not None:
        return False
    if index.where is not None or any(key.column is None for key in index.keys):
        return False
    keys = [key for key in index.keys if key.column == column.name]
    if not keys:
        return True
    if any(key.opclass is None for key in keys) and opclass(column.type, state) != opclass(operation.type, state):
        return False
    return all(key.collation is not None for key in keys) or _collation(column.collation) == _collation(operation.collation)


def _collation(name: Any) -> str:
    return "default" if name is None else str(name.name)


def _sequences(table: Table, column: Column, state: State, server: Server) -> Effects:
    """The sequence of an identity column changes its type as well; a default that reads one is written anew."""
    found = Effects(locks=identity_locks(table, column.name, state, SRX))
    if column.default is not None and not column.generated:
        found = add(found, Effects(locks=named_in(state, server, column.default)))
    return found


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {ChangeColumnType: _change_type}
