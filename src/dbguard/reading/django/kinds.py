"""Field classes by name: what Django's own are in PostgreSQL, and which of them a well-known package's is like.

A kind is what Django calls an internal type. `OTHER` stands for a field whose database type is written here.
"""

from __future__ import annotations

from dbguard.model.record import Record

OTHER = "Other"
NO_COLUMN = "NoColumn"
RELATIONS = frozenset(["ForeignKey", "OneToOneField"])
AUTO = frozenset(["AutoField", "BigAutoField", "SmallAutoField"])


class Known(Record):
    """A field class: its kind, what it sets unless told otherwise, and its database type if that is its own."""

    kind: str
    defaults: dict[str, object] = {}  # noqa: RUF012
    type: str = ""


TEMPLATES = {
    "AutoField": "integer", "BigAutoField": "bigint", "SmallAutoField": "smallint", "BinaryField": "bytea", "BooleanField": "boolean",
    "CharField": "varchar", "DateField": "date", "DateTimeField": "timestamp with time zone",
    "DecimalField": "numeric(%(max_digits)s, %(decimal_places)s)", "DurationField": "interval", "FileField": "varchar(%(max_length)s)",
    "FilePathField": "varchar(%(max_length)s)", "FloatField": "double precision", "IntegerField": "integer", "BigIntegerField": "bigint",
    "IPAddressField": "inet", "GenericIPAddressField": "inet", "JSONField": "jsonb", "PositiveBigIntegerField": "bigint",
    "PositiveIntegerField": "integer", "PositiveSmallIntegerField": "smallint", "SlugField": "varchar(%(max_length)s)",
    "SmallIntegerField": "smallint", "TextField": "text", "TimeField": "time", "UUIDField": "uuid",
}  # fmt: skip
POSITIVE = frozenset(["PositiveBigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField"])
REFERENCED = {  # what a foreign key to such a field is
    "AutoField": "integer", "BigAutoField": "bigint", "SmallAutoField": "smallint", "PositiveIntegerField": "integer",
    "PositiveBigIntegerField": "bigint", "PositiveSmallIntegerField": "smallint",
}  # fmt: skip
SERIAL = {"AutoField": "serial", "BigAutoField": "bigserial", "SmallAutoField": "smallserial"}  # before Django 4.1
EMPTY_TEXT = frozenset(  # kinds whose empty value is a text, also as a default of a column that may be blank
    ["CharField", "FileField", "FilePathField", "SlugField", "TextField", "BinaryField"]
)

_CORE: dict[str, Known] = {
    **{kind: Known(kind) for kind in TEMPLATES},
    "FileField": Known("FileField", {"max_length": 100}),
    "ImageField": Known("FileField", {"max_length": 100}),
    "FilePathField": Known("FilePathField", {"max_length": 100}),
    "SlugField": Known("SlugField", {"max_length": 50, "db_index": True}),
    "EmailField": Known("CharField", {"max_length": 254}),
    "URLField": Known("CharField", {"max_length": 200}),
    "CommaSeparatedIntegerField": Known("CharField"),
    "NullBooleanField": Known("BooleanField", {"null": True, "blank": True}),
    "OrderWrt": Known("IntegerField"),
    "GeneratedField": Known("GeneratedField"),
    "CompositePrimaryKey": Known("CompositePrimaryKey"),
    "ForeignKey": Known("ForeignKey", {"db_index": True}),
    "OneToOneField": Known("OneToOneField", {"db_index": True, "unique": True}),
    "ManyToManyField": Known("ManyToManyField"),
}
_POSTGRES: dict[str, Known] = {
    "ArrayField": Known("ArrayField"),
    "HStoreField": Known(OTHER, type="hstore"),
    "IntegerRangeField": Known(OTHER, type="int4range"),
    "BigIntegerRangeField": Known(OTHER, type="int8range"),
    "DecimalRangeField": Known(OTHER, type="numrange"),
    "FloatRangeField": Known(OTHER, type="numrange"),
    "DateTimeRangeField": Known(OTHER, type="tstzrange"),
    "DateRangeField": Known(OTHER, type="daterange"),
    "SearchVectorField": Known(OTHER, type="tsvector"),
    "SearchQueryField": Known(OTHER, type="tsquery"),
    "JSONField": Known("JSONField"),
    "CITextField": Known(OTHER, type="citext"),
    "CICharField": Known(OTHER, type="citext"),
    "CIEmailField": Known(OTHER, {"max_length": 254}, "citext"),
}
_CITEXT_GONE = {"CITextField": Known("TextField"), "CICharField": Known("CharField"), "CIEmailField": Known("CharField", {"max_length": 254})}
SHAPES = {
    "GeometryField": "GEOMETRY", "PointField": "POINT", "LineStringField": "LINESTRING", "PolygonField": "POLYGON", "MultiPointField": "MULTIPOINT",
    "MultiLineStringField": "MULTILINESTRING", "MultiPolygonField": "MULTIPOLYGON", "GeometryCollectionField": "GEOMETRYCOLLECTION",
    "RasterField": "RASTER",
}  # fmt: skip


def known(path: str, version: tuple[int, int]) -> Known | None:
    """The field class of a dotted path, if it is Django's or a package's that is known here."""
    name = path.rpartition(".")[2]
    if path.startswith("django.contrib.gis.db.models."):
        return Known("Geometry", {"srid": 4326, "spatial_index": True, "dim": 2}) if name in SHAPES else _CORE.get(name)
    if path.startswith("django.contrib.postgres."):
        return _CITEXT_GONE.get(name) if name in _CITEXT_GONE and version >= (5, 1) else _POSTGRES.get(name)
    if path.startswith("django.db.models."):
        return _CORE.get(name)
    if path.startswith("django.contrib.contenttypes.") and name in {"GenericForeignKey", "GenericRelation"}:
        return Known(NO_COLUMN)
    from dbguard.reading.django.packages import FIELDS

    package = path.partition(".")[0]
    return FIELDS.get((package, name))
