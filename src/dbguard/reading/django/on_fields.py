"""Operations on fields: added, removed, altered, renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbguard.model.names import Name
from dbguard.model.operations.programs import PythonDefault
from dbguard.model.source import Block
from dbguard.reading.django.alter import Change, alter_field, alter_many
from dbguard.reading.django.arguments import Given, operation_name
from dbguard.reading.django.columns import Column
from dbguard.reading.django.editor import Editor
from dbguard.reading.django.migration import MigrationModule
from dbguard.reading.django.models import Model, model_of
from dbguard.reading.django.names import split
from dbguard.reading.django.outcome import Handler, Outcome, key_of, with_default
from dbguard.reading.django.state import State, actual
from dbguard.reading.python.values import Called, Local, Symbol

if TYPE_CHECKING:
    from dbguard.reading.django.operations import Project


def _add_field(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("model_name"))
    name, field = given.text("name"), project.field(given.get("field"))
    kept = field.without("default") if given.get("preserve_default") is False else field

    def send(editor: Editor, before: State, after: State) -> list[Block] | None:
        old, new = model_of(before, key), model_of(after, key)
        if not new.migrated:
            return None
        if field.many:
            many = new.many_named(name)
            editor.doubt(many.unread)
            if many.through is not None:
                editor.create_model(many.through)
            return None
        column = new.get(name)._replace(field=new.fields[name]._replace(options=with_default(new.fields[name], field)))
        project.note(new)
        editor.add_field(old, column)
        return _python_default(new, column, given)

    return project.state.with_field(key, name, kept), send


def _python_default(model: Model, column: Column, given: Given) -> list[Block] | None:
    """A fact about a callable default of a unique column: Django calls it once, for all rows."""
    default = column.field.options.get("default")
    if not column.field.unique or not column.type or not isinstance(default, Symbol | Local | Called):
        return None
    written = default.path if isinstance(default, Symbol) else default.name if isinstance(default, Local) else operation_name(default)
    namespace, table = split(model.table)
    fact = PythonDefault(Name(namespace or None, table), column.column, written, unique=True, not_null=not column.field.null)
    return [Block(*given.place, operations=(fact,))]


def _remove_field(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("model_name"))
    name = given.text("name")

    def send(editor: Editor, before: State, _after: State) -> None:
        model = model_of(before, key)
        if not model.migrated:
            return
        found = actual(model.fields, name) or name
        if found in model.fields and model.fields[found].many:
            through = model.many_named(found).through
            if through is not None:
                editor.delete_model(through)
        else:
            editor.remove_field(model, model.get(name))

    return project.state.without_field(key, name), send


def _alter(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("model_name"))
    state = project.state.need(key)
    name = actual(state.fields, given.text("name"))
    field = project.field(given.get("field"))
    if name is None:
        given.doubts.append(f"what `{given.text('name')}` of `{state.name}` was before is not known")
        return project.state.with_field(key, given.text("name"), field), None
    kept = field.without("default") if given.get("preserve_default") is False else field

    def send(editor: Editor, before: State, after: State) -> None:
        old, new = model_of(before, key), model_of(after, key)
        if not new.migrated:
            return
        if old.fields[name].many and new.fields[name].many:
            alter_many(editor, old.many_named(name), new.many_named(name), before, after)
            return
        column = new.get(name)._replace(field=new.fields[name]._replace(options=with_default(new.fields[name], field)))
        project.note(new)
        alter_field(editor, Change(old, old.get(name), column, before, after))

    return project.state.with_field(key, name, kept), send


def _rename_field(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("model_name"))
    old_name, new_name = given.text("old_name"), given.text("new_name")
    old_name = actual(project.state.need(key).fields, old_name) or old_name

    def send(editor: Editor, before: State, after: State) -> None:
        old, new = model_of(before, key), model_of(after, key)
        if not new.migrated:
            return
        if new.fields[new_name].many:
            alter_many(editor, old.many_named(old_name), new.many_named(new_name), before, after)
        else:
            alter_field(editor, Change(old, old.get(old_name), new.get(new_name), before, after))

    return project.state.renamed_field(key, old_name, new_name), send


HANDLERS: dict[str, Handler] = {"AddField": _add_field, "RemoveField": _remove_field, "AlterField": _alter, "RenameField": _rename_field}
