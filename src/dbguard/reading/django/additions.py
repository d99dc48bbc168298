"""Indexes and constraints that are added to a table, as values: Django may send them later, when tables have other names."""

from __future__ import annotations

from dbguard.model.record import Record
from dbguard.reading.django.names import all_quoted, hashed, quoted, split

_DEFERRABLE = " DEFERRABLE INITIALLY DEFERRED"


class Addition(Record):
    """`kind`: "foreign key", "primary key", "unique", "unique index", "index", "check", "exclusion"."""

    kind: str
    table: str
    columns: tuple[str, ...] = ()
    name: str = ""  # "" is hashed from table, columns and suffix
    suffix: str = ""
    to_table: str = ""
    to_column: str = ""
    on_delete: str = ""
    expressions: tuple[str, ...] = ()  # keys, where they are no columns
    mentions: tuple[str, ...] = ()  # columns in expressions
    opclasses: tuple[str, ...] = ()
    descending: tuple[bool, ...] = ()
    using: str = ""
    include: tuple[str, ...] = ()
    extra: str = ""  # WITH and TABLESPACE
    condition: str = ""
    deferrable: str = ""
    nulls: str = ""
    check: str = ""
    concurrently: bool = False
    not_valid: bool = False

    @property
    def called(self) -> str:
        """Its name now."""
        if self.name:
            return self.name
        if self.kind == "foreign key":
            to_table = split(self.to_table)[1]
            suffix = f"_fk_{to_table}_{self.to_column}" if self.suffix == "" else self.suffix
            return hashed(self.table, self.columns, suffix)
        suffix = {"unique": "_uniq", "unique index": "_uniq", "primary key": "_pk"}.get(self.kind, "") if not self.suffix else self.suffix
        return hashed(self.table, self.columns, suffix)

    def is_about_table(self, table: str) -> bool:
        return table in {self.table, self.to_table}

    def is_about_column(self, table: str, column: str) -> bool:
        own = self.table == table and column in {*self.columns, *self.include, *self.mentions}
        return own or (self.to_table == table and self.to_column == column)

    def with_table(self, old: str, new: str) -> Addition:
        return self._replace(table=new if self.table == old else self.table, to_table=new if self.to_table == old else self.to_table)

    def with_column(self, table: str, old: str, new: str) -> Addition:
        changed = self
        if self.table == table:
            parts = [tuple(new if one == old else one for one in part) for part in (self.columns, self.include, self.mentions)]
            expressions = tuple(one.replace(quoted(old), quoted(new)) for one in self.expressions) if old in self.mentions else self.expressions
            changed = self._replace(columns=parts[0], include=parts[1], mentions=parts[2], expressions=expressions)
        if self.to_table == table and self.to_column == old:
            changed = changed._replace(to_column=new)
        return changed

    def sql(self) -> str:
        """The statement that adds it."""
        match self.kind:
            case "index" | "unique index":
                return _index(self)
            case "exclusion":
                return f"ALTER TABLE {quoted(self.table)} ADD {self.clause()}"
        end = " NOT VALID" if self.not_valid else ""
        return f"ALTER TABLE {quoted(self.table)} ADD CONSTRAINT {quoted(self.called)} {_body(self)}{end}"

    def clause(self) -> str:
        """The constraint as it stands in CREATE TABLE."""
        return f"CONSTRAINT {quoted(self.called)} {_body(self)}"


def _body(one: Addition) -> str:
    match one.kind:
        case "foreign key":
            target = f"{quoted(one.to_table)} ({quoted(one.to_column)})"
            return f"FOREIGN KEY ({all_quoted(one.columns)}) REFERENCES {target}{one.on_delete}{_DEFERRABLE}"
        case "primary key":
            return f"PRIMARY KEY ({all_quoted(one.columns)})"
        case "unique":
            return f"UNIQUE{one.nulls} ({all_quoted(one.columns)}){one.deferrable}"
        case "exclusion":
            where = f" WHERE ({one.condition})" if one.condition else ""
            return f"EXCLUDE USING {one.using} ({', '.join(one.expressions)}){_include(one)}{where}{one.deferrable}"
    return f"CHECK ({one.check})"


def _index(one: Addition) -> str:
    words = ["CREATE", "UNIQUE INDEX" if one.kind == "unique index" else "INDEX", "CONCURRENTLY" if one.concurrently else ""]
    words += [quoted(one.called), "ON", quoted(one.table), f"USING {one.using}" if one.using else "", f"({_keys(one)})"]
    where = f" WHERE {one.condition}" if one.condition else ""
    return " ".join(filter(None, words)) + _include(one) + one.nulls + one.extra + where


def _keys(one: Addition) -> str:
    if one.expressions:
        return ", ".join(one.expressions)
    keys = []
    for index, column in enumerate(one.columns):
        key = quoted(column)
        key += f" {one.opclasses[index]}" if index < len(one.opclasses) and one.opclasses[index] else ""
        key += " DESC" if index < len(one.descending) and one.descending[index] else ""
        keys.append(key)
    return ", ".join(keys)


def _include(one: Addition) -> str:
    return f" INCLUDE ({all_quoted(one.include)})" if one.include else ""
