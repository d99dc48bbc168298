"""A column as it stands after its name in CREATE TABLE and ADD COLUMN."""

from __future__ import annotations

from typing import Protocol

from dbguard.reading.django.columns import Column
from dbguard.reading.django.defaults import adapted, effective, plausible
from dbguard.reading.django.expressions import Unreadable, compiled, named
from dbguard.reading.django.literals import Unfit, literal, plain
from dbguard.reading.django.migration import Settings
from dbguard.reading.django.models import Model
from dbguard.reading.django.names import quoted
from dbguard.reading.python.values import Called, Operator


class Reader(Protocol):
    """Who wants to know what could not be read."""

    settings: Settings

    def doubt(self, reason: str) -> None: ...


def definition(reader: Reader, model: Model, column: Column, *, with_default: bool = False) -> tuple[str, bool]:
    """The definition, and whether Django hands parameters to the driver with it."""
    field = column.field
    words, parameters = [column.type], False
    if column.collation:
        words.append(f"COLLATE {quoted(column.collation)}")
    if has_db_default(column, reader.settings):
        sql, parameters = db_default(reader, model, column)
        words.append(f"DEFAULT {sql}")
    elif with_default and (default := effective(column, reader.settings)).sql:
        words.append(f"DEFAULT {default.sql.strip()}")
    if field.kind == "GeneratedField":
        words.append(_generated(reader, model, column))
    else:
        words.append("NULL" if field.null else "NOT NULL")
    words.append("PRIMARY KEY" if field.primary_key else "UNIQUE" if field.unique else "")
    tablespace = field.text("db_tablespace") or model.tablespace
    words.append(f"USING INDEX TABLESPACE {quoted(tablespace)}" if tablespace and field.unique else "")
    words += [f"CHECK ({column.check})" if column.check else "", column.suffix]
    return " ".join(filter(None, words)), parameters


def inline_of(column: Column) -> list[str]:
    """The constraints that stand in a column's definition without a name."""
    kinds = ["primary key"] if column.field.primary_key else ["unique"] if column.field.unique else []
    return [*kinds, "check"] if column.check else kinds


def has_db_default(column: Column, settings: Settings) -> bool:
    return column.field.has_db_default and settings.version >= (5, 0)


def db_default(reader: Reader, model: Model, column: Column) -> tuple[str, bool]:
    """A database default, and whether it is a value: Django hands those to the driver as parameters."""
    value = column.field.options["db_default"]
    try:
        if isinstance(value, Called | Operator) and named(value) != "Value" and (isinstance(value, Operator) or named(value)):
            return f"({compiled(value, model).text})", "Value'" in str(value)
        if named(value) == "Value":
            value = value.args[0] if value.args else value.kwargs.get("value")
        return literal(adapted(column.field.kind, plain(value), column, reader.settings)).strip(), True
    except Unreadable as unread:
        reader.doubt(unread.reason)
    except Unfit as unfit:
        reader.doubt(f"the database default `{unfit}` is not known")
    return plausible(column).strip(), True


def _generated(reader: Reader, model: Model, column: Column) -> str:
    stored = "STORED" if column.field.options.get("db_persist", True) is not False else "VIRTUAL"
    try:
        return f"GENERATED ALWAYS AS ({compiled(column.field.options.get('expression'), model).text}) {stored}"
    except Unreadable as unread:
        reader.doubt(unread.reason)
        return f"GENERATED ALWAYS AS (NULL) {stored}"
