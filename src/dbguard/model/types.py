"""Data types as PostgreSQL names them."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.record import Record

CATALOG = "pg_catalog"


class DataType(Record):
    """A column type: `name` is the internal one (`int4`, `varchar`), in schema `pg_catalog` if built in.

    `modifiers` are as written (`("10", "2")` for `numeric(10, 2)`); `array` is true for any number of dimensions,
    because PostgreSQL does not keep the number. `str()` is the text that `format_type` prints.
    """

    name: Name
    modifiers: tuple[str, ...] = ()
    array: bool = False

    @property
    def builtin(self) -> str | None:
        """The internal name of a built-in type, None for a type of the user."""
        return self.name.name if self.name.schema == CATALOG else None

    def __str__(self) -> str:
        return _format(self) + ("[]" if self.array else "")


def builtin(name: str, *modifiers: str, array: bool = False) -> DataType:
    """The built-in type of that internal name: `builtin("varchar", "50")`."""
    return DataType(Name(CATALOG, name), modifiers, array)


def _format(data_type: DataType) -> str:
    """format_type_extended in src/backend/utils/adt/format_type.c."""
    internal = data_type.builtin
    modifiers = f"({','.join(data_type.modifiers)})" if data_type.modifiers else ""
    if internal == "numeric" and len(data_type.modifiers) == 1:
        modifiers = f"({data_type.modifiers[0]},0)"
    if internal is None:
        return f"{data_type.name}{modifiers}"
    if internal in {"time", "timestamp"}:
        return f"{internal}{modifiers} without time zone"
    if internal in {"timetz", "timestamptz"}:
        return f"{internal[:-2]}{modifiers} with time zone"
    if internal == "interval" and data_type.modifiers and not data_type.modifiers[0].isdigit():
        return f"interval {data_type.modifiers[0]}" + (f"({data_type.modifiers[1]})" if len(data_type.modifiers) > 1 else "")
    return _SQL_NAMES.get(internal, internal) + modifiers


_SQL_NAMES = {
    "bool": "boolean",
    "bpchar": "character",
    "char": '"char"',
    "float4": "real",
    "float8": "double precision",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "varbit": "bit varying",
    "varchar": "character varying",
}
