"""Values of the interpreter in, real SQLAlchemy objects out, through a list of what may be built.

Nothing of the project is imported or called. What is not on the list raises `NotKnown` with a reason for the report; a type that
is not known becomes a type of its name, and is noted.
"""

from __future__ import annotations

import datetime as dt
import decimal
import operator
import uuid
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import expression, schema
from sqlalchemy.sql.base import ColumnCollection, Executable
from sqlalchemy.sql.ddl import BaseDDLElement
from sqlalchemy.sql.elements import ClauseElement, ColumnElement, conv
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeEngine

from dbguard.reading.alembic import column_types as types
from dbguard.reading.alembic.allowed import FUNCTIONS, METHODS
from dbguard.reading.alembic.project import MISSING, Project
from dbguard.reading.python.values import Attribute, Called, Item, Local, Operator, Symbol, Unknown, Value, is_known

_PLAIN = frozenset([str, int, float, bool, type(None), bytes, complex, range])
_ATTRIBUTES = frozenset(["c", "columns", "excluded", "astext", "name", "key"])
_OTHER: dict[str, Callable[..., Any]] = {
    "datetime.datetime": dt.datetime,
    "datetime.date": dt.date,
    "datetime.time": dt.time,
    "datetime.timedelta": dt.timedelta,
    "decimal.Decimal": decimal.Decimal,
    "uuid.UUID": uuid.UUID,
    "collections.OrderedDict": dict,
}
_OPERATORS: dict[str, Callable[..., Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "+": operator.add,
    "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod, "&": operator.and_, "|": operator.or_, "~": operator.invert,
    "not": operator.invert, "is": operator.eq, "is not": operator.ne, "in": lambda value, rows: value.in_(rows),
}  # fmt: skip
_DROPPED = frozenset(["default", "onupdate", "insert_default", "info", "doc", "default_factory", "sort_order"])
_MOST = 20_000  # objects of one revision


class NotKnown(Exception):  # noqa: N818 - reads better where it is caught
    """A value that cannot be built, and why."""


class Columns:
    """`.c` of a table that the program reads from the database: each column that is named is taken to be there."""

    __slots__ = ("table",)

    def __init__(self, table: sa.Table) -> None:
        self.table = table

    def named(self, name: str) -> Any:
        if name not in self.table.c:
            self.table.append_column(sa.Column(name))
        return self.table.c[name]


class Name(str):
    """`op.f("name")`: a name that no convention changes."""

    __slots__ = ()


class Builder:
    """Objects of one revision. The same value is the same object each time, as in the program. `notes` say what was not known."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.notes: list[str] = []
        self.has_parameters = False  # since the last call of `leniently`
        self.lenient = False  # whether a value that is not known becomes a parameter
        self._made: dict[int, tuple[Value, Any]] = {}
        self._reflected: dict[tuple[str, str], sa.Table] = {}

    def keep(self, value: Value, made: Any) -> None:
        """`made` is what `value` stands for from now on: the table that `op.create_table` gave back."""
        self._made[id(value)] = value, made

    def taken_notes(self) -> str:
        """What was not known since the last call."""
        notes = "; ".join(dict.fromkeys(self.notes))
        self.notes.clear()
        return notes

    def leniently(self, value: Value) -> Any:
        """`real`, with parameters for the values that are not known."""
        self.lenient, self.has_parameters = True, False
        try:
            return self.real(value)
        finally:
            self.lenient = False

    def real(self, value: Value) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is Name:
            return conv(value)
        if kind is list:
            return [self.real(one) for one in value]
        if kind is tuple:
            return tuple([self.real(one) for one in value])
        if kind is dict:
            return {self.real(name): self.real(one) for name, one in value.items()}
        if kind in {set, frozenset}:
            return kind(self.real(one) for one in value)
        if kind is Symbol:
            return self._symbol(value)
        kept = self._made.get(id(value))
        if kept is not None:
            return kept[1]
        if len(self._made) >= _MOST:
            raise NotKnown("too many objects in one revision")
        made = self._make(value)
        self._made[id(value)] = value, made
        return made

    def _make(self, value: Value) -> Any:
        match value:
            case Called():
                return self._called(value)
            case Attribute(base, name):
                return self._attribute(base, name)
            case Item(Attribute(Called(), "tables"), str(name)):
                return self._from_database(name)
            case Item(base, key):
                found = self.real(base)
                if isinstance(found, Columns) and isinstance(key, str):
                    return found.named(key)
                if isinstance(found, ColumnElement | ColumnCollection):
                    return found[self.real(key)]
            case Operator(name, operands, _) if name in _OPERATORS:
                parts = [self.real(one) for one in operands]
                if any(isinstance(part, ClauseElement) for part in parts):
                    return _OPERATORS[name](*parts)
            case Local() if value.is_class:
                return types.of_class(value, (), {}, self)
        return self._unknown(value)

    def _unknown(self, value: Value) -> Any:
        if self.lenient:
            self.has_parameters = True
            return sa.bindparam(None, required=True)
        if isinstance(value, Unknown):
            raise NotKnown(value.reason)
        raise NotKnown(f"`{_shown(value)}` is not known")

    def _symbol(self, symbol: Symbol) -> Any:
        path = symbol.path
        first, _, _ = path.partition(".")
        if first == "sqlalchemy":
            found = self._sqlalchemy(path)
            if found is not None:
                return found
        found = self.project.followed(symbol)
        if found is not symbol and found is not MISSING:
            if isinstance(found, Local) and found.is_class:
                return types.of_class(found, (), {}, self)
            if not isinstance(found, Symbol):
                return self.real(found)
        if path.rpartition(".")[2][:1].isupper() and first != "builtins":
            return types.by_name(path, (), {}, self)
        return self._unknown(symbol)

    def _called(self, call: Called) -> Any:
        target = call.target
        if isinstance(target, Symbol):
            return self._constructed(target.path, call)
        if isinstance(target, Attribute):
            return self._method(target, call)
        if isinstance(target, Local) and target.is_class:
            return types.of_class(target, call.args, call.kwargs, self)
        return self._unknown(call)

    def _constructed(self, path: str, call: Called) -> Any:
        if path in _OTHER:
            return _OTHER[path](*self._args(call), **self._kwargs(call))
        if path.startswith("sqlalchemy."):
            found = self._sqlalchemy(path)
            if found is not None and callable(found):
                return self._call(found, call)
            if path.rpartition(".")[2][:1].islower():
                return self._unknown(call)
        if not path.rpartition(".")[2][:1].isupper():
            return self._unknown(call)
        found = self.project.followed(call.target)
        if isinstance(found, Local) and found.is_class:
            return types.of_class(found, call.args, call.kwargs, self)
        return types.by_name(path, call.args, call.kwargs, self)

    def _call(self, function: Any, call: Called) -> Any:
        if isinstance(function, type) and issubclass(function, schema.Column):
            kwargs = {name: one for name, one in call.kwargs.items() if name not in _DROPPED or _is_sequence(one)}
            return function(*self._args(call), **{name: self.real(one) for name, one in kwargs.items()})
        if function is sa.Enum or function is postgresql.ENUM:
            return types.enum(function, call, self)
        if function is sa.Table:
            return self._table(call)
        return function(*self._args(call), **self._kwargs(call))

    def _table(self, call: Called) -> Any:
        """`sa.Table(name, metadata, ...)`; what it would reflect is not known."""
        if any(name.startswith("autoload") for name in call.kwargs) and call.args and isinstance(call.args[0], str):
            schema_name = call.kwargs.get("schema")
            return self._from_database(call.args[0], schema_name if isinstance(schema_name, str) else "")
        kwargs = {name: self.real(one) for name, one in call.kwargs.items() if name in {"schema", "comment", "extend_existing"}}
        return sa.Table(self.real(call.args[0]), sa.MetaData(), *[self.real(one) for one in call.args[2:]], **kwargs)

    def _from_database(self, name: str, schema_name: str = "") -> sa.Table:
        key = schema_name, name
        if key not in self._reflected:
            self._reflected[key] = sa.Table(name, sa.MetaData(), schema=schema_name or None)
        return self._reflected[key]

    def widen(self, names: list[str]) -> bool:
        """Columns that a statement writes, for tables that are read from the database."""
        for table in self._reflected.values():
            for name in names:
                Columns(table).named(name)
        return bool(self._reflected)

    def _args(self, call: Called) -> list[Any]:
        return [self.real(one) for one in call.args]

    def _kwargs(self, call: Called) -> dict[str, Any]:
        if "**" in call.kwargs:
            return self._unknown(call.kwargs["**"]) if not self.lenient else {}
        return {name: self.real(one) for name, one in call.kwargs.items()}

    def _method(self, target: Attribute, call: Called) -> Any:
        base = self.real(target.base)
        if target.name not in METHODS or not isinstance(base, ClauseElement | TypeEngine | FromClause | Executable):
            return self._unknown(call)
        if target.name in {"params", "bindparams"}:  # what is not known stays a parameter
            call = call._replace(args=(), kwargs={name: one for name, one in call.kwargs.items() if is_known(one)})
        lenient, self.lenient = self.lenient, self.lenient or target.name in {"values", "where", "filter"}
        try:
            return getattr(base, target.name)(*self._args(call), **self._kwargs(call))
        finally:
            self.lenient = lenient

    def _attribute(self, base: Value, name: str) -> Any:
        if isinstance(base, str | int) and name == "value":
            return base
        found = self.real(base)
        if isinstance(found, Columns):
            return found.named(name)
        if isinstance(found, ColumnCollection):
            return found[name]
        if name in {"c", "columns"} and any(found is table for table in self._reflected.values()):
            return Columns(found)
        if isinstance(found, FromClause | ClauseElement | Executable) and name in _ATTRIBUTES:
            return getattr(found, name)
        return self._unknown(Attribute(base, name))

    def _sqlalchemy(self, path: str) -> Any:
        """A class or function of SQLAlchemy that only makes objects; None for any other."""
        if ".func." in path:
            made = sa.func
            for part in path.split(".func.", 1)[1].split("."):
                made = getattr(made, part)
            return made
        parts = path.split(".")
        name = parts[-1]
        if parts[1:3] == ["dialects", "postgresql"]:
            found = getattr(postgresql, name, None)
        elif parts[1:2] == ["dialects"]:
            return types.foreign(parts[2], name)
        elif parts[1:3] == ["sql", "functions"] and name.islower():
            return getattr(sa.func, name)
        else:
            found = getattr(sa, name, None)
            if found is None:
                found = next((one for module in (sa.types, sa.schema, expression) if (one := getattr(module, name, None)) is not None), None)
        return found if _may_be_made(found, name) else None


def _may_be_made(found: Any, name: str) -> bool:
    if isinstance(found, type):
        return issubclass(found, TypeEngine | schema.SchemaItem | BaseDDLElement | ClauseElement | ColumnCollection | str) or found is sa.MetaData
    return name in FUNCTIONS or isinstance(found, TypeEngine)


def _is_sequence(value: Value) -> bool:
    return isinstance(value, Called) and isinstance(value.target, Symbol) and value.target.path.endswith(".Sequence")


def _shown(value: Value) -> str:
    match value:
        case Symbol(path):
            return path
        case Attribute(base, name):
            return f"{_shown(base)}.{name}"
        case Called():
            return f"{_shown(value.target)}(...)"
        case Local():
            return value.name
    return str(value) if type(value) in _PLAIN else type(value).__name__.lower()


shown = _shown
