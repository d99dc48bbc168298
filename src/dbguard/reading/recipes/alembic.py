"""A recipe as the body of an Alembic revision's `upgrade()`. `op` and `sa` are the names that revisions import.

What Alembic 1.12 with SQLAlchemy 2 cannot say is `op.execute`, and so is what only newer ones can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.model.expression import Expression
from dbguard.model.keys import IndexKey
from dbguard.model.operations import (
    AddColumn,
    AddConstraint,
    ChangeColumnType,
    ColumnDefinition,
    ConstraintDefinition,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropIndex,
    DropNotNull,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNotNull,
)
from dbguard.reading.recipes.layout import Expr, Group, Text, call, listed, quoted, written
from dbguard.reading.recipes.parts import Line, Part, comment_text, is_batch, key_sql, parts, says_all
from dbguard.reading.recipes.types import sqlalchemy_type

# What `sa.text` takes for a parameter, and for the backslash that keeps it from doing so.
_ESCAPED = re.compile(r"\\(?=:[\w$]*(?![:\w$]))")
_PARAMETER = re.compile(r"(?<![:\w\\]):(?=[\w$]+(?![:\w$]))")


def in_alembic(sql: str) -> str:
    """The recipe as calls of `op`, for the body of `upgrade()`. Each `# next revision` is meant to be one of its own."""
    lines: list[str] = []
    begun = False
    for part in parts(sql):
        lines += _part(part, begun=begun)
        begun = begun or bool(part.statements)
    if any(re.search(r"(?<![\w\"'.])postgresql\.[A-Z]+\(", line) for line in lines):
        lines[:0] = ["from sqlalchemy.dialects import postgresql", ""]
    return "\n".join(lines)


def _part(part: Part, *, begun: bool) -> Iterator[str]:
    for line in part.before:
        yield _comment(line, begun=begun)
    indent = 4 if part.alone else 0
    if part.alone and part.statements:
        yield "with op.get_context().autocommit_block():"
    for line in part.statements:
        if line.comment:
            yield " " * indent + _comment(line)
        elif part.repeated and is_batch(line):
            yield from _batches(line, indent)
        else:
            yield from written(_statement(line), indent)
    for line in part.after:
        yield _comment(line)


def _comment(line: Line, *, begun: bool = False) -> str:
    """Alembic's word for a migration is revision."""
    text = comment_text(line.text, begun=begun)
    return text if "dbguard:" in text else re.sub(r"\bmigration(s?)\b", r"revision\1", text)


def _batches(line: Line, indent: int) -> Iterator[str]:
    """Outside a transaction, each round commits."""
    pad = " " * indent
    yield from written(_text(line.text), indent, prefix="batch = ")
    yield f"{pad}while op.get_bind().execute(batch).rowcount > 0:"
    yield f"{pad}    pass"


def _statement(line: Line) -> Expr:
    typed = None
    match line.operation:
        case CreateIndex() as index if says_all(line) and not index.only:
            typed = _create_index(index)
        case AddConstraint(constraint=constraint) as added if says_all(line) and constraint.enforced:
            typed = _add_constraint(added, constraint)
        case AddColumn(only=False, if_exists=False, if_not_exists=False) as added:
            column = _column(added.column)
            typed = None if column is None else call("op.add_column", quoted(added.table.name), column, schema=_schema(added.table.schema))
        case DropIndex(names=(name,), cascade=False) as dropped:
            options = {"postgresql_concurrently": _flag(dropped.concurrently), "if_exists": _flag(dropped.if_exists)}
            typed = call("op.drop_index", quoted(name.name), schema=_schema(name.schema), **options)
        case DropColumn(table, column, if_exists=False, cascade=False, only=False):
            typed = call("op.drop_column", quoted(table.name), quoted(column), schema=_schema(table.schema))
        case DropConstraint(table, name, if_exists=False, cascade=False, only=False):
            typed = call("op.drop_constraint", quoted(name), quoted(table.name), schema=_schema(table.schema))
        case RenameTable(table, to, kind="table", if_exists=False):
            typed = call("op.rename_table", quoted(table.name), quoted(to), schema=_schema(table.schema))
        case SetNotNull() | DropNotNull() | SetDefault() | DropDefault() | ChangeColumnType() | RenameColumn() as change if not change.only:
            typed = _alter_column(change)
    return typed or call("op.execute", Text(escaped(line.text)))


