"""Column types that are not SQLAlchemy's in, types with the right database name out.

Well-known packages are known by name (what each type's `load_dialect_impl` or `get_col_spec` gives on PostgreSQL); types of the project
are found by file, and `impl` and `load_dialect_impl` of a `TypeDecorator` are followed in its text.
"""

from __future__ import annotations

import enum as enums
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine, UserDefinedType

from dbguard.reading.alembic.project import MISSING
from dbguard.reading.python.interpret import Hooks
from dbguard.reading.python.values import Attribute, Called, Local, Symbol, Unknown, Value, is_known

if TYPE_CHECKING:
    from dbguard.reading.alembic.constructs import Builder


class Named(UserDefinedType[Any]):
    """A type that is only known by its name in the database."""

    cache_ok = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **_: Any) -> str:
        return self.spec


# Last part of the name, or the whole: type on PostgreSQL. {0} and so on are arguments, {length} a keyword.
KNOWN: dict[str, str] = {
    "sqlalchemy_utils.UUIDType": "UUID", "sqlalchemy_utils.EmailType": "VARCHAR({length:255})", "sqlalchemy_utils.URLType": "TEXT",
    "sqlalchemy_utils.PhoneNumberType": "VARCHAR({max_length:20})", "sqlalchemy_utils.ChoiceType": "VARCHAR(255)",
    "sqlalchemy_utils.JSONType": "JSON", "sqlalchemy_utils.LtreeType": "LTREE", "sqlalchemy_utils.TSVectorType": "TSVECTOR",
    "sqlalchemy_utils.ArrowType": "TIMESTAMP WITHOUT TIME ZONE", "sqlalchemy_utils.EnrichedDateTimeType": "TIMESTAMP WITHOUT TIME ZONE",
    "sqlalchemy_utils.CountryType": "VARCHAR(2)", "sqlalchemy_utils.CurrencyType": "VARCHAR(3)", "sqlalchemy_utils.ColorType": "VARCHAR(20)",
    "sqlalchemy_utils.IPAddressType": "VARCHAR(50)", "sqlalchemy_utils.LocaleType": "VARCHAR(10)", "sqlalchemy_utils.TimezoneType": "VARCHAR(50)",
    "sqlalchemy_utils.WeekDaysType": "BIT(7)", "sqlalchemy_utils.PasswordType": "BYTEA", "sqlalchemy_utils.StringEncryptedType": "VARCHAR",
    "sqlalchemy_utils.EncryptedType": "BYTEA", "sqlalchemy_utils.ScalarListType": "TEXT", "sqlalchemy_utils.DateTimeRangeType": "TSRANGE",
    "sqlalchemy_utils.DateRangeType": "DATERANGE", "sqlalchemy_utils.IntRangeType": "INT4RANGE", "sqlalchemy_utils.Int8RangeType": "INT8RANGE",
    "sqlalchemy_utils.NumericRangeType": "NUMRANGE", "citext.CIText": "CITEXT", "pgvector.Vector": "VECTOR({0,dim})",
    "pgvector.VECTOR": "VECTOR({0,dim})", "pgvector.HALFVEC": "HALFVEC({0,dim})", "pgvector.SPARSEVEC": "SPARSEVEC({0,dim})",
    "pgvector.BIT": "BIT({0,length})", "sqlmodel.AutoString": "VARCHAR({0,length})", "sqlmodel.GUID": "UUID",
    "fastapi_users_db_sqlalchemy.GUID": "UUID", "fastapi_users_db_sqlalchemy.TIMESTAMPAware": "TIMESTAMP WITH TIME ZONE",
    "advanced_alchemy.GUID": "UUID", "advanced_alchemy.DateTimeUTC": "TIMESTAMP WITH TIME ZONE", "advanced_alchemy.JsonB": "JSONB",
    "advanced_alchemy.BigIntIdentity": "BIGINT", "advanced_alchemy.EncryptedText": "TEXT", "litestar.GUID": "UUID", "litestar.JsonB": "JSONB",
    "litestar.DateTimeUTC": "TIMESTAMP WITH TIME ZONE", "sqlalchemy_utc.UtcDateTime": "TIMESTAMP WITH TIME ZONE",
    "sqlalchemy_json.NestedMutableJson": "JSON", "sqlalchemy_json.MutableJson": "JSON", "sqlalchemy_mptt.Ltree": "LTREE",
    "sqlalchemy_jsonfield.JSONField": "JSON", "intervals.DateRangeType": "DATERANGE", "sqlalchemy_utils.UUID": "UUID",
    "sqlalchemy_searchable.TSVectorType": "TSVECTOR", "fastapi_storages.FileType": "VARCHAR", "fastapi_storages.ImageType": "VARCHAR",
    "sqlalchemy_file.FileField": "JSON", "sqlalchemy_file.ImageField": "JSON",
}  # fmt: skip
_SPATIAL = {"Geometry": "geometry", "Geography": "geography", "Raster": "raster"}
_DEEPEST = 8


def by_name(path: str, args: tuple[Value, ...], kwargs: dict[str, Value], builder: Builder) -> TypeEngine[Any]:
    """A type of another package by its name; one that is not known is noted."""
    package, name = path.partition(".")[0], path.rpartition(".")[2]
    if package == "geoalchemy2" and name in _SPATIAL:
        return Named(_spatial(name, args, kwargs))
    spec = KNOWN.get(f"{package}.{name}")
    if spec is None:
        builder.notes.append(f"type `{path}` is not known")
        return Named(name.lower())
    return Named(_filled(spec, args, kwargs))


