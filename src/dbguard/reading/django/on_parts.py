"""Operations on the indexes and constraints of `Meta`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dbguard.reading.django.arguments import Given
from dbguard.reading.django.constraints import constraint, index, name_of
from dbguard.reading.django.editor import Editor, plain_index
from dbguard.reading.django.literals import is_list
from dbguard.reading.django.migration import MigrationModule
from dbguard.reading.django.models import model_of
from dbguard.reading.django.names import quoted
from dbguard.reading.django.outcome import Handler, Outcome, key_of
from dbguard.reading.django.state import Key, State, together_of
from dbguard.reading.python.values import Called, Symbol, Value

if TYPE_CHECKING:
    from dbguard.reading.django.operations import Project


def _listed(project: Project, key: Key, option: str, values: list[Value]) -> State:
    return project.state.with_options(key, **{option: values})


def _add_to(option: str, argument: str, *, concurrently: bool = False, not_valid: bool = False) -> Handler:
    """AddIndex, AddConstraint and their variants."""

    def handler(project: Project, migration: MigrationModule, given: Given) -> Outcome:
        key = key_of(project, migration, given.text("model_name"))
        value = given.get(argument)

        def send(editor: Editor, _before: State, after: State) -> None:
            model = model_of(after, key)
            if not model.migrated:
                return
            one = editor.made(index if option == "indexes" else constraint, value, model)
            if one is not None:
                editor.add(one._replace(concurrently=concurrently, not_valid=not_valid))

        return _listed(project, key, option, [*project.state.need(key).listed(option), value]), send

    return handler


def _remove_from(option: str, *, concurrently: bool = False) -> Handler:
    """RemoveIndex and RemoveConstraint."""

    def handler(project: Project, migration: MigrationModule, given: Given) -> Outcome:
        key = key_of(project, migration, given.text("model_name"))
        name, before = given.text("name"), project.state
        model = model_of(before, key)
        values = model.state.listed(option)
        found = [value for value in values if name_of(value, model) == name]

        def send(editor: Editor, before: State, _after: State) -> None:
            model = model_of(before, key)
            if not model.migrated:
                return
            if option == "indexes":
                editor.drop_index(model.table, name, concurrently=concurrently)
                return
            one = editor.made(constraint, found[0], model) if found else None
            if one is not None and one.kind == "unique index":
                editor.drop_index(model.table, name)
            else:
                editor.drop_constraint(model.table, name)

        return _listed(project, key, option, [value for value in values if value not in found]), send

    return handler


def _alter_constraint(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("model_name"))
    model = model_of(project.state, key)
    values = [given.get("constraint") if name_of(one, model) == given.text("name") else one for one in model.state.listed("constraints")]
    return _listed(project, key, "constraints", values), None


def _rename_index(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("model_name"))
    model = model_of(project.state, key)
    new_name, old_name = given.text("new_name"), given.optional("old_name")
    old_fields = given.get("old_fields")
    values = model.state.listed("indexes")
    if old_name:
        values = [one._replace(kwargs={**one.kwargs, "name": new_name}) if name_of(one, model) == old_name else one for one in values]
        after = _listed(project, key, "indexes", values)
    else:
        names = tuple(str(one) for one in old_fields) if is_list(old_fields) else ()
        made = Called(Symbol("django.db.models.Index"), (), {"fields": list(names), "name": new_name}, ast.Pass())
        rest = [one for one in together_of(model.options.get("index_together")) if one != names]
        after = project.state.with_options(key, indexes=[*values, made], index_together=rest)

    def send(editor: Editor, before: State, _after: State) -> None:
        model, current = model_of(before, key), old_name
        if not model.migrated:
            return
        if not current:
            columns = [model.get(str(one)).column for one in old_fields or ()]
            found = editor.catalog.names(model.table, {"index"}, columns)
            current = found[0] if found else plain_index(model, columns, "_idx").called
        if current != new_name:
            editor.send(f"ALTER INDEX {quoted(current)} RENAME TO {quoted(new_name)}")
            editor.catalog.rename(model.table, current, new_name)

    return after, send


HANDLERS: dict[str, Handler] = {
    "AddIndex": _add_to("indexes", "index"), "AddIndexConcurrently": _add_to("indexes", "index", concurrently=True),
    "RemoveIndex": _remove_from("indexes"), "RemoveIndexConcurrently": _remove_from("indexes", concurrently=True), "RenameIndex": _rename_index,
    "AddConstraint": _add_to("constraints", "constraint"), "AddConstraintNotValid": _add_to("constraints", "constraint", not_valid=True),
    "RemoveConstraint": _remove_from("constraints"), "AlterConstraint": _alter_constraint,
}  # fmt: skip
