"""The next schema while one operation is applied.

Mappings of the schema are copied when they are first written, so a state that was handed out never changes. Everything
here takes complete names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar, cast

from dbguard.model.names import Name
from dbguard.model.schema import Column, Constraint, Function, Index, Schema, Sequence, Table, UserType
from dbguard.model.state import State

K = TypeVar("K")
V = TypeVar("V")
Advances: TypeAlias = Mapping[type, Callable[[State, Any], State]]
"""What a module knows to apply: functions by class of operation."""


class Draft:
    """One level of copies on top of a state's schema. `done()` is the state that results."""

    __slots__ = ("extensions", "functions", "index_tables", "namespaces", "parents", "sequences", "state", "tables", "types")

    def __init__(self, state: State) -> None:
        schema = state.schema
        self.state = state
        self.tables = cast("dict[Name, Table]", schema.tables)
        self.sequences = cast("dict[Name, Sequence]", schema.sequences)
        self.types = cast("dict[Name, UserType]", schema.types)
        self.functions = cast("dict[Name, tuple[Function, ...]]", schema.functions)
        self.index_tables = cast("dict[Name, Name]", schema.index_tables)
        self.namespaces = schema.namespaces
        self.extensions = schema.extensions
        self.parents = schema.parents if schema.parents is not None else _parents(schema)

    def done(self) -> State:
        old = self.state.schema
        own = (self.tables, self.sequences, self.types, self.functions, self.index_tables, self.namespaces, self.extensions)
        new = Schema._make((*own, old.complete, self.parents))
        return self.state._replace(schema=new)

    def put(self, table: Table) -> None:
        self.own_tables()[table.name] = table
        if table.parent is not None or table.inherits:
            self.parents = self.parents.union(table.inherits, () if table.parent is None else (table.parent,))

    def own_tables(self) -> dict[Name, Table]:
        if self.tables is self.state.schema.tables:
            self.tables = dict(self.tables)
        return self.tables

    def own_sequences(self) -> dict[Name, Sequence]:
        if self.sequences is self.state.schema.sequences:
            self.sequences = dict(self.sequences)
        return self.sequences

    def own_types(self) -> dict[Name, UserType]:
        if self.types is self.state.schema.types:
            self.types = dict(self.types)
        return self.types

    def own_functions(self) -> dict[Name, tuple[Function, ...]]:
        if self.functions is self.state.schema.functions:
            self.functions = dict(self.functions)
        return self.functions

    def own_index_tables(self) -> dict[Name, Name]:
        if self.index_tables is self.state.schema.index_tables:
            self.index_tables = dict(self.index_tables)
        return self.index_tables

    def put_column(self, table: Name, column: Column) -> None:
        found = self.tables[table]
        self.put(found._replace(columns={**found.columns, column.name: column}))

    def put_constraint(self, table: Name, constraint: Constraint) -> None:
        found = self.tables[table]
        self.put(found._replace(constraints={**found.constraints, constraint.name: constraint}))

    def put_index(self, index: Index) -> None:
        found = self.tables[index.table]
        self.put(found._replace(indexes={**found.indexes, index.name.name: index}))
        self.own_index_tables()[index.name] = index.table

    def index(self, name: Name) -> Index | None:
        table = self.tables.get(self.index_tables.get(name, name))
        return None if table is None else table.indexes.get(name.name)

    def takes(self, name: Name) -> bool:
        """Whether a relation has that name; tables, indexes, sequences and composite types share one space (pg_class)."""
        return name in self.tables or name in self.index_tables or name in self.sequences

    def children(self, name: Name) -> list[Table]:
        """Direct partitions and inheritance children."""
        if name not in self.parents:
            return []
        return [t for t in self.tables.values() if (t.parent or t.inherits) and (t.parent == name or name in t.inherits)]

    def family(self, table: Table, *, only: bool = False) -> list[Table]:
        """The table, and unless ONLY was written its partitions and inheritance children at every level."""
        found = [table]
        if only or table.kind in {"view", "materialized view", "composite type"}:
            return found
        seen = {table.name}
        for one in found:
            for child in self.children(one.name):
                if child.name not in seen:
                    seen.add(child.name)
                    found.append(child)
        return found

    def is_below(self, name: Name, ancestor: Name) -> bool:
        """Whether one is the other, or a partition or child of it at any level."""
        level, seen = [name], {name}
        for one in level:
            if one == ancestor:
                return True
            table = self.tables.get(one)
            above = () if table is None else table.inherits if table.parent is None else (table.parent, *table.inherits)
            level.extend(parent for parent in above if parent not in seen)
            seen.update(above)
        return False

    def learn(self, written: Name) -> Table | None:
        """The table that a statement is about, entered as not known if it was never seen; None if the name is no table's."""
        full = self.state.resolve(written)
        table = self.tables.get(full)
        if table is not None:
            return table
        if full in self.index_tables or full in self.sequences:
            return None
        table = Table(full, known=False)
        self.put(table)
        return table

    def find(self, written: Name) -> Table | None:
        """The table that a statement is about, if it was seen."""
        return self.tables.get(self.state.resolve(written))


def _parents(schema: Schema) -> frozenset[Name]:
    found: set[Name] = set()
    for table in schema.tables.values():
        found.update(table.inherits)
        if table.parent is not None:
            found.add(table.parent)
    return frozenset(found)


def without(mapping: Mapping[K, V], *keys: K) -> dict[K, V]:
    """A copy without some keys."""
    return {key: value for key, value in mapping.items() if key not in keys}
