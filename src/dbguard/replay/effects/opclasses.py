"""Types that an access method cannot index without being told how (GetDefaultOpClass in src/backend/commands/indexcmds.c)."""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.keys import IndexKey
from dbguard.model.operations import ColumnDefinition
from dbguard.model.schema import Column, Table
from dbguard.model.state import State
from dbguard.model.types import DataType
from dbguard.replay.effects.types import base_type

# pg_opclass of PostgreSQL 13 to 18, extensions aside.
_SHAPES = frozenset({"box", "circle", "line", "lseg", "path", "point", "polygon"})
_WITHOUT = {
    "btree": frozenset({*_SHAPES, "json", "jsonpath", "xml", "aclitem", "cid", "refcursor", "xid"}),
    "hash": frozenset({*_SHAPES, "json", "jsonpath", "xml", "bit", "money", "refcursor", "tsquery", "tsvector", "varbit"}),
    "brin": frozenset({*(_SHAPES - {"box"}), "json", "jsonb", "jsonpath", "xml", "bool", "money"}),
}
_SCALARS = frozenset(
    {
        *("int2", "int4", "int8", "numeric", "float4", "float8", "money", "bool", "text", "varchar", "bpchar", "bytea", "uuid", "json", "xml"),
        *("date", "time", "timetz", "timestamp", "timestamptz", "interval", "bit", "varbit", "oid", "name", "macaddr", "macaddr8", "inet", "cidr"),
    }
)
_OF_EXTENSION = {"gin": "btree_gin", "gist": "btree_gist"}  # which have them for scalars


def why_no_index(method: str, keys: Iterable[IndexKey], table: Table, state: State) -> str | None:
    """The reason to refuse an index, None if none is to be seen."""
    for key in keys:
        if key.opclass is not None:
            continue
        if key.column is None:
            tree = key.expression.tree if key.expression is not None else ("other",)
            data_type = tree[1] if tree[0] == "cast" else None
        else:
            column = table.columns.get(key.column)
            data_type = None if column is None else column.type
        if data_type is not None and (reason := why_not_indexed(method, data_type, state)) is not None:
            return reason
    return None


def why_no_key(columns: Iterable[str], of: Iterable[Column | ColumnDefinition], state: State) -> str | None:
    """The reason to refuse a unique constraint or primary key on these columns."""
    seen: set[str] = set()
    types = {column.name: column.type for column in of}
    for name in columns:
        if name in seen:
            return f'column "{name}" appears twice in the constraint'
        seen.add(name)
        if name in types and (reason := why_not_indexed("btree", types[name], state)) is not None:
            return reason
    return None


def why_not_indexed(method: str, data_type: DataType, state: State) -> str | None:
    base = base_type(data_type, state)
    if base.array or base.builtin is None:
        return None
    if method in _OF_EXTENSION:
        seen = state.schema.complete and _OF_EXTENSION[method] not in state.schema.extensions
        without = _SCALARS if seen else frozenset({"json", "xml"})
    else:
        without = _WITHOUT.get(method, frozenset())
    return f'data type {base} has no default operator class for access method "{method}"' if base.builtin in without else None
