"""Types out of the parse tree, under the names of pg_type."""

from __future__ import annotations

from typing import Any

from dbguard.model.names import Name
from dbguard.model.types import CATALOG, DataType
from dbguard.parsing.names import constant_text, from_parts, strings

Node = dict[str, Any]

# SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace, arrays and catalog rows left out (PostgreSQL 18).
BUILTIN = frozenset(
    """
    aclitem any anyarray anycompatible anycompatiblearray anycompatiblemultirange anycompatiblenonarray anycompatiblerange anyelement anyenum
    anymultirange anynonarray anyrange bit bool box bpchar bytea char cid cidr circle cstring date datemultirange daterange event_trigger
    fdw_handler float4 float8 gtsvector index_am_handler inet int2 int2vector int4 int4multirange int4range int8 int8multirange int8range
    internal interval json jsonb jsonpath language_handler line lseg macaddr macaddr8 money name numeric nummultirange numrange oid
    oidvector path pg_brin_bloom_summary pg_brin_minmax_multi_summary pg_ddl_command pg_dependencies pg_lsn pg_mcv_list pg_ndistinct
    pg_node_tree pg_snapshot point polygon record refcursor regclass regcollation regconfig regdictionary regnamespace regoper regoperator
    regproc regprocedure regrole regtype table_am_handler text tid time timestamp timestamptz timetz trigger tsm_handler tsmultirange
    tsquery tsrange tstzmultirange tstzrange tsvector txid_snapshot unknown uuid varbit varchar void xid xid8 xml
    """.split()  # noqa: SIM905
)
SERIAL = {"smallserial": "int2", "serial2": "int2", "serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8"}

_cache: dict[str, Name] = {name: Name(CATALOG, name) for name in BUILTIN}

# Bits of an interval's typmod (src/include/utils/datetime.h, timestamp.h).
_FIELDS = ((4, "year"), (2, "month"), (8, "day"), (1024, "hour"), (2048, "minute"), (4096, "second"))


def data_type(node: Node) -> DataType:
    """The type in a TypeName. `table.column%TYPE` keeps `column%TYPE` as its name: only the server knows that type."""
    names = node.get("names", [])
    parts = strings(names)
    if node.get("pct_type"):
        found = from_parts(parts)
        return DataType(Name(found.schema, f"{found.name}%TYPE"), (), "arrayBounds" in node)
    last = parts[-1] if parts else ""
    array = "arrayBounds" in node
    name: Name | None = None
    if len(parts) == 1 or (len(parts) == 2 and parts[0] == CATALOG):
        name = _cache.get(last)
        if name is None and last.startswith("_") and last[1:] in BUILTIN:
            name, array = _cache[last[1:]], True
    if name is None:
        name = from_parts(parts)
    typmods = node.get("typmods")
    if typmods is None:
        return DataType(name, (), array)
    return DataType(name, _interval(typmods) if last == "interval" else tuple(map(_modifier, typmods)), array)


def serial_type(node: Node) -> DataType | None:
    """The integer type behind `serial` and its siblings; None for any other type."""
    names = node.get("names", ())
    if len(names) != 1 or "arrayBounds" in node or node.get("pct_type"):
        return None
    internal = SERIAL.get(names[0]["String"].get("sval", ""))
    return None if internal is None else DataType(_cache[internal])


def _modifier(node: Node) -> str:
    if "A_Const" in node:
        return constant_text(node["A_Const"])
    if "ColumnRef" in node:
        return ".".join(strings(node["ColumnRef"].get("fields", [])))
    if "TypeCast" in node:
        return _modifier(node["TypeCast"].get("arg", {}))
    return "?"


def _interval(typmods: list[Node]) -> tuple[str, ...]:
    mask = typmods[0].get("A_Const", {}).get("ival", {}).get("ival", 0)
    precision = tuple(map(_modifier, typmods[1:]))
    fields = [word for bit, word in _FIELDS if mask & bit] if mask != 0x7FFF else []
    if not fields:
        return precision
    return (fields[0] if len(fields) == 1 else f"{fields[0]} to {fields[-1]}", *precision)
