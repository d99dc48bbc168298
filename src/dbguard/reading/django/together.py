"""`unique_together` and `index_together` of a model that change."""

from __future__ import annotations

from dbguard.reading.django.constraints import name_of
from dbguard.reading.django.editor import Editor, plain_index, unique
from dbguard.reading.django.models import Model
from dbguard.reading.django.state import Missing

_Rows = list[tuple[str, ...]]


def alter_together(editor: Editor, model: Model, option: str, old: _Rows, new: _Rows) -> None:
    is_unique = option == "unique_together"
    for fields in sorted(set(old) - set(new)):
        columns = [model.get(name).column for name in fields]
        if is_unique:
            _drop_unique(editor, model, columns)
        else:
            _drop_index(editor, model, columns)
    for fields in sorted(set(new) - set(old)):
        columns = [model.get(name).column for name in fields]
        editor.add(unique(model.table, columns) if is_unique else plain_index(model, columns, "_idx"))


def _drop_unique(editor: Editor, model: Model, columns: list[str]) -> None:
    usual = unique(model.table, columns).called
    found = editor.catalog.names(model.table, {"unique", "unique index"}, columns, _own(model))
    if not found and _forget(editor, model, columns):
        return
    if usual in found or not editor.catalog.knows(model.table):
        found = [usual]
    if len(found) != 1:
        raise Missing(f"Django finds {len(found)} unique constraints on ({', '.join(columns)}) of `{model.table}` where it needs one")
    editor.drop_constraint(model.table, found[0])


def _forget(editor: Editor, model: Model, columns: list[str]) -> bool:
    """Since 6.1, a constraint that was only put off is dropped before it is made."""
    if editor.settings.version < (6, 1):
        return False
    for one in editor.deferred:
        if one.addition.table == model.table and list(one.addition.columns) == columns:
            editor.deferred.remove(one)
            return True
    return False


def _drop_index(editor: Editor, model: Model, columns: list[str]) -> None:
    usual = plain_index(model, columns, "_idx").called
    found = editor.catalog.names(model.table, {"index"}, columns, _own(model))
    if not editor.catalog.knows(model.table):
        found = [usual]
    if len(found) != 1:
        raise Missing(f"Django finds {len(found)} indexes on ({', '.join(columns)}) of `{model.table}` where it needs one")
    editor.drop_index(model.table, found[0])


def _own(model: Model) -> set[str]:
    """Names in `Meta`: Django leaves those alone."""
    return {name_of(value, model) for option in ("constraints", "indexes") for value in model.state.listed(option)}