def _create_index(index: CreateIndex) -> Expr:
    plain = {key: key.column for key in index.keys if key.column is not None and _is_plain(key)}
    keys = [quoted(plain[key]) if key in plain else _text(key_sql(key)) for key in index.keys]
    classes = [f"{quoted(column)}: {quoted(str(key.opclass))}" for key, column in plain.items() if key.opclass is not None]
    options = [f"{quoted(name)}: {quoted(value)}" for name, value in index.options]
    return call(
        "op.create_index",
        quoted(index.name or ""),
        quoted(index.table.name),
        listed(keys),
        unique=_flag(index.unique),
        schema=_schema(index.table.schema),
        if_not_exists=_flag(index.if_not_exists),
        postgresql_concurrently=_flag(index.concurrently),
        postgresql_using=quoted(index.method) if index.method != "btree" else None,
        postgresql_ops=Group("{", tuple(classes), "}") if classes else None,
        postgresql_include=listed(map(quoted, index.include)) if index.include else None,
        postgresql_nulls_not_distinct=_flag(index.nulls_not_distinct),
        postgresql_with=Group("{", tuple(options), "}") if options else None,
        postgresql_tablespace=quoted(index.tablespace) if index.tablespace else None,
        postgresql_where=_expression(index.where),
    )


def _is_plain(key: IndexKey) -> bool:
    return key.collation is None and not key.descending and key.nulls_first is None


def _add_constraint(added: AddConstraint, constraint: ConstraintDefinition) -> Expr | None:
    """None for what Alembic cannot say: an existing index, a foreign key to columns that are not named, an exclusion constraint."""
    name, table = quoted(constraint.name or ""), added.table
    schema, columns = _schema(table.schema), listed(map(quoted, constraint.columns))
    later: dict[str, Expr | None] = {"deferrable": _flag(constraint.deferrable), "initially": '"DEFERRED"' if constraint.deferred else None}
    not_valid = _flag(not constraint.valid)
    if constraint.using_index is not None or constraint.without_overlaps or constraint.no_inherit:
        return None
    match constraint.kind:
        case "check" if constraint.expression is not None:
            # `op.f`: naming conventions put a prefix before the names of checks, and the validation would not find it.
            condition = Text(escaped(constraint.expression.sql))
            return call("op.create_check_constraint", f"op.f({name})", quoted(table.name), condition, schema=schema, postgresql_not_valid=not_valid)
        case "unique":
            include = listed(map(quoted, constraint.include)) if constraint.include else None
            distinct = _flag(constraint.nulls_not_distinct)
            options = {**later, "postgresql_include": include, "postgresql_nulls_not_distinct": distinct}
            return call("op.create_unique_constraint", name, quoted(table.name), columns, schema=schema, **options)
        case "primary key" if not (constraint.include or constraint.deferrable):
            return call("op.create_primary_key", name, quoted(table.name), columns, schema=schema)
        case "foreign key" if constraint.references is not None and constraint.referenced_columns:
            return call(
                "op.create_foreign_key",
                name,
                quoted(table.name),
                quoted(constraint.references.name),
                columns,
                listed(map(quoted, constraint.referenced_columns)),
                source_schema=schema,
                referent_schema=_schema(constraint.references.schema),
                match='"FULL"' if constraint.match_full else None,
                ondelete=_action(constraint.on_delete),
                onupdate=_action(constraint.on_update),
                **later,
                postgresql_not_valid=not_valid,
            )
    return None


def _action(action: str) -> str | None:
    return None if action == "no action" else quoted(action.upper())


def _column(column: ColumnDefinition) -> Expr | None:
    """`sa.Column(...)`, if it says all that is written."""
    said = ColumnDefinition(column.name, column.type, column.not_null, column.default, collation=column.collation)
    kind = sqlalchemy_type(column.type, column.collation)
    if kind is None or column != said:
        return None
    return call("sa.Column", quoted(column.name), kind, server_default=_expression(column.default), nullable="False" if column.not_null else None)


Change = SetNotNull | DropNotNull | SetDefault | DropDefault | ChangeColumnType | RenameColumn


def _alter_column(change: Change) -> Expr | None:
    options: dict[str, Expr | None] = {}
    match change:
        case SetNotNull():
            options["nullable"] = "False"
        case DropNotNull():
            options["nullable"] = "True"
        case SetDefault(default=default):
            options["server_default"] = _expression(default)
        case DropDefault():
            options["server_default"] = "None"
        case RenameColumn(to=to, kind="table"):
            options["new_column_name"] = quoted(to)
        case ChangeColumnType():
            options["type_"] = sqlalchemy_type(change.type, change.collation)
            options["postgresql_using"] = None if change.using is None else Text(change.using.sql)
            if options["type_"] is None:
                return None
        case _:
            return None
    return call("op.alter_column", quoted(change.table.name), quoted(change.column), schema=_schema(change.table.schema), **options)


def _schema(schema: str | None) -> str | None:
    return None if schema is None else quoted(schema)


def _flag(value: bool) -> str | None:
    return "True" if value else None


def _expression(expression: Expression | None) -> Expr | None:
    return None if expression is None else _text(expression.sql)


def _text(sql: str) -> Group:
    return call("sa.text", Text(escaped(sql)))


def escaped(sql: str) -> str:
    """SQL that `sa.text` gives back unchanged."""
    return _PARAMETER.sub(r"\\:", _ESCAPED.sub(r"\\\\", sql))
