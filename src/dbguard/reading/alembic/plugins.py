"""Operations that packages add to `op` in, the SQL that they send out: alembic_utils, alembic_postgresql_enum, geoalchemy2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dbguard.model.names import text_literal
from dbguard.reading.python.values import Attribute, Called, Symbol, Value, is_known

if TYPE_CHECKING:
    from dbguard.reading.alembic.printer import Printer

GEOSPATIAL = {
    "create_geospatial_table": "create_table",
    "drop_geospatial_table": "drop_table",
    "add_geospatial_column": "add_column",
    "drop_geospatial_column": "drop_column",
    "create_geospatial_index": "create_index",
    "drop_geospatial_index": "drop_index",
}
_ENTITIES = frozenset(["PGFunction", "PGTrigger", "PGView", "PGMaterializedView", "PGExtension", "PGPolicy"])
_ON = re.compile(r"(\bON\s+)(\S+)", re.IGNORECASE)
_WAYS = {"to_sql_statement_create": "create_entity", "to_sql_statement_drop": "drop_entity", "to_sql_statement_create_or_replace": "replace_entity"}


def operation(name: str, call: Called) -> tuple[str, str]:
    """SQL of an operation that is not Alembic's own, and why it is not known."""
    given = call.args[0] if call.args else next(iter(call.kwargs.values()), None)
    if name in {"create_entity", "drop_entity", "replace_entity", "revert_entity"}:
        sql = entity(given, name, cascade=call.kwargs.get("cascade") is True)
        return sql, "" if sql else f"what `op.{name}` is given is not known"
    if name == "sync_enum_values":
        return _sync_enum(call)
    return "", f"`op.{name}` is no operation of Alembic's own"


def statement(value: Value) -> str:
    """`op.execute(function.to_sql_statement_create())`."""
    if isinstance(value, Called) and isinstance(value.target, Attribute) and value.target.name in _WAYS:
        return entity(value.target.base, _WAYS[value.target.name], cascade=False)
    return ""


def entity(value: Value, way: str, *, cascade: bool) -> str:
    """alembic_utils: what is created, dropped or replaced is written as text."""
    if not isinstance(value, Called) or not isinstance(value.target, Symbol) or value.target.path.rpartition(".")[2] not in _ENTITIES:
        return ""
    kind = value.target.path.rpartition(".")[2]
    order = ("schema", "signature") if kind == "PGExtension" else ("schema", "signature", "definition", "on_entity")
    given = {**dict(zip(order, value.args, strict=False)), **value.kwargs}
    if not all(isinstance(one, str | bool) for one in given.values()) or "schema" not in given or "signature" not in given:
        return ""
    texts = {name: one.replace("\\:", ":").strip().removesuffix(";").strip() if isinstance(one, str) else one for name, one in given.items()}
    create, drop = _entity(kind, texts)
    if way == "create_entity":
        return create
    if way == "drop_entity":
        return f"{drop} CASCADE" if cascade else drop
    if kind in {"PGFunction", "PGView"}:
        return create.replace("CREATE ", "CREATE OR REPLACE ", 1)
    verb, rest = drop.split(" ", 1)
    what = "MATERIALIZED VIEW" if kind == "PGMaterializedView" else rest.split(" ", 1)[0]
    return f"{verb} {what} IF EXISTS {rest.removeprefix(what).strip()};\n\n{create}"


