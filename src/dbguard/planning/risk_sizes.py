"""Sizes of relations as the operations of a migration meet them: a snapshot in, bytes, rows and widths by full name out.

None means that a size is not known; nothing is taken to be small because nobody told.
"""

from __future__ import annotations

from collections.abc import Mapping

from dbguard.model.names import Name
from dbguard.model.operations import AddColumn, Copy, CreateTable, Insert, Operation, RenameColumn, RenameTable, SetSchema, Update
from dbguard.model.schema import Schema
from dbguard.model.snapshot import Activity, ColumnStatistics, Relation, Snapshot
from dbguard.model.state import State
from dbguard.model.types import DataType

PAGE = 8192
_MEMORY_UNITS = {"": 1024, "b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3, "tb": 1024**4}  # of memory settings without a unit: kB, as here
_WIDTHS = {
    "bool": 1, "char": 1, "int2": 2, "int4": 4, "int8": 8, "float4": 4, "float8": 8, "date": 4, "time": 8, "timetz": 12,
    "timestamp": 8, "timestamptz": 8, "interval": 16, "uuid": 16, "numeric": 8, "inet": 10, "cidr": 10, "oid": 4, "macaddr": 6,
}  # fmt: skip
UNKNOWN_WIDTH = 32  # of a value of a type with no fixed length and no statistics (get_typavgwidth in lsyscache.c)


class Sizes:
    """What a snapshot knows of sizes. Names that a pending migration gave are followed back to those of the snapshot."""

    def __init__(self, snapshot: Snapshot | None, small: tuple[str, ...] = ()) -> None:
        self.known = snapshot is not None
        self.relations: dict[Name, Relation] = {} if snapshot is None else {one.name: one for one in snapshot.relations if one.kind != "t"}
        self.activity: dict[Name, Activity] = {} if snapshot is None else {one.relation: one for one in snapshot.activity}
        self.covered = None if snapshot is None else snapshot.seconds
        self.columns: dict[tuple[Name, str], ColumnStatistics] = {} if snapshot is None else _columns(snapshot)
        self.settings: Mapping[str, str] = {} if snapshot is None else dict(snapshot.settings)
        self.collation = "libc" if snapshot is None else _collation(dict(snapshot.locale))  # bytes, icu, libc
        self._small = {tuple(one.rpartition(".")[::2]) for one in small}
        self.renamed: dict[Name, Name] = {}
        self.columns_renamed: dict[tuple[Name, str], str] = {}
        self.created: dict[Name, Relation] = {}  # since the snapshot, and not filled by a migration
        self.added: dict[tuple[Name, str], ColumnStatistics] = {}  # columns that hold nothing but nulls so far

    def copy(self) -> Sizes:
        """The same sizes, to follow another road of renames."""
        from copy import copy

        found = copy(self)
        found.renamed, found.columns_renamed = dict(self.renamed), dict(self.columns_renamed)
        found.created, found.added = dict(self.created), dict(self.added)
        return found

    def follow(self, operation: Operation, before: State) -> None:
        """Remember what a migration renames, and what it makes that holds nothing yet."""
        if isinstance(operation, CreateTable):
            name = before.target(operation.name)
            if name not in self.relations:
                self.created[name] = Relation(name, "r", tuples=0.0)
        elif isinstance(operation, Insert | Copy):
            if operation.table is not None:
                self.created.pop(self.original(before.resolve(operation.table)), None)
        elif isinstance(operation, AddColumn):
            self._add(self.original(before.resolve(operation.table)), operation)
        elif isinstance(operation, Update):
            table = self.original(before.resolve(operation.table))
            for column in operation.assigned:
                self.added.pop((table, column), None)
        elif isinstance(operation, RenameTable):
            old = before.resolve(operation.table)
            self._move(old, Name(old.schema, operation.to))
        elif isinstance(operation, SetSchema):
            old = before.resolve(operation.table)
            self._move(old, Name(operation.schema, old.name))
        elif isinstance(operation, RenameColumn):
            table = self.original(before.resolve(operation.table))
            known = self.columns_renamed.pop((table, operation.column), operation.column)
            self.columns_renamed[table, operation.to] = known

    def _add(self, table: Name, operation: AddColumn) -> None:
        column = operation.column
        if column.default is None and not (column.generated or column.identity or column.serial) and (table, column.name) not in self.columns:
            self.added[table, column.name] = ColumnStatistics(table, column.name, null_frac=1.0)

    def _move(self, old: Name, new: Name) -> None:
        self.renamed[new] = self.renamed.pop(old, old)

    def original(self, name: Name) -> Name:
        return self.renamed.get(name, name)

    def relation(self, name: Name) -> Relation | None:
        original = self.original(name)
        return self.relations.get(original) or self.created.get(original)

    def is_small(self, name: Name) -> bool:
        """Whether the configuration says that the table is small."""
        return (name.schema or "", name.name) in self._small or ("", name.name) in self._small

    def rows(self, name: Name, schema: Schema | None = None) -> float | None:
        """Live rows, those of all partitions for a partitioned table; None if that is not known."""
        if schema is not None and (leaves := [one.name for one in schema.leaves(name) if one.name != name]):
            counts = [self.rows(leaf) for leaf in leaves]
            return None if any(count is None for count in counts) else sum(count or 0.0 for count in counts)
        found = self.relation(name)
        if found is None:
            return None
        if found.tuples < 0:  # never analyzed: as the planner does, from the file's size and the width of a row (plancat.c)
            return found.pages * PAGE / (28 + self.row_width(name, schema)) if found.pages else None
        return found.tuples

    def bytes(self, name: Name, schema: Schema | None = None) -> float | None:
        """Of the table with TOAST, indexes apart; of all partitions for a partitioned table."""
        if schema is not None and (leaves := [one.name for one in schema.leaves(name) if one.name != name]):
            counts = [self.bytes(leaf) for leaf in leaves]
            return None if any(count is None for count in counts) else sum(count or 0.0 for count in counts)
        found = self.relation(name)
        return None if found is None else float(max(found.relation_bytes, found.pages * PAGE))

    def heap_bytes(self, name: Name) -> float | None:
        found = self.relation(name)
        return None if found is None else float(found.pages * PAGE)

    def column(self, table: Name, column: str) -> ColumnStatistics | None:
        table = self.original(table)
        key = table, self.columns_renamed.get((table, column), column)
        return self.columns.get(key) or self.added.get(key)

    def width(self, table: Name, column: str, data_type: DataType | None = None) -> float:
        """Bytes of an average value, nulls counted as nothing."""
        known = self.column(table, column)
        if known is not None and known.avg_width > 0:
            return known.avg_width * (1 - known.null_frac)
        return width_of(data_type)

    def row_width(self, name: Name, schema: Schema | None) -> float:
        table = None if schema is None else schema.tables.get(name)
        if table is None:
            return sum(one.avg_width for (relation, _), one in self.columns.items() if relation == self.original(name)) or UNKNOWN_WIDTH
        return sum(self.width(name, column.name, column.type) for column in table.columns.values())

    def memory(self, setting: str, default: int) -> int:
        """A setting of memory, in bytes."""
        text = self.settings.get(setting, "").strip().lower()
        number = text.rstrip("bkmgt ")
        unit = text[len(number) :].strip()
        if not number.isdigit() or unit not in _MEMORY_UNITS:
            return default
        return int(number) * _MEMORY_UNITS[unit]

    def number(self, setting: str, default: int) -> int:
        text = self.settings.get(setting, "")
        return int(text) if text.isdigit() else default


def width_of(data_type: DataType | None) -> int:
    """Bytes of a value of a type, without statistics."""
    if data_type is None or data_type.array or data_type.builtin is None:
        return UNKNOWN_WIDTH
    if data_type.builtin in {"varchar", "bpchar"} and data_type.modifiers and data_type.modifiers[0].isdigit():
        most = int(data_type.modifiers[0])
        return most if data_type.builtin == "bpchar" or most <= UNKNOWN_WIDTH else UNKNOWN_WIDTH + (min(most, 1000) - UNKNOWN_WIDTH) // 2
    return _WIDTHS.get(data_type.builtin, UNKNOWN_WIDTH)


def _columns(snapshot: Snapshot) -> dict[tuple[Name, str], ColumnStatistics]:
    """Statistics by relation and column; those of a table alone before those with its children."""
    found = {}
    for one in snapshot.columns:
        if not one.inherited or (one.relation, one.column) not in found:
            found[one.relation, one.column] = one
    return found


def _collation(locale: Mapping[str, str]) -> str:
    """How text is compared: byte by byte, by ICU (which sorts by keys it makes once), or by the C library, value by value."""
    if locale.get("provider") in {"icu", "i"}:
        return "icu"
    plain = {"C", "POSIX", "C.UTF-8", "C.UTF8", "PG_C_UTF8", "UCS_BASIC"}
    return "bytes" if locale.get("provider") in {"builtin", "b"} or locale.get("collate", "").upper() in plain else "libc"
