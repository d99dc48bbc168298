"""Constraints, indexes and owned sequences come to be: the parts that CREATE TABLE, ALTER TABLE and CREATE INDEX share.

Names are complete and tables exist in the draft.
"""

from __future__ import annotations

from dbguard.model.expression import Expression
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name, truncate
from dbguard.model.operations.tables import ColumnDefinition, ConstraintDefinition
from dbguard.model.record import Record
from dbguard.model.schema import Column, Constraint, Index, Sequence, Table
from dbguard.model.types import CATALOG, DataType, builtin
from dbguard.replay.advance import naming
from dbguard.replay.advance.draft import Draft, without

UNKNOWN = DataType(Name(None, "unknown"))


class IndexDefinition(Record):
    """An index as it is to be built on a table and, unless ONLY was written, on its partitions."""

    keys: tuple[IndexKey, ...]
    include: tuple[str, ...] = ()
    method: str = "btree"
    unique: bool = False
    nulls_not_distinct: bool = False
    where: Expression | None = None
    constraint: ConstraintDefinition | None = None  # the constraint it backs


def type_in(draft: Draft, data_type: DataType) -> DataType:
    """The type with its complete name."""
    if data_type.name.schema is not None or data_type == UNKNOWN:
        return data_type
    return data_type._replace(name=draft.state.resolve_type(data_type.name))


def column_type(draft: Draft, data_type: DataType) -> DataType:
    """The type of a column; a table whose rows it takes as values is told so."""
    full = type_in(draft, data_type)
    source = draft.tables.get(full.name)
    if source is not None and not source.as_type:
        draft.put(source._replace(as_type=True))
    return full


def kept_default(draft: Draft, data_type: DataType, default: Expression | None) -> Expression | None:
    """The default that is stored: none for NULL, unless it overrides that of a domain or is cast to a length (StoreAttrDefault's callers)."""
    if default is None or not default.is_null or data_type.modifiers:
        return default
    found = draft.types.get(data_type.name)
    return default if found is not None and found.kind == "domain" and not data_type.array else None


def column_from(draft: Draft, definition: ColumnDefinition) -> Column:
    generated = "virtual" if definition.generated == "unstated" else definition.generated
    data_type = column_type(draft, definition.type)
    return Column(
        definition.name,
        data_type,
        definition.not_null or definition.serial or bool(definition.identity),
        definition.generated_expression if definition.generated else kept_default(draft, data_type, definition.default),
        generated,
        definition.identity,
        definition.collation,
        definition.storage,
        definition.compression,
    )


def add_owned_sequence(draft: Draft, table: Name, column: Column, *, identity: bool, persistence: str = "permanent") -> Column:
    """A sequence behind a serial or identity column; the column with the default that uses it."""
    name = naming.sequence_name(draft, table, column.name)
    owned = Sequence(name, column.type, (table, column.name), identity, draft.state.now, persistence)
    draft.own_sequences()[name] = owned
    return column if identity else column._replace(default=next_value(name))


def next_value(sequence: Name) -> Expression:
    text = str(sequence)
    literal = ("cast", builtin("regclass"), ("const", text))
    return Expression(f"nextval('{text}'::regclass)", ("call", Name(CATALOG, "nextval"), literal))


def add_constraint(draft: Draft, name: Name, definition: ConstraintDefinition, *, only: bool = False) -> None:
    """The constraint on the table, and on its children as far as it is inherited."""
    match definition.kind:
        case "check":
            _add_check(draft, name, definition, only=only)
        case "not null":
            _add_not_null(draft, name, definition, only=only)
        case "foreign key":
            add_foreign_key(draft, name, definition, only=only)
        case _ if definition.using_index is not None:
            _use_index(draft, name, definition)
        case _:
            _add_key(draft, name, definition, only=only)


def _add_check(draft: Draft, name: Name, definition: ConstraintDefinition, *, only: bool) -> None:
    chosen = naming.constraint_name(draft, name, definition)
    columns = tuple(sorted(definition.expression.columns)) if definition.expression is not None else ()
    constraint = Constraint(
        chosen,
        "check",
        columns,
        definition.valid and definition.enforced,
        definition.enforced,
        definition.expression,
        no_inherit=definition.no_inherit,
    )
    if chosen in draft.tables[name].constraints:
        return
    draft.put_constraint(name, constraint)
    if not only and not definition.no_inherit:
        inherited = constraint._replace(inherited=True)
        for child in draft.family(draft.tables[name])[1:]:
            if chosen not in child.constraints:
                draft.put_constraint(child.name, inherited)


