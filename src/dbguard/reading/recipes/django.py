"""A recipe as the `operations` of Django migrations.

The author's own operation stays what changes the models: where Django has an operation for what the recipe does, with the
author's arguments (`AddIndexConcurrently`, `AddConstraintNotValid`); else as the `state_operations` of the SQL that does it.
Facts are those of Django 4.2 to 6; `db_default` is known from 5 on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dbguard.model.operations import AddColumn, AddConstraint, CreateIndex, DropColumn, Operation, ValidateConstraint
from dbguard.model.record import Record
from dbguard.reading.recipes.layout import Expr, Text, call, listed, quoted, written
from dbguard.reading.recipes.native import Model, add_field, add_index, in_place
from dbguard.reading.recipes.own import Own, expression, own_call, place
from dbguard.reading.recipes.parts import Line, Part, comment_text, is_batch, parts
from dbguard.reading.recipes.reverse import reverse

__all__ = ["Model", "in_django"]

_FROM = {
    "operations": ("AddConstraintNotValid", "AddIndexConcurrently", "RemoveIndexConcurrently", "ValidateConstraint"),
    "indexes": ("GinIndex",),
}
_NOOP = "migrations.RunSQL.noop"


class _Recipe(Record):
    """What the statements are translated with."""

    operations: tuple[Operation | None, ...]  # of all statements of the recipe, in order; None where there is no single one
    author: Own | None
    at: int | None  # which of them does what the author's operation does
    models: Mapping[str, Model]


def in_django(sql: str, own: str = "", models: Mapping[str, Model] | None = None) -> str:
    """The recipe as attributes of migration classes, one class after the other.

    `own` is the author's operation that the recipe is for, as it stands in the file. `models` are what is known of tables, by name.
    """
    found = parts(sql)
    operations = tuple(line.operation for part in found for line in part.statements if not line.comment)
    author = own_call(own)
    at = None if author is None else place(author, operations)
    recipe = _Recipe(operations, author, at, {**_own_model(author, operations), **(models or {})})
    lines: list[str] = []
    number = 0
    for part in found:
        lines += [*([""] if number else []), *_part(part, recipe, number)]
        number += sum(not line.comment for line in part.lines)
    return "\n".join([*_imports(lines), *lines])


def _imports(lines: list[str]) -> Iterator[str]:
    """For names that a migration seldom imports already."""
    text = "\n".join(lines)
    found = False
    for module, names in _FROM.items():
        if used := [name for name in names if re.search(rf"(?<![\w.\"']){name}\(", text)]:
            found = True
            yield f"from django.contrib.postgres.{module} import {', '.join(used)}"
    if found:
        yield ""


def _own_model(author: Own | None, operations: Sequence[Operation | None]) -> Mapping[str, Model]:
    """What the author's operation tells of the recipe's table, if the recipe is about one table only and about that field."""
    tables = {str(getattr(one, "table", "")) for one in operations} - {""}
    named = {one.column.name for one in operations if isinstance(one, AddColumn)}
    named |= {key.column or "" for one in operations if isinstance(one, CreateIndex) for key in one.keys}
    if author is None or not author.text("model_name") or len(tables) != 1 or not {name.removesuffix("_new") for name in named} <= author.columns:
        return {}
    return {tables.pop(): Model(author.text("model_name"), dict.fromkeys(author.columns, author.field))}


def _part(part: Part, recipe: _Recipe, number: int) -> Iterator[str]:
    """One migration. `number` counts the statements before it."""
    for line in part.before:
        yield comment_text(line.text, begun=number > 0)
    entries: list[str] = []
    functions: list[str] = []
    for line in part.statements:
        if line.comment:
            entries.append(f"    {comment_text(line.text, begun=False)}")
            continue
        entry = _entry(line, recipe, number)
        if part.repeated and is_batch(line):
            name = f"change_in_batches_{number}" if functions else "change_in_batches"
            functions += _batches(line, name)
            entry = call("migrations.RunPython", name, "migrations.RunPython.noop")
        entries += written(entry, 4, suffix=",")
        number += 1
    if entries:
        yield from functions
        if part.alone:
            yield "atomic = False"
        yield from ("operations = [", *entries, "]")
    for line in part.after:
        yield comment_text(line.text, begun=False)


def _batches(line: Line, name: str) -> Iterator[str]:
    """Outside a transaction, each round commits."""
    yield f"def {name}(apps, schema_editor):"
    yield from written(Text(line.text), 4, prefix="sql = ", sole=False)
    yield "    with schema_editor.connection.cursor() as cursor:"
    yield "        cursor.execute(sql)"
    yield "        while cursor.rowcount > 0:"
    yield "            cursor.execute(sql)"
    yield ""


def _entry(line: Line, recipe: _Recipe, number: int) -> Expr:
    """One item of `operations`."""
    author = recipe.author
    if author is not None and recipe.at == number:
        return in_place(author, line.operation) or _run_sql(line, recipe, listed([expression(author.node)]))
    found: Expr | None = None
    match line.operation:
        case ValidateConstraint(name=name) if author is not None and name == author.label and _is_check(recipe):
            found = call("ValidateConstraint", model_name=author.argument("model_name"), name=quoted(name))
        case CreateIndex() as index if recipe.at is None:
            found = add_index(index, recipe.models)
        case AddColumn() as added:
            found = add_field(added, recipe.models, recipe.operations)
    return found or _run_sql(line, recipe)


def _is_check(recipe: _Recipe) -> bool:
    """Whether the author's operation adds a check: Django can validate it by its name."""
    added = None if recipe.at is None else recipe.operations[recipe.at]
    return isinstance(added, AddConstraint) and added.constraint.kind == "check"


def _run_sql(line: Line, recipe: _Recipe, state: Expr | None = None) -> Expr:
    """SQL; what it takes away for good has no way back."""
    undo = reverse(line.operation, recipe.operations)
    back: Expr | None = None if isinstance(line.operation, DropColumn) else Text(undo) if undo else _NOOP
    return call("migrations.RunSQL", Text(line.text), reverse_sql=back, state_operations=state)
