"""Which indexes and constraints tables have, by name: what Django asks the database for when it drops one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dbguard.model.names import truncate
from dbguard.model.record import Record
from dbguard.model.sql import choose_name
from dbguard.reading.django.additions import Addition
from dbguard.reading.django.names import split


class Entry(Record):
    """One index or constraint. `kind` as in `Addition`."""

    kind: str
    columns: tuple[str, ...]
    to_table: str = ""
    to_column: str = ""
    method: str = "btree"
    mentions: tuple[str, ...] = ()  # columns besides the keys


class Catalog:
    """Tables that migrations made, each with what it has by name."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Entry]] = {}
        self.sequences: dict[tuple[str, str], str] = {}
        """Of identity columns, by table and column."""

    def knows(self, table: str) -> bool:
        return table in self.tables

    def names(self, table: str, kinds: Collection[str], columns: Iterable[str] | None = None, without: Collection[str] = ()) -> list[str]:
        """Names of what stands on exactly these columns."""
        wanted = None if columns is None else tuple(columns)
        found = self.tables.get(table, {}).items()
        return [name for name, entry in found if entry.kind in kinds and name not in without and (wanted is None or entry.columns == wanted)]

    def plain_indexes(self, table: str, columns: Iterable[str], without: Collection[str] = ()) -> list[str]:
        """Indexes of the kind that `db_index` makes."""
        found = [name for name in self.names(table, {"index"}, columns, without) if self.tables[table][name].method == "btree"]
        return sorted(found, key=lambda name: name.endswith("_like"))

    def create_table(self, table: str) -> None:
        self.tables[table] = {}

    def add_sequence(self, table: str, column: str) -> None:
        self.sequences[table, column] = choose_name(split(table)[1], [column], "seq")

    def drop_table(self, table: str) -> None:
        self.tables.pop(table, None)
        self.sequences = {place: name for place, name in self.sequences.items() if place[0] != table}
        for entries in self.tables.values():
            for name in [name for name, entry in entries.items() if entry.to_table == table]:
                del entries[name]

    def rename_table(self, old: str, new: str) -> None:
        if old in self.tables:
            self.tables[new] = self.tables.pop(old)
        self.sequences = {(new if table == old else table, column): name for (table, column), name in self.sequences.items()}
        for entries in self.tables.values():
            for name, entry in list(entries.items()):
                if entry.to_table == old:
                    entries[name] = entry._replace(to_table=new)

    def add(self, one: Addition) -> None:
        entry = Entry(one.kind, one.columns, one.to_table, one.to_column, one.using.lower() or "btree", (*one.include, *one.mentions))
        if one.kind in {"index", "unique index"} and one.expressions:
            entry = entry._replace(columns=("",), mentions=(*one.columns, *entry.mentions))
        self.tables.setdefault(one.table, {})[truncate(one.called)] = entry

    def add_inline(self, table: str, kind: str, columns: tuple[str, ...]) -> None:
        """A constraint without a name in a column's definition: PostgreSQL names it."""
        label, parts = {"primary key": ("pkey", ()), "unique": ("key", columns), "check": ("check", columns)}[kind]
        entries = self.tables.setdefault(table, {})
        entries[choose_name(split(table)[1], parts, label, entries)] = Entry(kind, columns)

    def drop(self, table: str, name: str) -> None:
        self.tables.get(table, {}).pop(name, None)

    def rename(self, table: str, old: str, new: str) -> None:
        entries = self.tables.get(table, {})
        if old in entries:
            entries[new] = entries.pop(old)

    def drop_column(self, table: str, column: str) -> None:
        self.sequences.pop((table, column), None)
        for other, entries in self.tables.items():
            for name, entry in list(entries.items()):
                own = other == table and (column in entry.columns or column in entry.mentions)
                if own or (entry.to_table == table and entry.to_column == column):
                    del entries[name]

    def rename_column(self, table: str, old: str, new: str) -> None:
        if (table, old) in self.sequences:
            self.sequences[table, new] = self.sequences.pop((table, old))
        for other, entries in self.tables.items():
            for name, entry in list(entries.items()):
                if other == table:
                    parts = [tuple(new if one == old else one for one in part) for part in (entry.columns, entry.mentions)]
                    entry = entry._replace(columns=parts[0], mentions=parts[1])  # noqa: PLW2901
                if entry.to_table == table and entry.to_column == old:
                    entry = entry._replace(to_column=new)  # noqa: PLW2901
                entries[name] = entry
