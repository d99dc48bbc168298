"""The schema as replayed so far. Values only; `replay/advance` makes the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbguard.model.expression import Expression, Uses
from dbguard.model.keys import IndexKey, PartitionBound
from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.types import DataType


class Column(Record):
    name: str
    type: DataType
    not_null: bool = False
    default: Expression | None = None  # of a generated column: its expression
    generated: str = ""  # "", "stored", "virtual"
    identity: str = ""  # "", "always", "by default"
    collation: Name | None = None
    storage: str = ""
    compression: str = ""
    inherited: bool = False  # comes from a parent alone: gone when the parent drops it


class Constraint(Record):
    name: str
    kind: str  # check, not null, unique, primary key, exclusion, foreign key
    columns: tuple[str, ...] = ()
    valid: bool = True
    enforced: bool = True
    expression: Expression | None = None  # of a check
    references: Name | None = None
    referenced_columns: tuple[str, ...] = ()  # empty: the primary key
    on_delete: str = "no action"  # no action, restrict, cascade, set null, set default
    on_update: str = "no action"
    match_full: bool = False
    deferrable: bool = False
    deferred: bool = False
    no_inherit: bool = False
    without_overlaps: bool = False
    index_name: Name | None = None  # the index behind unique, primary key, exclusion
    inherited: bool = False  # comes from a parent alone: gone when the parent drops it


class Index(Record):
    name: Name
    table: Name
    keys: tuple[IndexKey, ...]
    method: str = "btree"
    include: tuple[str, ...] = ()
    unique: bool = False
    nulls_not_distinct: bool = False
    where: Expression | None = None
    valid: bool = True
    constraint: str | None = None  # the constraint it backs
    parent: Name | None = None  # the partitioned index it is attached to
    created: Created | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Plain key columns, in order, up to the first expression."""
        found = []
        for key in self.keys:
            if key.column is None:
                break
            found.append(key.column)
        return tuple(found)

    @property
    def mentioned(self) -> frozenset[str]:
        """Every column that the index depends on: keys, INCLUDE, expressions, predicate."""
        found = set(self.include)
        for key in self.keys:
            if key.column is not None:
                found.add(key.column)
            elif key.expression is not None:
                found |= key.expression.columns
        if self.where is not None:
            found |= self.where.columns
        return frozenset(found)


class PartitionKey(Record):
    strategy: str  # range, list, hash
    keys: tuple[IndexKey, ...]


class Trigger(Record):
    name: str
    function: Name
    events: frozenset[str] = frozenset()  # insert, update, delete, truncate
    columns: tuple[str, ...] = ()  # UPDATE OF
    when_columns: frozenset[str] = frozenset()
    row: bool = False
    constraint: bool = False
    references: Name | None = None  # CREATE CONSTRAINT TRIGGER ... FROM


class Policy(Record):
    name: str
    columns: frozenset[str] = frozenset()
    reads: tuple[Name, ...] = ()  # tables in sub-queries of its conditions


class Created(Record):
    """When an object came to be: ordinals of the script and of the transaction within the whole replay."""

    script: int
    transaction: int


class Table(Record):
    """Any relation with columns: a table, partitioned table, view, materialized view, foreign table.

    `known` is false for one that was used but never seen created: it exists, is in use and large, and what stands
    here is only what later statements told.
    """

    name: Name
    kind: str = "table"  # table, partitioned table, view, materialized view, foreign table, composite type
    columns: Mapping[str, Column] = {}
    constraints: Mapping[str, Constraint] = {}
    indexes: Mapping[str, Index] = {}  # by index name; they live in the table's schema
    persistence: str = "permanent"  # permanent, unlogged, temporary
    partition_by: PartitionKey | None = None
    parent: Name | None = None  # the partitioned table it is attached to
    bound: PartitionBound | None = None
    inherits: tuple[Name, ...] = ()
    triggers: Mapping[str, Trigger] = {}
    policies: Mapping[str, Policy] = {}
    rules: frozenset[str] = frozenset()
    row_security: bool = False
    options: Mapping[str, str] = {}
    access_method: str = "heap"
    tablespace: str = ""
    uses: Uses | None = None  # of a view or materialized view: its query
    definition: str = ""  # of a view: the statement that created it
    of_type: Name | None = None
    created: Created | None = None
    filled: bool = False  # rows were copied into it by INSERT ... SELECT or COPY since it was created
    emptied: Created | None = None  # when TRUNCATE, or DELETE without a condition, took its last row; None again once rows were inserted
    truncated: bool = False  # it was TRUNCATE, which leaves no dead rows to read
    as_type: bool = False  # a column of some table has, or had, its rows as values
    published: Mapping[str, frozenset[str]] = {}  # by publication: columns that its column list or row filter for this table names
    known: bool = True

    @property
    def has_storage(self) -> bool:
        """Whether rows are kept in a file of this relation."""
        return self.kind in {"table", "materialized view"}

    @property
    def primary_key(self) -> Constraint | None:
        return next((c for c in self.constraints.values() if c.kind == "primary key"), None)

    def foreign_keys(self) -> Iterator[Constraint]:
        return (c for c in self.constraints.values() if c.kind == "foreign key")


class Sequence(Record):
    name: Name
    type: DataType
    owner: tuple[Name, str] | None = None  # table and column (serial, identity, OWNED BY)
    identity: bool = False
    created: Created | None = None
    persistence: str = "permanent"