def _filled(spec: str, args: tuple[Value, ...], kwargs: dict[str, Value]) -> str:
    """`{length:255}` is a keyword with a default, `{0,dim}` an argument that may be left out."""
    start = spec.find("({")
    if start < 0:
        return spec
    what = spec[start + 2 : spec.index("}")]
    name, _, default = what.partition(":")
    given: Value = kwargs.get(name, default or None)
    if what.startswith("0,"):
        given = args[0] if args else kwargs.get(what[2:])
    return spec[:start] + (f"({given})" if isinstance(given, int | str) and given != "" else "")


def _spatial(name: str, args: tuple[Value, ...], kwargs: dict[str, Value]) -> str:
    """geoalchemy2: `geometry(POINT,4326)`; without a type only the name."""
    kind = args[0] if args else kwargs.get("geometry_type", "GEOMETRY")
    srid = args[1] if len(args) > 1 else kwargs.get("srid", -1)
    if name == "Raster" or not isinstance(kind, str) or not isinstance(srid, int):
        return _SPATIAL[name]
    return f"{_SPATIAL[name]}({kind},{srid})"


def enum(function: Any, call: Called, builder: Builder) -> Any:
    """`sa.Enum`, of strings or of an enumeration that the module defines."""
    kwargs = {
        name: builder.real(one)
        for name, one in call.kwargs.items()
        if name not in {"values_callable", "metadata", "omit_aliases", "sort_key_function"}
    }
    values = [builder.project.followed(one) for one in call.args]
    if len(values) == 1 and isinstance(values[0], Local) and values[0].is_class:
        members = {
            name: one for name, one in values[0].interpreter.members(values[0]).items() if not name.startswith("_") and not isinstance(one, Local)
        }
        members = {name: str(number) if isinstance(one, Called | Unknown) else one for number, (name, one) in enumerate(members.items(), 1)}
        kwargs.setdefault("name", values[0].name.lower())
        if "values_callable" in call.kwargs:
            return function(*[str(one) for one in members.values()], **kwargs)
        return function(enums.Enum(values[0].name, members), **kwargs)
    return function(*[builder.real(one) for one in values], **kwargs)


def foreign(dialect: str, name: str) -> Any:
    """A type of another database's dialect: for `with_variant`, and for revisions that run on several databases."""
    import importlib

    if dialect not in {"sqlite", "mysql", "mssql", "oracle"}:
        return None
    found = getattr(importlib.import_module(f"sqlalchemy.dialects.{dialect}"), name, None)
    return found if isinstance(found, type) and issubclass(found, TypeEngine) else None


def of_class(local: Local, args: tuple[Value, ...], kwargs: dict[str, Value], builder: Builder, depth: int = 0) -> Any:
    """A type that the project defines: what it gives for PostgreSQL, else what it is made of."""
    found = _followed(local, args, kwargs, builder, depth) if depth < _DEEPEST else None
    if found is None:
        builder.notes.append(f"type `{local.name}` is not known")
        return Named(local.name.lower())
    return found() if isinstance(found, type) else found


def _followed(local: Local, args: tuple[Value, ...], kwargs: dict[str, Value], builder: Builder, depth: int) -> Any:
    project, interpreter = builder.project, local.interpreter
    spec = project.member(local, "get_col_spec")
    if isinstance(spec, Local):
        text = interpreter.call(spec, (Symbol("self"),))
        return Named(text) if isinstance(text, str) else None
    chosen = project.member(local, "load_dialect_impl")
    if isinstance(chosen, Local):
        before, chosen.interpreter.hooks = chosen.interpreter.hooks, _Chosen()
        try:
            value = chosen.interpreter.call(chosen, (Symbol("self"), Symbol("sqlalchemy.engine.dialect")))
        finally:
            chosen.interpreter.hooks = before
        if isinstance(value, Called | Symbol) and not (isinstance(value, Called) and isinstance(value.target, Attribute)):
            return builder.real(value)
    implementation = project.member(local, "impl")
    if implementation is not MISSING:
        return _made(implementation, args, kwargs, builder)
    for written in interpreter.bases(local):
        base = project.followed(written)
        if isinstance(base, Local) and base.is_class:
            return of_class(base, args, kwargs, builder, depth + 1)
        if isinstance(base, Symbol) and not base.path.endswith(("TypeDecorator", "UserDefinedType", "TypeEngine")):
            return _made(base, args, kwargs, builder)
    return None


def _made(value: Value, args: tuple[Value, ...], kwargs: dict[str, Value], builder: Builder) -> Any:
    """`impl` of a `TypeDecorator` takes the arguments of the decorator, if it has no `__init__` of its own that changes them."""
    found = builder.real(value)
    if isinstance(found, type) and (args or kwargs) and all(map(is_known, (*args, *kwargs.values()))):
        try:
            return found(*args, **kwargs)
        except (TypeError, ValueError, sa.exc.ArgumentError):
            return found()
    return found


class _Chosen(Hooks):
    """`dialect.type_descriptor(type)` gives the type."""

    def called(self, call: Called) -> Value:
        target = call.target
        if isinstance(target, Symbol) and target.path.endswith(".type_descriptor") and call.args:
            return call.args[0]
        return call
