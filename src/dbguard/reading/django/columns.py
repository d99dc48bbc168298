"""A field of a model as a column: name, type, check, collation, and what a foreign key points to."""

from __future__ import annotations

from typing import Any

from dbguard.model.record import Record
from dbguard.reading.django.fields import Field, field_of
from dbguard.reading.django.kinds import NO_COLUMN, OTHER, POSITIVE, REFERENCED, SERIAL, SHAPES, TEMPLATES
from dbguard.reading.django.migration import Settings
from dbguard.reading.django.names import quoted
from dbguard.reading.django.state import Key

_UNKNOWN = "text"  # what a column of a type that is not known is taken to be, so that the column is there


class Target(Record):
    """What a foreign key points to."""

    key: Key
    table: str
    name: str  # of the field
    column: str
    referenced: str  # database type of a key to it
    collation: str = ""
    assumed: str = ""  # what was assumed of a model that no migration makes
    concrete: Key = ("", "")  # the model that has the table, if `key` is a proxy


class Column(Record):
    """A field that belongs to a model. `type` is empty for what is no column."""

    model: Key
    name: str
    field: Field
    column: str = ""
    type: str = ""
    data_type: str = ""  # Django casts where this changes
    suffix: str = ""
    collation: str = ""
    target: Target | None = None
    unread: str = ""

    @property
    def check(self) -> str:
        return f"{quoted(self.column)} >= 0" if self.field.kind in POSITIVE else ""

    @property
    def checked(self) -> bool:
        return self.field.kind in POSITIVE

    @property
    def to_field(self) -> Any:
        return self.field.options.get("to_field")


def of_field(model: Key, name: str, field: Field, settings: Settings, target: Target | None = None) -> Column:
    """The column of a field. `target` is what a relation points to."""
    if field.kind in {NO_COLUMN, "ManyToManyField", "CompositePrimaryKey"}:
        return Column(model, name, field)
    column = field.text("db_column") or (f"{name}_id" if field.relation else name)
    if field.relation:
        if target is None:
            unread = f"what `{name}` points to is not known"
            return Column(model, name, field, column, "bigint", "bigint", unread=unread)
        return Column(model, name, field, column, target.referenced, target.referenced, "", target.collation, target, field.unread)
    type_, unread = database_type(field, settings)
    if unread and not type_:
        type_ = _UNKNOWN
    collation = field.text("db_collation")
    if field.kind == "ArrayField":
        collation = _base(field, settings).text("db_collation")
    elif field.kind == "GeneratedField":
        collation = _output(field, settings).text("db_collation")
    return Column(model, name, field, column, type_, data_type(field, settings), _suffix(field, settings), collation, unread=unread)


def referenced(column: Column) -> str:
    """The type of a foreign key to a column."""
    return REFERENCED.get(column.field.kind, column.type)


def database_type(field: Field, settings: Settings) -> tuple[str, str]:
    """The type of a column, and why it is not known."""
    unread = field.unread
    match field.kind:
        case "":
            return "", unread or "a field of an unknown class"
        case "CharField":
            length = field.options.get("max_length")
            if length is None:
                return "varchar", unread
            return _sized("varchar(%(max_length)s)", field, unread)
        case "ArrayField":
            base = _base(field, settings)
            type_, why = database_type(base, settings)
            size = field.options.get("size") or ""
            return f"{type_ or _UNKNOWN}[{size}]", why
        case "GeneratedField":
            return database_type(_output(field, settings), settings)
        case "Vector":
            size = field.options.get("dimensions") or field.options.get("length")
            return (f"{field.type}({size})" if size else field.type), unread
        case "Geometry":
            return _geometry(field), unread
        case kind if kind == OTHER:
            return field.type, unread
        case kind if kind in SERIAL and settings.version < (4, 1):
            return SERIAL[kind], unread
        case kind if kind in TEMPLATES:
            return _sized(TEMPLATES[kind], field, unread)
    return "", unread or f"a field of the kind `{field.kind}`"


def _sized(template: str, field: Field, unread: str) -> tuple[str, str]:
    """A type with its sizes filled in. A size that is not known is left out, which makes the type as wide as it can be."""
    if "%" not in template:
        return template, unread
    sizes = {name: field.options.get(name) for name in ("max_length", "max_digits", "decimal_places")}
    wanted = [name for name in sizes if f"%({name})s" in template]
    sizes |= {name: int(value) for name in wanted if isinstance(value := sizes[name], str) and value.isdecimal()}
    if all(isinstance(sizes[name], int) for name in wanted):
        return template % sizes, unread
    if all(sizes[name] is None for name in wanted) and template.startswith("numeric"):
        return "numeric", unread
    missing = next(name for name in wanted if not isinstance(sizes[name], int))
    return template.partition("(")[0], unread or f"`{missing}` of a {field.kind} is not known"


def data_type(field: Field, settings: Settings) -> str:
    """What Django compares to tell whether values must be cast: the template of the type, without sizes."""
    if field.kind == "ArrayField":
        base = _base(field, settings)
        while base.kind == "ArrayField":
            base = _base(base, settings)
        return f"array of {data_type(base, settings)}"
    if field.kind == "CharField":
        return "any varchar"
    return TEMPLATES.get(field.kind) or database_type(field, settings)[0]


def _suffix(field: Field, settings: Settings) -> str:
    return "GENERATED BY DEFAULT AS IDENTITY" if field.auto and settings.version >= (4, 1) else ""


def _geometry(field: Field) -> str:
    shape = SHAPES.get(field.path.rpartition(".")[2], "GEOMETRY")
    if shape == "RASTER":
        return "raster"
    if field.options.get("dim") == 3:
        shape += "Z"
    kind = "geography" if field.flag("geography") else "geometry"
    return f"{kind}({shape},{field.options.get('srid', 4326)})"


def _base(field: Field, settings: Settings) -> Field:
    return field_of(field.options.get("base_field"), settings)


def _output(field: Field, settings: Settings) -> Field:
    return field_of(field.options.get("output_field"), settings)
