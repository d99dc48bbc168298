"""Values of a Python migration to values of Python's standard library, and those to SQL as psycopg writes them."""

from __future__ import annotations

import datetime as dt
import decimal
import ipaddress
import json
import math
import uuid
from collections.abc import Callable
from typing import Any, TypeGuard

from dbguard.model.record import Record
from dbguard.reading.python.values import Called, Symbol, Value, is_known

_MOMENT = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
_IDENTIFIER = uuid.UUID("00000000-0000-4000-8000-000000000000")

_CALLABLES: dict[str, Callable[[], Any]] = {
    **{one.__name__: one for one in (dict, list, set, tuple, str, int, float, bool)},
    "django.utils.timezone.now": lambda: _MOMENT,
    "django.utils.timezone.localtime": lambda: _MOMENT,
    "django.utils.timezone.localdate": _MOMENT.date,
    "datetime.datetime.now": lambda: _MOMENT.replace(tzinfo=None),
    "datetime.datetime.utcnow": lambda: _MOMENT.replace(tzinfo=None),
    "datetime.datetime.today": lambda: _MOMENT.replace(tzinfo=None),
    "datetime.date.today": _MOMENT.date,
    "time.time": _MOMENT.timestamp,
    **{f"uuid.uuid{number}": lambda: _IDENTIFIER for number in (1, 4, 6, 7)},
}
_CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "datetime.datetime": dt.datetime,
    "datetime.date": dt.date,
    "datetime.time": dt.time,
    "datetime.timedelta": dt.timedelta,
    "datetime.timezone": dt.timezone,
    "decimal.Decimal": decimal.Decimal,
    "uuid.UUID": uuid.UUID,
    "str": str, "int": int, "float": float,
}  # fmt: skip
_CONSTANTS: dict[str, Any] = {
    "datetime.timezone.utc": dt.UTC,
    "datetime.UTC": dt.UTC,
    "django.utils.timezone.utc": dt.UTC,
}
_LONGEST = 100_000


class Json(Record):
    """A value of a JSON column, as text."""

    text: str


class Array(Record):
    """A value of an array column, and the type that psycopg casts it to."""

    values: list[Any]
    cast: str


class Unfit(Exception):  # noqa: N818 - reads better where it is caught
    """A value that only the project's own program knows."""


def is_list(value: Value) -> TypeGuard[list[Value] | tuple[Value, ...]]:
    """Whether a value is a list or tuple of the migration. What the interpreter did not follow is a tuple, too, of another class."""
    return type(value) in {list, tuple}


def plain(value: Value) -> Any:
    """What a value is, in types of the standard library. Raises `Unfit` where that is not known."""
    if isinstance(value, Symbol):
        name = value.path.removeprefix("django.utils.")
        if value.path in _CONSTANTS:
            return _CONSTANTS[value.path]
        raise Unfit(name)
    if isinstance(value, Called):
        return _constructed(value)
    kind = type(value)
    if kind is list or kind is tuple or kind is set:
        return kind(plain(one) for one in value)
    if kind is dict:
        return {plain(key): plain(one) for key, one in value.items()}
    if is_known(value):
        return value
    raise Unfit(str(value)[:80])


def _constructed(call: Called) -> Any:
    path = call.target.path if isinstance(call.target, Symbol) else ""
    args, kwargs = [plain(one) for one in call.args], {name: plain(one) for name, one in call.kwargs.items()}
    if path in _CALLABLES and not args and not kwargs:
        return _CALLABLES[path]()
    if path.startswith("django.utils.translation.") and len(args) == 1:
        return args[0]
    if path not in _CONSTRUCTORS or any(isinstance(one, str | bytes) and len(one) > _LONGEST for one in args):
        raise Unfit(path)
    try:
        return _CONSTRUCTORS[path](*args, **kwargs)
    except (TypeError, ValueError, ArithmeticError):
        raise Unfit(path) from None


def produced(path: str) -> Any:
    """What a callable that everybody knows returns when it is called without arguments."""
    if path not in _CALLABLES:
        raise Unfit(path)
    return _CALLABLES[path]()


def literal(value: Any) -> str:
    """A value as psycopg writes it into a statement."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value) if math.isfinite(value) else f"'{_float(value)}'::float8"
        case decimal.Decimal():
            return str(value) if value.is_finite() else f"'{value}'::numeric"
        case str():
            return _text(value)
        case bytes():
            return f"'\\x{value.hex()}'::bytea"
        case Json():
            return _text(value.text) + "::jsonb"
        case Array():
            return _text(_braces(value.values)) + (f"::{value.cast}[]" if value.values else "")
        case list():
            return _array(value)
    if isinstance(value, dt.datetime):
        return _text(str(value)) + ("::timestamptz" if value.tzinfo else "::timestamp")
    return _text(written(value)) + _CASTS.get(type(value), "")


_CASTS: dict[type, str] = {
    dt.date: "::date", dt.time: "::time", dt.timedelta: "::interval", uuid.UUID: "::uuid",
    ipaddress.IPv4Address: "::inet", ipaddress.IPv6Address: "::inet",
}  # fmt: skip
_ELEMENTS: dict[type, str] = {
    bool: "bool", float: "float8", decimal.Decimal: "numeric", dt.date: "date", dt.time: "time", dt.timedelta: "interval",
    uuid.UUID: "uuid",
}  # fmt: skip


def written(value: Any) -> str:
    """A value as text, without quotes."""
    match value:
        case dt.timedelta():
            return str(value).replace(",", "")
        case uuid.UUID():
            return value.hex
    return str(value)


def _text(value: str) -> str:
    inner = value.replace("'", "''").replace("\x00", "")
    if "\\" in inner:
        inner = inner.replace("\\", "\\\\")
        return f" E'{inner}'"
    return f"'{inner}'"


def _float(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _array(values: list[Any]) -> str:
    if not values:
        return "'{}'"
    return _text(_braces(values)) + _array_cast(values)


def _array_cast(values: list[Any]) -> str:
    flat = values
    while flat and isinstance(flat[0], list):
        flat = flat[0]
    first = next((one for one in flat if one is not None), None)
    if isinstance(first, int) and not isinstance(first, bool):
        largest = max(abs(one) for one in flat if isinstance(one, int))
        return "::int2[]" if largest < 1 << 15 else "::int4[]" if largest < 1 << 31 else "::int8[]"
    if isinstance(first, dt.datetime):
        return "::timestamptz[]" if first.tzinfo else "::timestamp[]"
    name = _ELEMENTS.get(type(first), "")
    return f"::{name}[]" if name else ""


def _braces(values: list[Any]) -> str:
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if isinstance(value, list):
        return _braces(value)
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "t" if value else "f"
    text = written(value)
    special = not text or text.lower() == "null" or any(character in text for character in '{}," \\\t\n\r\v\f')
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if special else text


def dumped(value: Any) -> Json:
    """A value of a JSON column, as Python's json module writes it."""
    try:
        return Json(json.dumps(value))
    except (TypeError, ValueError):
        raise Unfit("a value that is no JSON") from None