def _entity(kind: str, given: dict[str, Any]) -> tuple[str, str]:
    schema, signature = _quoted(given["schema"]), given["signature"]
    definition, on = given.get("definition", ""), given.get("on_entity", "")
    match kind:
        case "PGFunction":
            name, _, rest = signature.partition("(")
            arguments = ", ".join(_without_default(one) for one in rest.rstrip(" )").split(",")) if rest.rstrip(" )") else ""
            return (
                f"CREATE FUNCTION {schema}.{_quoted(name.strip())}({rest} {definition}",
                f"DROP FUNCTION {schema}.{_quoted(name.strip())}({arguments})",
            )
        case "PGTrigger":
            definition = _ON.sub(lambda found: f"{found[1]}{given['schema']}.{found[2].rpartition('.')[2]}", definition, count=1)
            constraint = "CONSTRAINT " if given.get("is_constraint") else ""
            return f"CREATE {constraint}TRIGGER {_quoted(signature)} {definition}", f"DROP TRIGGER {_quoted(signature)} ON {on}"
        case "PGView":
            return f"CREATE VIEW {schema}.{_quoted(signature)} AS {definition}", f"DROP VIEW {schema}.{_quoted(signature)}"
        case "PGMaterializedView":
            data = " WITH NO DATA" if given.get("with_data") is False else " WITH DATA"
            name = f"{schema}.{_quoted(signature)}"
            return f"CREATE MATERIALIZED VIEW {name} AS {definition}{data}", f"DROP MATERIALIZED VIEW {name}"
        case "PGPolicy":
            return f"CREATE POLICY {signature} ON {on} {definition}", f"DROP POLICY {signature} ON {on}"
    return f"CREATE EXTENSION {_quoted(signature)} WITH SCHEMA {schema}", f"DROP EXTENSION {_quoted(signature)}"


def _without_default(argument: str) -> str:
    at = argument.lower().find("default")
    return (argument[:at] if at > 0 else argument).strip()


def _quoted(name: str) -> str:
    return name if name.startswith('"') else '"' + name.replace('"', '""') + '"'


def _sync_enum(call: Called) -> tuple[str, str]:
    """alembic_postgresql_enum: a new type takes the place of the old one, and every column of it is rewritten."""
    order = ("enum_schema", "enum_name", "new_values", "affected_columns", "enum_values_to_rename")
    given = {**dict(zip(order, call.args, strict=False)), **call.kwargs}
    schema, name, values = given.get("enum_schema", given.get("schema")), given.get("enum_name"), given.get("new_values")
    renamed = given.get("enum_values_to_rename") or []
    if not isinstance(schema, str) or not isinstance(name, str) or not isinstance(values, list) or not is_known([values, renamed]):
        return "", "what `op.sync_enum_values` is given is not known"
    new, old, doubt = f"{_quoted(schema)}.{_quoted(name)}", f"{_quoted(schema)}.{_quoted(name + '_old')}", ""
    parts = [f"ALTER TYPE {new} RENAME TO {_quoted(name + '_old')}", f"CREATE TYPE {new} AS ENUM ({', '.join(map(text_literal, map(str, values)))})"]
    parts += _comparisons(schema, new, old, renamed)
    columns = given.get("affected_columns")
    for one in columns if isinstance(columns, list) else ():
        table, column, is_array, default = _reference(one, schema)
        if not table:
            doubt = "a column that `op.sync_enum_values` changes is not known"
            continue
        if default is None and isinstance(one, tuple | list):
            doubt = f"the default of `{column}`, which `op.sync_enum_values` reads from the database, is not known"
        change = f"ALTER TABLE {table} ALTER COLUMN {column}"
        if isinstance(default, str):
            parts.append(f"{change} DROP DEFAULT")
        parts.append(f"{change} TYPE {new}{'[]' if is_array else ''} USING {_cast(column, new, renamed, is_array)}")
        if isinstance(default, str):
            parts.append(f"{change} SET DEFAULT {default.partition('::')[0]}::{new}{'[]' if is_array else ''}")
    for sign, function in (("!=", "new_old_not_equals"), ("=", "new_old_equals")):
        parts.append(f"DROP OPERATOR IF EXISTS {_quoted(schema)}.{sign} ({new}, {old})")
        parts.append(f"DROP FUNCTION {_quoted(schema)}.{function}(new_enum_val {new}, old_enum_val {old})")
    parts.append(f"DROP TYPE {old}")
    return ";\n\n".join(parts) + ";", doubt


