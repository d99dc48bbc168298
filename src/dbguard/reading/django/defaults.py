"""The value that Django puts into existing rows when a field is added or becomes NOT NULL, as SQL."""

from __future__ import annotations

import datetime as dt
import decimal
import ipaddress
import uuid
from typing import Any

from dbguard.model.record import Record
from dbguard.reading.django.columns import Column
from dbguard.reading.django.fields import field_of
from dbguard.reading.django.literals import Array, Json, Unfit, dumped, is_list, literal, plain, produced
from dbguard.reading.django.migration import Settings
from dbguard.reading.python.values import Called, Local, Symbol, Value

_DATES = {"DateField": "'2001-01-01'::date", "DateTimeField": "'2001-01-01 00:00:00+00:00'::timestamptz", "TimeField": "'00:00:00'::time"}
_INTEGERS = frozenset(
    [
        "AutoField",
        "BigAutoField",
        "SmallAutoField",
        "IntegerField",
        "BigIntegerField",
        "SmallIntegerField",
        "PositiveIntegerField",
        "PositiveBigIntegerField",
        "PositiveSmallIntegerField",
    ]
)
_TEXTS = frozenset(["CharField", "TextField", "SlugField", "FileField", "FilePathField"])
_ELEMENTS = {
    "SmallIntegerField": "int2", "IntegerField": "int4", "BigIntegerField": "int8", "PositiveSmallIntegerField": "int2",
    "PositiveIntegerField": "int4", "PositiveBigIntegerField": "int8",
}  # fmt: skip
_PLAUSIBLE = {
    **dict.fromkeys(_INTEGERS, "0"), **_DATES, "BooleanField": "false", "FloatField": "0.0", "DecimalField": "0",
    "DurationField": "'0:00:00'::interval",
    "UUIDField": "'00000000000040008000000000000000'::uuid", "JSONField": "'{}'::jsonb", "ArrayField": "'{}'", "BinaryField": "''::bytea",
    "GenericIPAddressField": "'127.0.0.1'::inet", "IPAddressField": "'127.0.0.1'::inet",
}  # fmt: skip


_CHANGING = frozenset(["now"])


class Default(Record):
    """`sql` is empty where there is none."""

    sql: str = ""
    written: str = ""  # as the migration says it, where only Python knows the value
    known: bool = True

    def differs(self, other: Default) -> bool:
        """Whether two evaluations give two values: those of the clock and of chance do."""
        if self.sql != other.sql or not (self.known and other.known):
            return True
        return self.written in _CHANGING or (bool(self.written) and "." in self.written)


NONE = Default()


def effective(column: Column, settings: Settings) -> Default:
    """The value, whether the field says it or Django chooses it."""
    field = column.field
    if field.has_default:
        return _given(column, field.options["default"], settings)
    if field.kind == "GeneratedField":
        return NONE
    if not field.null and field.flag("blank") and field.empty_text:
        return Default("''::bytea" if field.kind == "BinaryField" else "''")
    if field.flag("auto_now") or field.flag("auto_now_add"):
        return Default(_DATES.get(field.kind, "''"), "now")
    return NONE


def _given(column: Column, value: Value, settings: Settings) -> Default:
    written = ""
    try:
        if isinstance(value, Symbol):
            value, written = _of_symbol(value, settings)
        elif isinstance(value, Local):
            value, written = _of_function(value), value.name
        found = adapted(column.field.kind, plain(value), column, settings)
        return Default("" if found is None else literal(found), written)
    except Unfit as unfit:
        return Default(plausible(column), written or str(unfit), known=False)


def _of_symbol(symbol: Symbol, settings: Settings) -> tuple[Value, str]:
    """The value of a constant, or of what a callable returns."""
    setting = symbol.path.removeprefix("django.conf.settings.")
    if setting != symbol.path:
        if setting not in settings.values:
            raise Unfit(f"settings.{setting}")
        return settings.values[setting], ""
    try:
        return plain(symbol), ""
    except Unfit:
        pass
    try:
        return produced(symbol.path), symbol.path
    except Unfit:
        pass
    if settings.resolve_value is not None:
        found = settings.resolve_value(symbol.path)
        if isinstance(found, Local):
            return _of_function(found), symbol.path
        if found is not None:
            return plain(found), ""
    raise Unfit(symbol.path)


