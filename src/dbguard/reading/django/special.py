"""Operations that are no change of a model: SQL and programs of the migration's own, extensions, collations, validation."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dbguard.model.operations.programs import RunProgram
from dbguard.model.source import Block
from dbguard.reading.django.arguments import Given, Unfollowed
from dbguard.reading.django.literals import Unfit, is_list, literal, plain
from dbguard.reading.django.models import model_of
from dbguard.reading.django.names import quoted
from dbguard.reading.python.values import Called, Local, Symbol, Unknown, Value

if TYPE_CHECKING:
    from dbguard.reading.django.editor import Editor
    from dbguard.reading.django.migration import MigrationModule
    from dbguard.reading.django.operations import Project

_EXTENSIONS = {
    "BloomExtension": "bloom", "BtreeGinExtension": "btree_gin", "BtreeGistExtension": "btree_gist", "CITextExtension": "citext",
    "CryptoExtension": "pgcrypto", "HStoreExtension": "hstore", "TrigramExtension": "pg_trgm", "UnaccentExtension": "unaccent",
}  # fmt: skip
Place = tuple[int, int]
Handler = Callable[["Project", "Editor", "MigrationModule", Called, Given, Place], list[Block]]


def _run_sql(_project: Project, _editor: Editor, migration: MigrationModule, operation: Called, given: Given, place: Place) -> list[Block]:
    node = _argument_node(operation, "sql", 0)
    return list(sql_blocks(given.get("sql"), node, migration, place))


def sql_blocks(value: Value, node: ast.AST | None, migration: MigrationModule, place: Place) -> list[Block]:
    """The blocks of a RunSQL's text or list of texts. `node` is where they are written."""
    if value is None or value == "" or (isinstance(value, Symbol) and value.path.endswith(".RunSQL.noop")):
        return []
    if isinstance(value, str):
        return [_text_block(value, node, migration, place)]
    if not is_list(value):
        reason = value.reason if isinstance(value, Unknown) else "its SQL is made by a program"
        return [Block(*place, unread=f"RunSQL: {reason}")]
    elements = node.elts if isinstance(node, ast.List | ast.Tuple) and len(node.elts) == len(value) else [None] * len(value)
    blocks = []
    for one, element in zip(value, elements, strict=True):
        if isinstance(one, str):
            blocks.append(_text_block(one, element, migration, place))
        elif is_list(one) and len(one) == 2 and isinstance(one[0], str):
            blocks.append(_with_parameters(one[0], one[1], element, migration, place))
        else:
            blocks.append(Block(*place, unread="RunSQL: a statement that is not known"))
    return blocks


def _with_parameters(sql: str, parameters: Value, node: ast.AST | None, migration: MigrationModule, place: Place) -> Block:
    if parameters is None:
        return _text_block(sql, node.elts[0] if isinstance(node, ast.Tuple | ast.List) else None, migration, place)
    try:
        values = plain(parameters)
        if isinstance(values, dict):
            return Block(*place, sql=sql % {name: literal(value) for name, value in values.items()})
        return Block(*place, sql=sql % tuple(literal(value) for value in values))
    except (Unfit, TypeError, ValueError, KeyError):
        return Block(*place, unread="RunSQL: parameters that are not known")


def _text_block(sql: str, node: ast.AST | None, migration: MigrationModule, place: Place) -> Block:
    found = None
    if node is not None and migration.interpreter is not None:
        found = migration.interpreter.literal_place(node)
    return Block(*place, sql=sql, place=found)


def _argument_node(operation: Called, name: str, index: int) -> ast.AST | None:
    """Where an argument is written."""
    call = operation.node
    if not isinstance(call, ast.Call):
        return None
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[index] if len(call.args) > index and not isinstance(call.args[index], ast.Starred) else None


def _run_python(_project: Project, _editor: Editor, migration: MigrationModule, operation: Called, given: Given, place: Place) -> list[Block]:
    try:
        from dbguard.reading.django import programs
    except ImportError:
        return [_program(given, place)]
    found = programs.run_python(operation, migration)
    return [found._replace(start=place[0], end=place[1])] if isinstance(found, Block) else [_program(given, place)]