def _add_not_null(draft: Draft, name: Name, definition: ConstraintDefinition, *, only: bool) -> None:
    for table in draft.family(draft.tables[name], only=only or definition.no_inherit):
        set_not_null(draft, table.name, definition.columns)
    column = draft.tables[name].columns.get(definition.columns[0]) if definition.columns else None
    if column is None or (definition.name is None and definition.valid and not definition.no_inherit):
        return
    chosen = naming.constraint_name(draft, name, definition)
    if any(c.kind == "not null" and c.columns == definition.columns for c in draft.tables[name].constraints.values()):
        return
    constraint = Constraint(chosen, "not null", definition.columns, definition.valid, no_inherit=definition.no_inherit)
    draft.put_constraint(name, constraint)
    if not definition.valid and not definition.no_inherit and not only:
        for child in draft.family(draft.tables[name])[1:]:
            draft.put_constraint(child.name, constraint._replace(inherited=True))


def set_not_null(draft: Draft, name: Name, columns: tuple[str, ...]) -> None:
    table = draft.tables[name]
    changed = {c: table.columns[c]._replace(not_null=True) for c in columns if c in table.columns and not table.columns[c].not_null}
    if changed:
        draft.put(table._replace(columns={**table.columns, **changed}))


def add_foreign_key(draft: Draft, name: Name, definition: ConstraintDefinition, *, only: bool = False) -> None:
    """Also on every partition, under the same name where that is free (addFkRecurseReferencing in tablecmds.c)."""
    if definition.references is None:
        return
    references = draft.state.resolve(definition.references)
    if definition.references.schema is None and references not in draft.tables and name.name == references.name:
        references = name
    columns = definition.referenced_columns
    target = draft.tables.get(references)
    if not columns and target is not None and target.primary_key is not None:
        columns = target.primary_key.columns
    constraint = Constraint(
        naming.constraint_name(draft, name, definition),
        "foreign key",
        definition.columns,
        definition.valid and definition.enforced,
        definition.enforced,
        None,
        references,
        columns,
        definition.on_delete,
        definition.on_update,
        definition.match_full,
        definition.deferrable,
        definition.deferred,
        without_overlaps=definition.without_overlaps,
    )
    draft.put_constraint(name, constraint)
    if not only:
        inherit_foreign_key(draft, name, constraint)


def inherit_foreign_key(draft: Draft, name: Name, constraint: Constraint, *, onto: Name | None = None) -> None:
    """The foreign key of a partitioned table on every partition below it, or `onto` one; a key that is there already is taken over."""
    if draft.tables[name].kind != "partitioned table":
        return
    for child in draft.children(name) if onto is None else (draft.tables[onto],):
        same = next((c for c in child.foreign_keys() if not c.inherited and _is_same_key(c, constraint)), None)
        if same is not None:
            copy = same._replace(inherited=True)
        elif constraint.name in child.constraints:
            chosen = naming.free_constraint_name(draft, child.name, constraint.columns, "fkey")
            copy = constraint._replace(name=chosen, inherited=True)
        else:
            copy = constraint._replace(inherited=True)
        draft.put_constraint(child.name, copy)
        inherit_foreign_key(draft, child.name, copy)


def _is_same_key(one: Constraint, other: Constraint) -> bool:
    """tryAttachPartitionForeignKey: everything but the name agrees."""
    return one._replace(name="", inherited=False, valid=True) == other._replace(name="", inherited=False, valid=True)


def _use_index(draft: Draft, name: Name, definition: ConstraintDefinition) -> None:
    """ADD CONSTRAINT ... USING INDEX: the index takes the constraint's name (transformIndexConstraint, DefineIndex)."""
    table = draft.tables[name]
    old = definition.using_index or ""
    index = table.indexes.get(old)
    chosen = definition.name or old
    columns: tuple[str, ...] = ()
    if index is not None:
        columns = index.columns
        renamed = index._replace(name=Name(name.schema, chosen), constraint=chosen)
        draft.put(table._replace(indexes={renamed.name.name if k == old else k: renamed if k == old else v for k, v in table.indexes.items()}))
        locations = draft.own_index_tables()
        locations.pop(index.name, None)
        locations[renamed.name] = name
    if definition.kind == "primary key":
        set_not_null(draft, name, columns)
    draft.put_constraint(name, _backed(definition, chosen, columns, Name(name.schema, chosen)))


def _add_key(draft: Draft, name: Name, definition: ConstraintDefinition, *, only: bool) -> None:
    """Unique, primary key, exclusion: a constraint and an index of one name."""
    table = draft.tables[name]
    if definition.kind == "primary key":
        if table.primary_key is not None:
            return
        for one in draft.family(table, only=False):
            set_not_null(draft, one.name, definition.columns)
    keys = definition.keys or tuple(IndexKey(column) for column in definition.columns)
    method = definition.method if definition.kind == "exclusion" else "gist" if definition.without_overlaps else "btree"
    index = IndexDefinition(
        keys, definition.include, method, definition.kind != "exclusion", definition.nulls_not_distinct, definition.where, definition
    )
    build_index(draft, name, index, wanted=definition.name, only=only)