def _comparisons(schema: str, new: str, old: str, renamed: list[Any]) -> Iterator[str]:
    value = "old_enum_val::text"
    if renamed:
        value = f"CASE {' '.join(f'WHEN {value} = {text_literal(was)} THEN {text_literal(now)}' for was, now in renamed)} ELSE {value} END"
    for sign, function in (("!=", "new_old_not_equals"), ("=", "new_old_equals")):
        name = f"{_quoted(schema)}.{function}"
        yield (
            f"CREATE FUNCTION {name}(new_enum_val {new}, old_enum_val {old}) RETURNS boolean AS "
            f"$$ SELECT new_enum_val::text {sign} {value}; $$ LANGUAGE SQL IMMUTABLE"
        )
        yield f"CREATE OPERATOR {_quoted(schema)}.{sign} (leftarg = {new}, rightarg = {old}, procedure = {name})"


def _reference(value: Value, schema: str) -> tuple[str, str, bool, Any]:
    """Table, column, whether it is an array, and its default, of a `TableReference` or a plain tuple."""
    order = ("table_name", "column_name", "table_schema", "column_type", "existing_server_default")
    if isinstance(value, Called):
        given = {**dict(zip(order, value.args, strict=False)), **value.kwargs}
    elif isinstance(value, tuple | list) and type(value) in {tuple, list}:
        given = dict(zip(("table_name", "column_name", "column_type"), value, strict=False))
    else:
        given = {}
    table, column = given.get("table_name"), given.get("column_name")
    if not isinstance(table, str) or not isinstance(column, str):
        return "", "", False, None
    kind = given.get("column_type")
    is_array = isinstance(kind, Symbol) and kind.path.endswith(".ARRAY")
    return f"{_quoted(given.get('table_schema') or schema)}.{_quoted(table)}", _quoted(column), is_array, given.get("existing_server_default")


def _cast(column: str, new: str, renamed: list[Any], is_array: bool) -> str:
    if is_array:
        value = f"{column}::text[]"
        for was, now in renamed:
            value = f"array_replace({value}, {text_literal(was)}, {text_literal(now)})"
        return f"{value}::{new}[]"
    if renamed:
        cases = " ".join(f"WHEN {column}::text = {text_literal(was)} THEN {text_literal(now)}::{new}" for was, now in renamed)
        return f"CASE {cases} ELSE {column}::text::{new} END"
    return f"{column}::text::{new}"


def created(made: Any, verb: str, checkfirst: bool, printer: Printer) -> str:
    """`thing.create(bind)` and `thing.drop(bind)` of a type, a table, an index or a sequence."""
    import sqlalchemy as sa
    from sqlalchemy.dialects.postgresql import DOMAIN, ENUM
    from sqlalchemy.sql.sqltypes import SchemaType

    if isinstance(made, SchemaType | ENUM | DOMAIN):
        return printer.create_type(made, checkfirst) if verb == "create" else printer.drop_type(made, checkfirst)
    if not isinstance(made, sa.Table | sa.Index | sa.Sequence):
        return ""
    getattr(made, verb)(printer.bind, checkfirst=False)
    sql = printer.take()
    words = "CREATE TABLE", "CREATE INDEX", "CREATE UNIQUE INDEX", "CREATE SEQUENCE", "DROP TABLE", "DROP INDEX", "DROP SEQUENCE"
    start = next((word for word in words if checkfirst and sql.startswith(word)), "")
    return f"{start} IF {'NOT ' if verb == 'create' else ''}EXISTS{sql[len(start) :]}" if start else sql


def with_spatial_indexes(call: Called, sql: str) -> str:
    """geoalchemy2 indexes the spatial columns of a table that it sees created, unless `spatial_index=False`."""
    table = call.args[0] if call.args else None
    for column in call.args[1:]:
        kind = next((one for one in column.args[1:2] if isinstance(one, Called)), None) if isinstance(column, Called) else None
        if kind is None or not isinstance(kind.target, Symbol) or not kind.target.path.startswith("geoalchemy2."):
            continue
        name = column.args[0]
        if kind.kwargs.get("spatial_index", True) is True and isinstance(table, str) and isinstance(name, str):
            schema = call.kwargs.get("schema")
            where = f"{_quoted(schema)}.{_quoted(table)}" if isinstance(schema, str) else _quoted(table)
            sql += f"\n\nCREATE INDEX {_quoted(f'idx_{table}_{name}')} ON {where} USING gist ({_quoted(name)});"
    return sql