def _program(given: Given, place: Place) -> Block:
    code, reverse = given.get("code"), given.get("reverse_code")
    if isinstance(code, Symbol) and code.path.endswith(".RunPython.noop"):
        return Block(*place)
    name = code.name if isinstance(code, Local) else code.path.rpartition(".")[2] if isinstance(code, Symbol) else "a program"
    return Block(*place, operations=(RunProgram(name, reversible=reverse is not None),), unread=f"RunPython {name}")


def _extension(project: Project, editor: Editor, kind: str, given: Given) -> list[Block]:
    name = _EXTENSIONS.get(kind) or given.text("name")
    if name not in project.extensions:
        project.extensions.add(name)
        editor.send(f"CREATE EXTENSION IF NOT EXISTS {quoted(name)}")
    return []


def _extension_handler(kind: str) -> Handler:
    def handler(project: Project, editor: Editor, _migration: MigrationModule, _operation: Called, given: Given, _place: Place) -> list[Block]:
        return _extension(project, editor, kind, given)

    return handler


def _create_collation(_project: Project, editor: Editor, _migration: MigrationModule, _operation: Called, given: Given, _place: Place) -> list[Block]:
    words = [f"locale={quoted(given.text('locale'))}"]
    provider = given.optional("provider")
    if provider and provider != "libc":
        words.append(f"provider={quoted(provider)}")
    if given.get("deterministic") is False:
        words.append("deterministic=false")
    editor.send(f"CREATE COLLATION {quoted(given.text('name'))} ({', '.join(words)})")
    return []


def _remove_collation(_project: Project, editor: Editor, _migration: MigrationModule, _operation: Called, given: Given, _place: Place) -> list[Block]:
    editor.send(f"DROP COLLATION {quoted(given.text('name'))}")
    return []


def _validate(project: Project, editor: Editor, migration: MigrationModule, _operation: Called, given: Given, _place: Place) -> list[Block]:
    model = model_of(project.state, (migration.app, given.text("model_name").lower()))
    if model.migrated:
        editor.send(f"ALTER TABLE {quoted(model.table)} VALIDATE CONSTRAINT {quoted(given.text('name'))}")
    return []


def _nothing(*_given: Any) -> list[Block]:
    return []


def _add_default(project: Project, editor: Editor, migration: MigrationModule, _operation: Called, given: Given, _place: Place) -> list[Block]:
    """django-add-default-value."""
    model = model_of(project.state, (migration.app, given.text("model_name").lower()))
    column = model.get(given.text("name"))
    try:
        value = literal(plain(given.get("value"))).strip()
    except Unfit as unfit:
        raise Unfollowed(f"its value `{unfit}` is not known") from None
    editor.send(f"ALTER TABLE {quoted(model.table)} ALTER COLUMN {quoted(column.column)} SET DEFAULT {value}")
    return []


def _trigger(name: str) -> Handler:
    def handler(project: Project, editor: Editor, migration: MigrationModule, _operation: Called, given: Given, _place: Place) -> list[Block]:
        from dbguard.reading.django.triggers import HANDLERS as TRIGGERS

        model = model_of(project.state, (migration.app, given.text("model_name").lower()))
        TRIGGERS[name](project, editor, model, given)
        return []

    return handler


HANDLERS: dict[str, Handler] = {
    "RunSQL": _run_sql, "RunPython": _run_python, "CreateCollation": _create_collation, "RemoveCollation": _remove_collation,
    "ValidateConstraint": _validate, "IgnoreMigration": _nothing, "AddDefaultValue": _add_default, "AddTrigger": _trigger("add"),
    "RemoveTrigger": _trigger("remove"), **{kind: _extension_handler(kind) for kind in (*_EXTENSIONS, "CreateExtension")},
}  # fmt: skip
