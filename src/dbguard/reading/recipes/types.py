"""Column types as SQLAlchemy and Django write them. None where a framework has no type that is exactly this one."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.types import DataType
from dbguard.reading.recipes.layout import Expr, call, quoted

_SQLALCHEMY = {
    "bool": "sa.Boolean",
    "bytea": "sa.LargeBinary",
    "date": "sa.Date",
    "float4": "sa.REAL",
    "float8": "sa.Double",
    "inet": "postgresql.INET",
    "int2": "sa.SmallInteger",
    "int4": "sa.Integer",
    "int8": "sa.BigInteger",
    "interval": "sa.Interval",
    "json": "sa.JSON",
    "jsonb": "postgresql.JSONB",
    "numeric": "sa.Numeric",
    "text": "sa.Text",
    "time": "sa.Time",
    "timestamp": "sa.DateTime",
    "tsvector": "postgresql.TSVECTOR",
    "uuid": "sa.UUID",
    "varchar": "sa.String",
}
_SIZED = {"bpchar": "sa.CHAR", "numeric": "sa.Numeric", "varchar": "sa.String"}

_DJANGO = {
    "bool": "BooleanField",
    "bytea": "BinaryField",
    "date": "DateField",
    "float8": "FloatField",
    "inet": "GenericIPAddressField",
    "int2": "SmallIntegerField",
    "int4": "IntegerField",
    "int8": "BigIntegerField",
    "interval": "DurationField",
    "jsonb": "JSONField",
    "text": "TextField",
    "time": "TimeField",
    "timestamptz": "DateTimeField",
    "uuid": "UUIDField",
}


def sqlalchemy_type(data_type: DataType, collation: Name | None = None) -> Expr | None:
    """`sa.String(20)`; names that start with `postgresql.` are those of `sqlalchemy.dialects.postgresql`."""
    if data_type.array:
        item = sqlalchemy_type(data_type._replace(array=False), collation)
        return None if item is None else call("sa.ARRAY", item)
    name = data_type.builtin or ""
    collated = None
    if collation is not None:
        if collation.schema is not None or name not in {"text", "varchar"}:
            return None
        collated = quoted(collation.name)
    if name == "timestamptz" and not data_type.modifiers:
        return call("sa.DateTime", timezone="True")
    names = _SIZED if data_type.modifiers else _SQLALCHEMY
    return call(names[name], *data_type.modifiers, collation=collated) if name in names else None


def django_field(data_type: DataType) -> tuple[str, dict[str, Expr]] | None:
    """`("CharField", {"max_length": "20"})`."""
    name, modifiers = data_type.builtin, data_type.modifiers
    if data_type.array or name is None:
        return None
    match name, modifiers:
        case "varchar", (length,):
            return "CharField", {"max_length": length}
        case "numeric", (digits, places):
            return "DecimalField", {"max_digits": digits, "decimal_places": places}
    return (_DJANGO[name], {}) if name in _DJANGO and not modifiers else None
