"""Operations on models: created, deleted, renamed, their tables and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbguard.reading.django.alter import Change, alter_field, alter_many
from dbguard.reading.django.arguments import Given, Unfollowed
from dbguard.reading.django.editor import Editor, plain_index
from dbguard.reading.django.fields import Field
from dbguard.reading.django.literals import is_list
from dbguard.reading.django.migration import MigrationModule
from dbguard.reading.django.models import Model, concrete, model_of
from dbguard.reading.django.outcome import Handler, Outcome, key_of
from dbguard.reading.django.state import Key, ModelState, State, reference, together_of
from dbguard.reading.python.values import Called, Symbol, Unknown, Value

if TYPE_CHECKING:
    from dbguard.reading.django.operations import Project

_SCHEMA_OPTIONS = (  # what AlterModelOptions takes away when it does not name it
    "base_manager_name", "default_manager_name", "default_related_name", "get_latest_by", "managed", "ordering", "permissions",
    "default_permissions", "select_on_save", "verbose_name", "verbose_name_plural",
)  # fmt: skip


def _create_model(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    name = given.text("name")
    fields: dict[str, Field] = {}
    for pair in given.rows("fields"):
        if is_list(pair) and len(pair) == 2 and isinstance(pair[0], str):
            fields[pair[0]] = project.field(pair[1])
        else:
            given.doubts.append(f"a field of `{name}` is not known")
    options = given.get("options")
    bases = tuple(base for one in given.rows("bases") if (base := _base(one, migration.app, project)))
    known = {str(key): value for key, value in options.items()} if isinstance(options, dict) else {}
    model = ModelState(migration.app, name, fields, known, bases)
    after = project.state.with_model(model)

    def send(editor: Editor, _before: State, after: State) -> None:
        made = model_of(after, model.key)
        if not isinstance(options, dict | None):
            editor.doubt("its options are not known")
        if made.migrated:
            editor.create_model(made)
            project.note(made)
            if editor.settings.version >= (5, 1):
                for names in together_of(known.get("index_together")):
                    editor.add(plain_index(made, [made.get(one).column for one in names], "_idx"))

    return after, send


def _base(value: Value, app: str, project: Project) -> str:
    """A base class that is a model of its own, as `app.model`; empty for a plain class."""
    if isinstance(value, str):
        return value if "." in value else f"{app}.{value}"
    if isinstance(value, Symbol) and value.path.rpartition(".")[2] != "Model" and value.path.startswith(("django.contrib.", "wagtail.")):
        key = reference(value, (app, ""), project.settings)
        if key is not None and project.state.get(key) is not None:
            return ".".join(key)
    return ""


def _delete_model(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("name"))

    def send(editor: Editor, before: State, _after: State) -> None:
        model = model_of(before, key)
        if model.migrated:
            editor.delete_model(model)

    return project.state.without(key), send


def _rename_model(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    old = key_of(project, migration, given.text("old_name"))
    after = project.state.renamed_model(old, given.text("new_name"))
    new = migration.app, given.text("new_name").lower()

    def send(editor: Editor, before: State, after: State) -> None:
        old_model, new_model = model_of(before, old), model_of(after, new)
        if not new_model.migrated:
            return
        editor.rename_table(old_model.table, new_model.table)
        _repoint(editor, before, after, old, new)
        for one, other in zip(old_model.many(), new_model.many(), strict=False):
            if other.through is not None and other.through.get(other.other).target is not None and _points_elsewhere(other.through, other.other, new):
                alter_many(editor, one, other, before, after)

    return after, send


def _points_elsewhere(rows: Model, name: str, key: Key) -> bool:
    target = rows.get(name).target
    return target is not None and target.key != key


def _repoint(editor: Editor, before: State, after: State, old: Key, new: Key) -> None:
    """Fields of all models that point to a renamed one: foreign keys get other names, many-to-many tables other columns."""
    for owner in before.models.values():
        key = new if owner.key == old else owner.key
        for name, field in owner.fields.items():
            if not (field.relation or field.many) or field.text("related_name").endswith("+") > field.many:
                continue
            to = reference(field.options.get("to"), owner.key, before.settings)
            if to is None or concrete(before, to) != old or owner.proxy:
                continue
            old_model, new_model = model_of(before, owner.key), model_of(after, key)
            if field.many:
                alter_many(editor, old_model.many_named(name), new_model.many_named(name), before, after)
            else:
                alter_field(editor, Change(new_model, old_model.get(name), new_model.get(name), before, after))


def _alter_table(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("name"))

    def send(editor: Editor, before: State, after: State) -> None:
        old, new = model_of(before, key), model_of(after, key)
        if new.migrated:
            editor.rename_table(old.table, new.table)
            for one, other in zip(old.many(), new.many(), strict=False):
                if one.through is not None and other.through is not None:
                    editor.rename_table(one.through.table, other.through.table)

    return project.state.with_options(key, db_table=given.get("table")), send


def _table_comment(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("name"))
    comment = given.get("table_comment")

    def send(editor: Editor, _before: State, after: State) -> None:
        model = model_of(after, key)
        if model.migrated:
            editor.comment_table(model, comment if isinstance(comment, str) else "")

    return project.state.with_options(key, db_table_comment=comment), send


def _options(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("name"))
    changes = given.get("options")
    changes = changes if isinstance(changes, dict) else {}
    model = project.state.need(key)
    kept = {name: value for name, value in model.options.items() if name not in _SCHEMA_OPTIONS or name in changes}
    return project.state.with_model(model._replace(options={**kept, **changes})), None


def _unchanged(project: Project, _migration: MigrationModule, _given: Given) -> Outcome:
    return project.state, None


def _order(project: Project, migration: MigrationModule, given: Given) -> Outcome:
    key = key_of(project, migration, given.text("name"))

    def send(editor: Editor, before: State, after: State) -> None:
        old, new = model_of(before, key), model_of(after, key)
        if not new.migrated:
            return
        had, has = (one.options.get("order_with_respect_to") is not None for one in (old, new))
        if had and not has:
            editor.remove_field(old, old.get("_order"))
        elif has and not had:
            column = new.get("_order")
            editor.add_field(old, column._replace(field=column.field.with_options(default=0)))

    return project.state.with_options(key, order_with_respect_to=given.get("order_with_respect_to")), send


def _together(option: str) -> Handler:
    def handler(project: Project, migration: MigrationModule, given: Given) -> Outcome:
        key = key_of(project, migration, given.text("name"))
        value = given.get(option)
        if isinstance(value, Unknown | Called):
            raise Unfollowed(f"`{option}` is not known")

        def send(editor: Editor, before: State, after: State) -> None:
            from dbguard.reading.django.together import alter_together

            model = model_of(after, key)
            if model.migrated:
                alter_together(editor, model, option, together_of(before.need(key).options.get(option)), together_of(value))

        return project.state.with_options(key, **{option: together_of(value)}), send

    return handler


HANDLERS: dict[str, Handler] = {
    "CreateModel": _create_model, "DeleteModel": _delete_model, "RenameModel": _rename_model, "AlterModelTable": _alter_table,
    "AlterModelTableComment": _table_comment, "AlterModelOptions": _options, "AlterModelManagers": _unchanged, "AlterOrderWithRespectTo": _order,
    "AlterUniqueTogether": _together("unique_together"), "AlterIndexTogether": _together("index_together"),
}  # fmt: skip
