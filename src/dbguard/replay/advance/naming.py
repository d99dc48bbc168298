"""Names that PostgreSQL chooses where the user gave none (ChooseRelationName and ChooseConstraintName)."""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.keys import IndexKey
from dbguard.model.names import Name
from dbguard.model.operations.tables import ConstraintDefinition
from dbguard.model.schema import Index, Table
from dbguard.model.sql import choose_name, key_names
from dbguard.replay.advance.draft import Draft

INDEX_LABELS = {"primary key": "pkey", "unique": "key", "exclusion": "excl"}


class _Taken:
    """The names that a relation (`relations`), a constraint (`constraints`) or the index of a constraint (both) cannot get in a schema."""

    __slots__ = ("constraints", "draft", "relations", "schema")

    def __init__(self, draft: Draft, schema: str | None, *, relations: bool, constraints: bool) -> None:
        self.draft = draft
        self.schema = schema
        self.relations = relations
        self.constraints = constraints

    def __contains__(self, name: object) -> bool:
        assert isinstance(name, str)
        if self.relations and self.draft.takes(Name(self.schema, name)):
            return True
        return self.constraints and constraint_exists(self.draft, self.schema, name)


def constraint_exists(draft: Draft, schema: str | None, name: str) -> bool:
    """Whether any table or domain of the schema has a constraint of that name (ConstraintNameExists in pg_constraint.c)."""
    for table in draft.tables.values():
        if name in table.constraints and table.name.schema == schema:
            return True
    return any(name in one.constraints and one.name.schema == schema for one in draft.types.values())


def relation_name(draft: Draft, table: Name, addition: Iterable[str], label: str, *, constraint: bool = False) -> str:
    return choose_name(table.name, addition, label, _Taken(draft, table.schema, relations=True, constraints=constraint))


def sequence_name(draft: Draft, table: Name, column: str) -> Name:
    return Name(table.schema, relation_name(draft, table, (column,), "seq"))


def index_name(draft: Draft, table: Name, keys: tuple[IndexKey, ...], include: tuple[str, ...], kind: str | None) -> str:
    """The name of an index; `kind` is that of the constraint it backs (ChooseIndexName in indexcmds.c)."""
    if kind == "primary key":
        return relation_name(draft, table, (), "pkey", constraint=True)
    label = INDEX_LABELS.get(kind or "", "idx")
    return relation_name(draft, table, key_names(keys, include), label, constraint=kind is not None)


def constraint_name(draft: Draft, table: Name, definition: ConstraintDefinition) -> str:
    """The name of a check, foreign key or NOT NULL constraint."""
    if definition.name is not None:
        return definition.name
    if definition.kind == "check":
        mentioned = definition.expression.columns if definition.expression is not None else frozenset()
        addition = tuple(mentioned) if len(mentioned) == 1 else ()
        label = "check"
    else:
        addition, label = definition.columns, {"foreign key": "fkey", "not null": "not_null"}.get(definition.kind, "check")
    return free_constraint_name(draft, table, addition, label)


def free_constraint_name(draft: Draft, table: Name, addition: Iterable[str], label: str) -> str:
    return choose_name(table.name, addition, label, _Taken(draft, table.schema, relations=False, constraints=True))


def index_keys(keys: Iterable[IndexKey]) -> tuple[IndexKey, ...]:
    return tuple(_key(k) for k in keys)


def _key(key: IndexKey) -> IndexKey:
    """`((a))` and `((a COLLATE "C"))` are the column itself (ComputeIndexAttrs in indexcmds.c)."""
    column, expression, name = key.column, key.expression, key.name
    tree = expression.tree if expression is not None else ("none",)
    if tree[:2] == ("other", "collate"):
        tree = tree[2]
    if tree[0] == "column":
        column, expression, name = tree[1], None, None
    return IndexKey(column, expression, key.collation, key.opclass, key.descending, key.nulls_first, name)


def key_definitions(index: Index) -> tuple[IndexKey, ...]:
    """The keys of an index as a clone of it is written: expressions are named as in the original (generateClonedIndexStmt)."""
    names = key_names(index.keys, ())
    return tuple(k if k.column is not None else k._replace(name=name) for k, name in zip(index.keys, names, strict=True))


def is_implied_not_null(table: Table, name: str) -> str | None:
    """The column whose NOT NULL constraint has that name by default, if it has none of its own name (from 18)."""
    for column in table.columns.values():
        if column.not_null and name == choose_name(table.name.name, (column.name,), "not_null"):
            return column.name
    return None
