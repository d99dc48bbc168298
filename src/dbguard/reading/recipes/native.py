"""Django's own operations for statements of a recipe. None where only SQL says it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from dbguard.model.expression import Expression
from dbguard.model.operations import (
    AddColumn,
    AddConstraint,
    ColumnDefinition,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropIndex,
    Operation,
    RenameColumn,
)
from dbguard.model.record import Record
from dbguard.reading.recipes.layout import Expr, Group, Keyword, call, listed, quoted
from dbguard.reading.recipes.own import Own, class_name, expression
from dbguard.reading.recipes.types import django_field

LONGEST_NAME = 30  # of an index, by the system check models.E034

_METHODS = {
    "Index": "btree",
    "BTreeIndex": "btree",
    "BrinIndex": "brin",
    "GinIndex": "gin",
    "GistIndex": "gist",
    "HashIndex": "hash",
    "SpGistIndex": "spgist",
}
_CLASSES = {"btree": "models.Index", "gin": "GinIndex"}
_OF_EVERY_INDEX = frozenset({"fields", "name", "condition"})
_WITHOUT_SQL = frozenset({"blank", "choices", "default", "editable", "help_text", "null", "verbose_name"})


class Model(Record):
    """The model of a table, and which of its columns is which field."""

    name: str
    fields: Mapping[str, str] = {}


def in_place(author: Own, operation: Operation | None) -> Expr | None:
    """What the author's operation becomes, with the author's arguments, where the recipe does the same thing."""
    match author.kind, operation:
        case "AddIndex", CreateIndex(concurrently=True, method=method):
            index = _index_of(author.arguments.get("index"), method)
            return None if index is None else call("AddIndexConcurrently", model_name=author.argument("model_name"), index=index)
        case "RemoveIndex", DropIndex(concurrently=True):
            return call("RemoveIndexConcurrently", model_name=author.argument("model_name"), name=author.argument("name"))
        case "AddConstraint", AddConstraint(constraint=constraint) if constraint.kind == "check" and not constraint.valid:
            return call("AddConstraintNotValid", model_name=author.argument("model_name"), constraint=author.argument("constraint"))
        case "RemoveConstraint", DropConstraint(cascade=False):
            return expression(author.node)
        case "AddField", AddColumn(column=column, only=False, if_not_exists=False):
            return _with_db_default(author, column)
    return None


def _index_of(written: ast.expr | None, method: str) -> Expr | None:
    """The author's index. If the recipe has an index of another kind: of the class for that, if the arguments are those of any class."""
    if not isinstance(written, ast.Call):
        return None
    if _METHODS.get(class_name(written), method) == method:
        return expression(written)
    if method not in _CLASSES or written.args or any(one.arg not in _OF_EVERY_INDEX for one in written.keywords):
        return None
    return call(_CLASSES[method], **{one.arg or "": expression(one.value) for one in written.keywords})


def _with_db_default(author: Own, column: ColumnDefinition) -> Expr | None:
    """The author's AddField with the default in the database, if Django then sends just this column (Django 5)."""
    field = author.arguments.get("field")
    default = None if column.default is None else _literal(column.default, column)
    kind = django_field(column.type)
    if default is None or kind is None or not isinstance(field, ast.Call) or field.args or class_name(field) != kind[0]:
        return None
    given = {one.arg or "": one.value for one in field.keywords}
    sizes = {name: ast.unparse(given[name]) for name in given.keys() & kind[1].keys()}
    may_be_null = "null" in given and ast.unparse(given["null"]) != "False"
    if sizes != kind[1] or not given.keys() <= _WITHOUT_SQL | kind[1].keys() or may_be_null == column.not_null or not _is_plain(column):
        return None
    arguments = (*(Keyword(name, expression(value)) for name, value in given.items()), Keyword("db_default", default))
    made = Group(f"{ast.unparse(field.func)}(", arguments)
    return call(ast.unparse(author.node.func), model_name=author.argument("model_name"), name=author.argument("name"), field=made)


def add_field(added: AddColumn, models: Mapping[str, Model], recipe: Sequence[Operation | None]) -> Expr | None:
    """A new column of a known model, which stays as it is in the rest of the recipe."""
    column, model = added.column, models.get(str(added.table))
    kind = django_field(column.type)
    if model is None or kind is None or not _is_plain(column) or added.only or added.if_not_exists or _passes(added, recipe):
        return None
    default = None if column.default is None else _literal(column.default, column)
    if (default is None) != (column.default is None) or (column.not_null and default is None):
        return None
    made = call(f"models.{kind[0]}", **kind[1], null=None if column.not_null else "True", db_default=default)
    return call("migrations.AddField", model_name=quoted(model.name), name=quoted(column.name), field=made)


def _passes(added: AddColumn, recipe: Sequence[Operation | None]) -> bool:
    """Whether the recipe renames or drops the column later."""
    return any(isinstance(one, RenameColumn | DropColumn) and one.column == added.column.name for one in recipe)


def _is_plain(column: ColumnDefinition) -> bool:
    return column == ColumnDefinition(column.name, column.type, column.not_null, column.default)


def _literal(default: Expression, column: ColumnDefinition) -> Expr | None:
    """A constant of the column's own type as Python."""
    tree = default.tree
    value = tree[1] if tree[0] == "const" else None
    kinds = {"bool": bool, "int2": int, "int4": int, "int8": int, "text": str, "varchar": str}
    if type(value) is not kinds.get(column.type.builtin or ""):
        return None
    return quoted(value) if isinstance(value, str) else repr(value)


def add_index(index: CreateIndex, models: Mapping[str, Model]) -> Expr | None:
    """A plain index on fields of a known model."""
    model = models.get(str(index.table))
    plain = CreateIndex(index.table, index.keys, index.name, concurrently=True)
    if model is None or index != plain or index.name is None or len(index.name) > LONGEST_NAME:
        return None
    fields: list[Expr] = []
    for key in index.keys:
        if key.column is None or key.collation or key.opclass or key.nulls_first is not None or key.column not in model.fields:
            return None
        fields.append(quoted(f"{'-' * key.descending}{model.fields[key.column]}"))
    made = call("models.Index", fields=listed(fields), name=quoted(index.name))
    return call("AddIndexConcurrently", model_name=quoted(model.name), index=made)
