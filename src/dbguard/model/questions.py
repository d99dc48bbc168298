"""Questions that several checks ask about steps and schemas. Pure: no wording, no parser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model.expression import Expression
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name
from dbguard.model.operations import (
    AddColumn,
    AddConstraint,
    CreateIndex,
    CreateTable,
    DropConstraint,
    DropIndex,
    DropTable,
    RenameTable,
    SetSchema,
    ValidateConstraint,
)
from dbguard.model.operations.tables import ConstraintDefinition
from dbguard.model.schema import Constraint, Index, Table
from dbguard.model.sql import constraint_name
from dbguard.model.state import State, Step


def new_name(step: Step) -> tuple[Name, Name] | None:
    """The complete names that a relation had before the step and has after it, if the step gives it another."""
    match step.operation:
        case RenameTable(table=table, to=to):
            old = step.before.resolve(table)
            return old, Name(old.schema, to)
        case SetSchema(table=table, schema=schema):
            old = step.before.resolve(table)
            return old, Name(schema, old.name)
    return None


def bare_constraint_name(definition: ConstraintDefinition, table: Table) -> str:
    """The name that the constraint gets, not quoted."""
    quoted = constraint_name(definition, table)
    return quoted[1:-1].replace('""', '"') if quoted.startswith('"') else quoted


def as_definition(constraint: Constraint, state: State) -> ConstraintDefinition:
    """The constraint as it can be written, its referenced table under the shortest name."""
    references = constraint.references
    if references is not None and state.resolve(Name(None, references.name)) == references:
        references = Name(None, references.name)
    return ConstraintDefinition(
        kind=constraint.kind,
        name=constraint.name,
        columns=constraint.columns,
        expression=constraint.expression,
        references=references,
        referenced_columns=constraint.referenced_columns,
        on_delete=constraint.on_delete,
        on_update=constraint.on_update,
        match_full=constraint.match_full,
        valid=constraint.valid,
        enforced=constraint.enforced,
        deferrable=constraint.deferrable,
        deferred=constraint.deferred,
        no_inherit=constraint.no_inherit,
    )


def validated_where_added(step: Step) -> Constraint | None:
    """The constraint that the step validates, if the open transaction added it."""
    if not isinstance(step.operation, ValidateConstraint) or step.before.transaction is None:
        return None
    name, before = step.operation.name, step.before.transaction.before
    if name in before.table(step.before.resolve(step.operation.table)).constraints:
        return None
    return step.table(step.operation.table).constraints.get(name)


def table_of(operation: object, state: State) -> Name | None:
    """The full name of the table that an operation on constraints, columns or indexes is about."""
    if isinstance(operation, CreateTable):
        return state.resolve(operation.name)
    if isinstance(operation, AddColumn | AddConstraint | DropConstraint | CreateIndex):
        return state.resolve(operation.table)
    return None


_BRINGS_CONSTRAINTS = frozenset([AddColumn, AddConstraint, CreateTable])
_BRINGS_INDEXES = frozenset([AddColumn, AddConstraint, CreateIndex, CreateTable])


def constraints_added(step: Step) -> list[tuple[Table, Constraint]]:
    """Constraints that the operation brings to its own table, with the table as it is afterwards."""
    if type(step.operation) not in _BRINGS_CONSTRAINTS or (name := table_of(step.operation, step.after)) is None:
        return []
    before = step.before.schema.table(name).constraints
    table = step.after.schema.table(name)
    if table.constraints is before:
        return []
    return [(table, constraint) for constraint in table.constraints.values() if constraint.name not in before]


def foreign_keys_added(step: Step) -> list[tuple[Table, Constraint]]:
    return [added for added in constraints_added(step) if added[1].kind == "foreign key"]


def indexes_added(step: Step) -> list[Index]:
    """Indexes that the operation brings to its own table, those behind constraints included."""
    if type(step.operation) not in _BRINGS_INDEXES or (name := table_of(step.operation, step.after)) is None:
        return []
    before, after = step.before.schema.table(name).indexes, step.after.schema.table(name).indexes
    return [] if after is before else [index for index in after.values() if index.name.name not in before]


def indexes_dropped(step: Step) -> Iterator[Index]:
    """Indexes that the operation drops by name, constraint-backed ones by their constraint."""
    operation, before = step.operation, step.before
    if isinstance(operation, DropIndex):
        for name in operation.names:
            index = before.schema.find_index(before.resolve(name))
            if index is not None:
                yield index
    elif isinstance(operation, DropConstraint):
        for index in before.table(operation.table).indexes.values():
            if index.constraint == operation.name:
                yield index


def tables_dropped(steps: Iterable[Step]) -> frozenset[Name]:
    return frozenset(step.before.resolve(name) for step in steps if isinstance(step.operation, DropTable) for name in step.operation.names)


def refuses_duplicates(index: Index, columns: frozenset[str]) -> bool:
    """Whether no two rows with the same values in `columns` get past the index: it is on some of them, or on what follows from them."""
    if not index.unique or index.where is not None or not index.valid:
        return False
    return bool(index.keys) and {name for key in index.keys for name in _read_by(key)} <= columns


def _read_by(key: IndexKey) -> Iterable[str]:
    if key.column is not None:
        return (key.column,)
    return key.expression.columns if key.expression is not None else ()


def default_partition(parent: Name, state: State) -> Table | None:
    """The DEFAULT partition of a partitioned table, if it is known to have one."""
    return next((table for table in state.schema.partitions(parent) if table.bound is not None and table.bound.default), None)


def supports(index: Index, columns: tuple[str, ...]) -> bool:
    """Whether the rows of a foreign key on `columns` are found through the index (`WHERE column = $1 AND ...`, ri_triggers.c).

    An index on some of the columns counts: nobody can tell from the schema which of them are selective.
    """
    if not index.valid or index.method not in {"btree", "hash"}:
        return False
    if index.where is not None and not _only_not_null(index.where, columns):
        return False
    leading = index.columns[: len(columns)]
    return bool(leading) and set(leading) <= set(columns)


def is_not_null_of(expression: Expression | None, column: str) -> bool:
    """Whether the expression is `column IS NOT NULL`."""
    return expression is not None and expression.tree == ("is_not_null", ("column", column))


def _only_not_null(where: Expression, columns: tuple[str, ...]) -> bool:
    parts = where.tree[1:] if where.tree[0] == "and" else (where.tree,)
    return all(part[0] == "is_not_null" and part[1][0] == "column" and part[1][1] in columns for part in parts)


def index_shape(index: Index) -> tuple[object, ...]:
    """What two indexes have in common that find the same rows by the same keys; uniqueness left out."""
    return (index.method, tuple(key_shape(key) for key in index.keys), frozenset(index.include), where_shape(index))


def key_shape(key: IndexKey) -> tuple[object, ...]:
    nulls_first = key.nulls_first if key.nulls_first is not None else key.descending
    return (key.column, key.expression.tree if key.expression is not None else None, key.collation, key.opclass, key.descending, nulls_first)


def where_shape(index: Index) -> object:
    return index.where.tree if index.where is not None else None