def _of_function(function: Local) -> Value:
    if function.is_class:
        raise Unfit(function.name)
    from dbguard.reading.python.interpret import Interrupted

    try:
        found = function.interpreter.start(function)
    except Interrupted:
        raise Unfit(function.name) from None
    if isinstance(found, Called) and isinstance(found.target, Symbol) and not found.args and not found.kwargs:
        return produced(found.target.path)
    return plain(found)


def plausible(column: Column) -> str:
    """A value such as the column may get, where the migration does not say which."""
    kind = column.field.kind
    if kind in _PLAUSIBLE:
        return _PLAUSIBLE[kind]
    if column.type in {"integer", "bigint", "smallint"}:
        return "0"
    return "'00000000000040008000000000000000'::uuid" if column.type == "uuid" else "''"


def adapted(kind: str, value: Any, column: Column | None, settings: Settings) -> Any:
    """A value in the type in which Django hands it to the database for a field of this kind."""
    if value is None:
        return None
    try:
        if kind in _TEXTS:
            return value if isinstance(value, str) else str(value)
        if kind in _INTEGERS:
            return int(value)
        match kind:
            case "BooleanField":
                return value in {True, "True", "true", "t", "1"} if isinstance(value, str | int) else bool(value)
            case "DecimalField":
                return decimal.Decimal(str(value))
            case "FloatField":
                return float(value)
            case "UUIDField":
                return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
            case "JSONField":
                return dumped(value)
            case "DateTimeField" | "DateField" | "TimeField":
                return _moment(kind, value)
            case "DurationField":
                return value if isinstance(value, dt.timedelta) else dt.timedelta(seconds=float(value))
            case "GenericIPAddressField" | "IPAddressField":
                return ipaddress.ip_address(value) if value else None
            case "BinaryField":
                return value if isinstance(value, bytes) else b"" if not value else str(value).encode()
            case "ArrayField" if column is not None and is_list(value):
                base = field_of(column.field.options.get("base_field"), settings)
                values = [adapted(base.kind, one, column._replace(field=base), settings) for one in value]
                return Array(values, _ELEMENTS[base.kind]) if base.kind in _ELEMENTS else values
            case "ForeignKey" | "OneToOneField":
                return _of_key(value, column)
    except (ValueError, TypeError, ArithmeticError):
        raise Unfit(str(value)[:80]) from None
    return _other(value, column)


def _of_key(value: Any, column: Column | None) -> Any:
    if value == "":
        return None
    if column is not None and column.type in {"integer", "bigint", "smallint"}:
        return int(value)
    if column is not None and column.type == "uuid":
        return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
    return value


def _other(value: Any, column: Column | None) -> Any:
    """For fields that dbguard knows by their database type only."""
    if column is not None and column.type == "hstore" and isinstance(value, dict):
        return ", ".join(f'"{name}"=>"{one}"' for name, one in value.items())
    if isinstance(value, dict | list) and column is not None and column.type.startswith(("text", "varchar")):
        return dumped(value).text
    if isinstance(value, dict):
        return dumped(value)
    if isinstance(value, Json | str | int | float | list | bytes | decimal.Decimal | dt.date | dt.time | dt.timedelta | uuid.UUID):
        return value
    raise Unfit(str(value)[:80])


def _moment(kind: str, value: Any) -> Any:
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value) if kind != "TimeField" else dt.time.fromisoformat(value)
    if kind == "DateField":
        return value.date() if isinstance(value, dt.datetime) else value
    if kind == "TimeField":
        return value.time() if isinstance(value, dt.datetime) else value
    if not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
