"""What the columns of statistics are made of: a connection in, the `Kind` of each column out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.postgres.snapshot_relations import USER

if TYPE_CHECKING:
    from psycopg import Connection

_FAMILIES = {
    "word": ("text", "varchar", "bpchar", "char", "name", "citext", "ltree"),
    "bytea": ("bytea",),
    "uuid": ("uuid",),
    "inet": ("inet",),
    "cidr": ("cidr",),
    "macaddr": ("macaddr",),
    "macaddr8": ("macaddr8",),
    "jsonb": ("jsonb",),
    "tsvector": ("tsvector",),
    "integer": ("int2", "int4", "int8", "oid", "xid", "xid8", "cid"),
    "float": ("float4", "float8"),
    "numeric": ("numeric",),
    "money": ("money",),
    "date": ("date",),
    "timestamp": ("timestamp",),
    "timestamptz": ("timestamptz",),
    "time": ("time",),
    "timetz": ("timetz",),
    "interval": ("interval",),
    "bool": ("bool",),
    "reference": (
        "regclass",
        "regtype",
        "regproc",
        "regprocedure",
        "regoper",
        "regoperator",
        "regrole",
        "regnamespace",
        "regconfig",
        "regdictionary",
        "pg_lsn",
    ),
}
_FAMILY = {name: family for family, names in _FAMILIES.items() for name in names}
NUMBERS = frozenset(["integer", "float", "numeric", "money"])
TIMES = frozenset(["date", "timestamp", "timestamptz", "time", "timetz", "interval"])
KEPT = NUMBERS | TIMES | {"bool", "enum", "reference"}  # what stays in a masked snapshot, unless it is personal

_TYPES = """
SELECT t.oid, t.typname::text, t.typtype::text, t.typbasetype, t.typtypmod, CASE WHEN t.typcategory = 'A' AND t.typlen = -1 THEN t.typelem ELSE 0 END,
       r.rngsubtype
FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid WHERE t.typtype <> 'p'"""
_COLUMNS = f"""
SELECT n.nspname, c.relname, a.attname, c.oid, a.attnum, a.atttypid, a.atttypmod
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE a.attnum > 0 AND NOT a.attisdropped AND (c.relkind IN ('r', 'p', 'm', 'f') OR i.indexprs IS NOT NULL) AND {USER}"""


class Kind(Record):
    """A column's type, domains resolved."""

    relation: int  # OID
    number: int
    type: int  # OID as declared
    domains: tuple[int, ...]
    family: str  # of the elements, where it is an array; "" for a type without tokens
    is_array: bool
    most: int = 0  # characters that the type allows
    digits: int = 0
    scale: int | None = None


def read_kinds(connection: Connection[Any]) -> dict[tuple[Name, str], Kind]:
    """Every column of users' tables, and of their indexes on expressions."""
    types = {row[0]: row[1:] for row in connection.execute(_TYPES)}
    found = {}
    for schema, relation, column, *rest in connection.execute(_COLUMNS.encode()):
        found[Name(schema, relation), column] = _kind(types, *rest)
    return found


def _kind(types: dict[int, Any], relation: int, number: int, declared: int, typmod: int) -> Kind:
    domains: list[int] = []
    base, is_array = declared, False
    name, form, base_of, domain_typmod, element, subtype = types[declared]
    while form == "d" or (element and not is_array):
        if form == "d":
            domains.append(base)
            base, typmod = base_of, domain_typmod if typmod < 0 else typmod
        else:
            base, is_array = element, True
        name, form, base_of, domain_typmod, element, subtype = types.get(base, ("", "", 0, -1, 0, None))
    family = _FAMILY.get(name, "") if form == "b" else "enum" if form == "e" else ""
    if form in {"r", "m"}:
        family = _range_family(types, subtype)
    made = Kind(relation, number, declared, tuple(domains), family, is_array)
    if name in {"varchar", "bpchar"} and typmod >= 4:
        return made._replace(most=typmod - 4)  # VARHDRSZ
    if name == "char":
        return made._replace(most=1)
    if name == "name":
        return made._replace(most=63)
    if name == "numeric" and typmod >= 4:  # make_numeric_typmod of numeric.c: precision, and a scale of 11 bits with a sign
        return made._replace(digits=(typmod - 4 >> 16) & 0xFFFF, scale=((typmod - 4 & 0x7FF) ^ 1024) - 1024)
    return made


def _range_family(types: dict[int, Any], subtype: int | None) -> str:
    """A range of numbers or times is kept as they are; one of words has no tokens. A multirange does not name its subtype: it is kept out."""
    family = _FAMILY.get(types[subtype][0], "") if subtype in types else ""
    return "reference" if family in NUMBERS | TIMES else ""
