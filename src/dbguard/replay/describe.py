"""A replayed schema as plain values, of the form that `postgres.catalog.read_schema` reads from a server, and their comparison.

The form: `relations`, `sequences`, `enums` and `domains`, each by complete name. What the replay does not know is None
and agrees with everything. NOT NULL constraints are left out: the columns tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.schema import Column, Constraint, Index, Schema, Table
from dbguard.model.types import DataType

_DOUBTFUL = {"view", "materialized view"}


def describe_schema(schema: Schema) -> dict[str, dict[str, Any]]:
    """Temporary relations are left out."""
    return {
        "relations": {_text(name): _relation(schema, table) for name, table in schema.tables.items() if name.schema != "pg_temp"},
        "sequences": {
            _text(name): {"owner": None if one.owner is None else (_text(one.owner[0]), one.owner[1])}
            for name, one in schema.sequences.items()
            if name.schema != "pg_temp"
        },
        "enums": {_text(name): {"labels": list(one.labels)} for name, one in schema.types.items() if one.kind == "enum"},
        "domains": {
            _text(name): {"base": _type(one.base), "not_null": one.not_null, "checks": sorted(one.constraints)}
            for name, one in schema.types.items()
            if one.kind == "domain"
        },
    }


def compare(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> list[str]:
    """Differences between two descriptions, one readable line each; `expected` is the server's."""
    found: list[str] = []
    for kind in ("relations", "sequences", "enums", "domains"):
        ours, theirs = actual[kind], expected[kind]
        found += (f"{kind}: {name} exists on the server only" for name in sorted(theirs.keys() - ours.keys()))
        found += (f"{kind}: {name} exists in the replay only" for name in sorted(ours.keys() - theirs.keys()))
        for name in sorted(ours.keys() & theirs.keys()):
            found += _differences(name, theirs[name], ours[name])
    return found


def _differences(where: str, expected: Any, actual: Any) -> Iterator[str]:
    if actual in ("unknown", expected):
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in [*expected, *(key for key in actual if key not in expected)]:
            if key not in actual:
                yield f"{where}: {key} exists on the server only: {expected[key]}"
            elif key not in expected:
                yield f"{where}: {key} exists in the replay only: {actual[key]}"
            else:
                yield from _differences(f"{where}: {key}", expected[key], actual[key])
    else:
        yield f"{where}: server {expected}, replay {actual}"


def _relation(schema: Schema, table: Table) -> dict[str, Any]:
    columns = {name: _column(column, plain=table.kind not in _DOUBTFUL) for name, column in table.columns.items()}
    return {
        "kind": table.kind,
        "order": list(table.columns) if table.known else "unknown",
        "columns": columns if table.known else "unknown",
        "parent": None if table.parent is None else _text(table.parent),
        "inherits": [_text(one) for one in table.inherits],
        "constraints": {name: _constraint(schema, c) for name, c in table.constraints.items() if c.kind != "not null"},
        "indexes": {name: _index(index) for name, index in table.indexes.items()},
        "triggers": sorted(table.triggers),
        "policies": sorted(table.policies),
    }


def _column(column: Column, *, plain: bool) -> dict[str, Any]:
    return {
        "type": _type(column.type) if plain else "unknown",
        "not_null": column.not_null,
        "default": column.default is not None and not column.generated,
        "generated": column.generated,
        "identity": column.identity,
    }


def _type(data_type: DataType | None) -> str:
    if data_type is None:
        return "unknown"
    return str(data_type)


def _constraint(schema: Schema, one: Constraint) -> dict[str, Any]:
    referenced: Any = None
    if one.references is not None:
        key = schema.table(one.references).primary_key
        referenced = list(one.referenced_columns or (key.columns if key is not None else ())) or "unknown"
    guessed = one.kind == "check" and one.expression is None
    columns = sorted(one.columns) if one.kind == "check" else list(one.columns)
    return {
        "kind": one.kind,
        "columns": "unknown" if guessed or one.kind == "exclusion" else columns,
        "valid": one.valid,
        "enforced": one.enforced,
        "references": None if one.references is None else _text(one.references),
        "referenced_columns": referenced,
        "deferrable": one.deferrable,
        "deferred": one.deferred,
    }


def _index(index: Index) -> dict[str, Any]:
    return {
        "columns": [key.column for key in index.keys],
        "include": list(index.include),
        "unique": index.unique,
        "valid": index.valid,
        "partial": index.where is not None,
        "method": index.method,
        "parent": None if index.parent is None else _text(index.parent),
    }


def _text(name: Name) -> str:
    return f"{name.schema}.{name.name}"