class UserType(Record):
    """An enum, a domain, a range or a shell type; composite types are tables of kind "composite type"."""

    name: Name
    kind: str  # enum, domain, range, base
    labels: tuple[str, ...] = ()
    new_labels: frozenset[str] = frozenset()  # added in the open transaction by ADD VALUE, so not yet usable
    base: DataType | None = None  # of a domain
    not_null: bool = False
    default: Expression | None = None
    constraints: Mapping[str, Constraint] = {}  # checks of a domain
    created: Created | None = None


class Function(Record):
    name: Name
    arguments: tuple[DataType, ...] = ()
    kind: str = "function"  # function, procedure, aggregate
    volatility: str = "volatile"  # immutable, stable, volatile
    language: str = "sql"
    body: str = ""
    returns: DataType | None = None
    security_definer: bool = False
    created: Created | None = None
    uses: Uses | None = None  # of BEGIN ATOMIC or RETURN: what it is bound to


class Schema(Record):
    """Everything replayed so far. Mappings are never changed in place.

    `complete` is true when the history starts from nothing or from a given base, so that a name that is not here
    does not exist; otherwise it merely was not seen.
    """

    tables: Mapping[Name, Table] = {}
    sequences: Mapping[Name, Sequence] = {}
    types: Mapping[Name, UserType] = {}
    functions: Mapping[Name, tuple[Function, ...]] = {}
    index_tables: Mapping[Name, Name] = {}  # index name -> its table
    namespaces: frozenset[str] = frozenset({"public"})
    extensions: frozenset[str] = frozenset()
    complete: bool = False
    parents: frozenset[Name] | None = None  # tables that have or had partitions or children; None: not counted

    def table(self, name: Name) -> Table:
        """The table of that full name; one that is not known answers with `known=False`."""
        return self.tables.get(name) or Table(name=name, known=False)

    def find_index(self, name: Name) -> Index | None:
        table = self.index_tables.get(name)
        return None if table is None else self.tables[table].indexes.get(name.name)

    def has_relation(self, name: Name) -> bool:
        """Whether a table, view, index or sequence of that full name is known."""
        return name in self.tables or name in self.index_tables or name in self.sequences

    def partitions(self, name: Name) -> tuple[Table, ...]:
        """Direct partitions and inheritance children."""
        if self.parents is not None and name not in self.parents:
            return ()
        return tuple(t for t in self.tables.values() if t.parent == name or name in t.inherits)

    def descendants(self, name: Name) -> tuple[Table, ...]:
        """Partitions and inheritance children at every level, the table itself not included."""
        found: dict[Name, Table] = {}
        level = list(self.partitions(name))
        while level:
            table = level.pop(0)
            if table.name not in found:
                found[table.name] = table
                level.extend(self.partitions(table.name))
        return tuple(found.values())

    def leaves(self, name: Name) -> tuple[Table, ...]:
        """Relations with storage that hold the rows of `name`, itself included where it has storage."""
        family = (self.table(name), *self.descendants(name))
        return tuple(t for t in family if t.has_storage)

    def referencing(self, name: Name) -> Iterator[tuple[Table, Constraint]]:
        """Foreign keys that point at `name`."""
        return iter(_references(self.tables).get(name, ()))


_Keys = dict[Name, tuple[tuple[Table, Constraint], ...]]
_latest: tuple[Mapping[Name, Table], _Keys] = ({}, {})


def _references(tables: Mapping[Name, Table]) -> _Keys:
    """Foreign keys by the table they point at, in the order of the tables that have them.

    Those of the latest schema are remembered, as many questions follow on one, and the next schema differs in a table or two.
    """
    global _latest  # noqa: PLW0603 - a memory of one, which changes no answer
    old, found = _latest
    if old is tables:
        return found
    changed = [table for name, table in tables.items() if old.get(name) is not table]
    stayed = len(tables) - sum([table.name not in old for table in changed])
    gone = [table for name, table in old.items() if name not in tables] if stayed < len(old) else []
    same = not any(map(_keys, gone)) and all(_same_keys(old.get(one.name), one) for one in changed)
    if same:
        _latest = tables, _moved(found, old, changed)
    elif not gone and not any(table.name in old for table in changed):  # new tables come last
        added = _all({table.name: table for table in changed})
        _latest = tables, {**found, **{name: (*found.get(name, ()), *keys) for name, keys in added.items()}}
    else:
        _latest = tables, _all(tables)
    return _latest[1]


def _all(tables: Mapping[Name, Table]) -> _Keys:
    found: dict[Name, list[tuple[Table, Constraint]]] = {}
    for table in tables.values():
        if table.constraints:
            for constraint in table.constraints.values():
                if constraint.references is not None:
                    found.setdefault(constraint.references, []).append((table, constraint))
    return {name: tuple(keys) for name, keys in found.items()}


def _moved(found: _Keys, old: Mapping[Name, Table], changed: list[Table]) -> _Keys:
    """The same foreign keys, on the tables as they are now."""
    now = {table.name: table for table in changed if table.name in old}
    names = {key.references for table in now.values() for key in _keys(table)}
    moved = {name: tuple([(now.get(table.name, table), key) for table, key in keys]) for name, keys in found.items() if name in names}
    return {**found, **moved} if moved else found


def _same_keys(before: Table | None, after: Table) -> bool:
    if before is not None and before.constraints is after.constraints:
        return True
    return (() if before is None else _keys(before)) == _keys(after)


def _keys(table: Table) -> tuple[Constraint, ...]:
    return tuple([key for key in table.constraints.values() if key.references is not None]) if table.constraints else ()