def build_index(
    draft: Draft, name: Name, index: IndexDefinition, *, wanted: str | None = None, only: bool = False, parent: Name | None = None
) -> Index:
    """The index on the table, and on every partition below it that does not have its like (DefineIndex in indexcmds.c)."""
    definition = index.constraint
    kind = definition.kind if definition is not None else None
    chosen = truncate(wanted) if wanted is not None else naming.index_name(draft, name, index.keys, index.include, kind)
    full = Name(name.schema, chosen)
    keys = naming.index_keys(index.keys)
    built = Index(
        full,
        name,
        keys,
        index.method,
        index.include,
        index.unique,
        index.nulls_not_distinct,
        index.where,
        not (only and draft.tables[name].kind == "partitioned table" and any(draft.children(name))),
        chosen if definition is not None else None,
        parent,
        draft.state.now,
    )
    draft.put_index(built)
    if definition is not None:
        columns = tuple(key.column for key in keys if key.column is not None)
        constraint = _backed(definition, chosen, columns, full)
        draft.put_constraint(name, constraint._replace(inherited=parent is not None))
    if not only and draft.tables[name].kind == "partitioned table":
        for child in draft.children(name):
            inherit_index(draft, built, index, child)
    return built


def inherit_index(draft: Draft, parent: Index, index: IndexDefinition, child: Table) -> None:
    """The index of a partitioned table on one partition: a fitting one is attached, otherwise one is built."""
    if child.kind == "foreign table":
        return
    fitting = next((own for own in child.indexes.values() if own.parent is None and _fits(own, parent)), None)
    if fitting is None:
        clone = index._replace(keys=naming.key_definitions(parent))
        if index.constraint is not None and index.constraint.kind == "primary key":
            set_not_null(draft, child.name, index.constraint.columns)
        build_index(draft, child.name, clone, parent=parent.name)
        return
    draft.put_index(fitting._replace(parent=parent.name))
    if fitting.constraint is not None and parent.constraint is not None:
        constraint = draft.tables[child.name].constraints.get(fitting.constraint)
        if constraint is not None:
            draft.put_constraint(child.name, constraint._replace(inherited=True))


def definition_of(draft: Draft, index: Index) -> IndexDefinition:
    """The definition that builds this index again on another table."""
    constraint = draft.tables[index.table].constraints.get(index.constraint) if index.constraint is not None else None
    definition = None
    if constraint is not None:
        definition = ConstraintDefinition(
            constraint.kind,
            None,
            constraint.columns,
            deferrable=constraint.deferrable,
            deferred=constraint.deferred,
            without_overlaps=constraint.without_overlaps,
        )
    keys = naming.key_definitions(index)
    return IndexDefinition(keys, index.include, index.method, index.unique, index.nulls_not_distinct, index.where, definition)


def _fits(own: Index, parent: Index) -> bool:
    """CompareIndexInfo in src/backend/catalog/index.c: direction and NULLS FIRST are not compared."""
    return (
        (parent.constraint is None or own.constraint is not None)
        and (own.unique, own.nulls_not_distinct, own.method, own.include) == (parent.unique, parent.nulls_not_distinct, parent.method, parent.include)
        and _tree(own.where) == _tree(parent.where)
        and [_identity(key) for key in own.keys] == [_identity(key) for key in parent.keys]
    )


def _identity(key: IndexKey) -> tuple[object, ...]:

    return key.column, _tree(key.expression), key.collation, key.opclass


def _tree(expression: Expression | None) -> object:
    return None if expression is None else expression.tree


def _backed(definition: ConstraintDefinition, name: str, columns: tuple[str, ...], index: Name) -> Constraint:
    return Constraint(
        name,
        definition.kind,
        columns,
        deferrable=definition.deferrable,
        deferred=definition.deferred,
        without_overlaps=definition.without_overlaps,
        index_name=index,
    )


def drop_index(draft: Draft, index: Index) -> None:
    """The index, those attached to it, and the constraints they back."""
    table = draft.tables.get(index.table)
    if table is None or index.name.name not in table.indexes:
        return
    constraints = without(table.constraints, index.constraint) if index.constraint is not None else table.constraints
    draft.put(table._replace(indexes=without(table.indexes, index.name.name), constraints=constraints))
    draft.own_index_tables().pop(index.name, None)
    if table.kind == "partitioned table":
        for child in draft.children(table.name):
            for own in tuple(child.indexes.values()):
                if own.parent == index.name:
                    drop_index(draft, own)
