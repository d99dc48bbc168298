"""How Django changes a column: what it drops first, the ALTER COLUMN actions, what it makes again."""

from __future__ import annotations

from dbguard.model.record import Record
from dbguard.reading.django import triggers
from dbguard.reading.django.additions import Addition
from dbguard.reading.django.columns import Column
from dbguard.reading.django.constraints import name_of
from dbguard.reading.django.defaults import effective
from dbguard.reading.django.definitions import db_default, has_db_default
from dbguard.reading.django.editor import Editor, foreign_key, plain_index, spatial, unique
from dbguard.reading.django.fields import Field, seen
from dbguard.reading.django.literals import is_list, literal
from dbguard.reading.django.models import Many, Model, relations
from dbguard.reading.django.names import hashed, quoted
from dbguard.reading.django.state import Key, Missing, State, reference
from dbguard.reading.python.values import Local, Unknown, Value

_TEXTS = ("varchar", "text", "citext")
_DEEPEST = 10


class Change(Record):
    """One field before and after. `model` is the model after the operation, or before it where Django uses that."""

    model: Model
    old: Column
    new: Column
    before: State
    after: State

    @property
    def table(self) -> str:
        return self.model.table

    @property
    def retyped(self) -> bool:
        return self.old.type != self.new.type

    @property
    def recollated(self) -> bool:
        return self.old.collation != self.new.collation


def should_be_altered(change: Change, *, ignore: frozenset[str] = frozenset()) -> bool:
    """Whether Django looks any further at a field that an operation alters."""
    old, new = change.old, change.new
    if old.column != new.column:
        return True
    old_options, new_options = (seen(one.field, ignore=ignore) for one in (old, new))
    for options, column, state in ((old_options, old, change.before), (new_options, new, change.after)):
        if "to" in options:
            options["to"] = reference(options["to"], column.model, state.settings) or options["to"]
    if old.target is not None and new.target is not None and old.target.table == new.target.table and change.after.settings.version >= (5, 0):
        old_options.pop("to", None)
        new_options.pop("to", None)
    return _path(old.field) != _path(new.field) or not _same(old_options, new_options)


def _path(field: Field) -> str:
    """A class path in the form that Django compares."""
    path = field.path
    for part in (".fields.related", ".fields.files", ".fields.json", ".fields.generated", ".fields.proxy", ".fields"):
        if path.startswith(f"django.db.models{part}."):
            return f"django.db.models.{path.rpartition('.')[2]}"
    return path


def _same(old: Value, new: Value) -> bool:
    """Whether two values that were read are the same. Calls are the same if they are written the same."""
    if isinstance(old, Unknown) or isinstance(new, Unknown):
        return isinstance(old, Unknown) and isinstance(new, Unknown) and old.reason == new.reason
    if isinstance(old, Local) or isinstance(new, Local):
        return isinstance(old, Local) and isinstance(new, Local) and old.name == new.name != "<lambda>"
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(value, new[name]) for name, value in old.items())
    if hasattr(old, "_fields") and hasattr(new, "_fields"):
        return type(old) is type(new) and all(_same(getattr(old, name), getattr(new, name)) for name in old._fields if name != "node")
    if is_list(old) and is_list(new):
        return len(old) == len(new) and all(map(_same, old, new))
    return bool(old == new) and isinstance(old, bool) is isinstance(new, bool)


def alter_field(editor: Editor, change: Change) -> None:
    """One column of a table is changed."""
    old, new = change.old, change.new
    if not old.type and not new.type:
        return
    if not old.type or not new.type:
        raise Missing(f"`{old.name}` cannot be altered between a column and a table of its own")
    editor.doubt(new.unread)
    if not should_be_altered(change):
        return
    dropped = _drop_own_keys(editor, change)
    _drop_unique(editor, change)
    related = _drop_incoming_keys(editor, change)
    _drop_indexes(editor, change)
    _drop_check(editor, change)
    if old.column != new.column:
        editor.send(f"ALTER TABLE {quoted(change.table)} RENAME COLUMN {quoted(old.column)} TO {quoted(new.column)}")
        editor.catalog.rename_column(change.table, old.column, new.column)
        editor.deferred = [one._replace(addition=one.addition.with_column(change.table, old.column, new.column)) for one in editor.deferred]
    needs_drop_default = _alter_column(editor, change)
    _after(editor, change, related, dropped=dropped, drop_default=needs_drop_default)
    _like_indexes(editor, change)
    _spatial_index(editor, change)


def _spatial_index(editor: Editor, change: Change) -> None:
    old, new = ((one.field.kind == "Geometry" and one.field.options.get("spatial_index") is not False) for one in (change.old, change.new))
    if new and not old:
        editor.add(spatial(change.model, change.new))
    elif old and not new:
        editor.drop_index(change.table, hashed(change.table, [change.old.column], "_id"))


def _constraint_names(model: Model, option: str) -> set[str]:
    return {name_of(value, model) for value in model.state.listed(option)}


def _guess(editor: Editor, table: str, found: list[str], usual: str) -> list[str]:
    """What is there on a table that migrations made, else what it is usually called."""
    return found if editor.catalog.knows(table) else [usual]


def _drop_own_keys(editor: Editor, change: Change) -> bool:
    old = change.old
    if old.target is None or not old.field.constrained or not should_be_altered(change, ignore=frozenset(["db_comment"])):
        return False
    names = editor.catalog.names(change.table, {"foreign key"}, [old.column])
    names = _guess(editor, change.table, names, foreign_key(change.table, old).called)
    for name in names:
        editor.drop_foreign_key(change.table, name)
    return bool(names)


def _drop_unique(editor: Editor, change: Change) -> None:
    old, new = change.old.field, change.new.field
    became_primary = not old.primary_key and new.primary_key
    if not old.unique or (new.unique and not became_primary):
        return
    without = _constraint_names(change.model, "constraints")
    names = editor.catalog.names(change.table, {"unique", "unique index"}, [change.old.column], without)
    for name in _guess(editor, change.table, names, f"{change.table}_{change.old.column}_key"):
        editor.drop_constraint(change.table, name)


class Related(Record):
    """A foreign key that points to a changing column, before and after."""

    old: Column
    new: Column
    model: Model


def _drop_incoming_keys(editor: Editor, change: Change) -> list[Related] | None:
    """Foreign keys to a key whose type changes go first. None if it does not change."""
    old, new = change.old.field, change.new.field
    if not ((old.primary_key and new.primary_key) or (old.unique and new.unique)) or not (change.retyped or change.recollated):
        return None
    found = related_fields(change)
    for one in found:
        for name in editor.catalog.names(one.model.table, {"foreign key"}, [one.new.column]):
            editor.drop_foreign_key(one.model.table, name)
    return found


def related_fields(change: Change) -> list[Related]:
    return list(_related(change.before, change.after, change.old, change.new, 0))


def _related(before: State, after: State, old: Column, new: Column, depth: int) -> list[Related]:
    if depth > _DEEPEST:
        return []
    pairs = zip(_relevant(before, old.model, old), _relevant(after, new.model, new), strict=False)
    found = []
    for (_, old_column), (new_model, new_column) in pairs:
        found.append(Related(old_column, new_column, new_model))
        if new_column.field.unique:
            found += _related(before, after, old_column, new_column, depth + 1)
    return found


def _relevant(state: State, key: Key, column: Column) -> list[tuple[Model, Column]]:
    found = [(name, model, one) for name, model, one in relations(state, key) if _points_to(one, column)]
    found.sort(key=lambda one: one[0])
    return [(model, one) for _, model, one in found]


def _points_to(key: Column, column: Column) -> bool:
    if key.to_field is None:
        return column.field.primary_key or (key.target is not None and key.target.name == column.name)
    return bool(key.to_field == column.name)


def _drop_indexes(editor: Editor, change: Change) -> None:
    old, new = change.old.field, change.new.field
    if not old.indexed or old.unique or (new.indexed and not new.unique):
        return
    without = _constraint_names(change.model, "indexes")
    names = editor.catalog.plain_indexes(change.table, [change.old.column], without)
    for name in _guess(editor, change.table, names, hashed(change.table, [change.old.column])):
        editor.drop_index(change.table, name)


def _drop_check(editor: Editor, change: Change) -> None:
    if not change.old.checked or _same_check(change):
        return
    without = _constraint_names(change.model, "constraints")
    names = editor.catalog.names(change.table, {"check"}, [change.old.column], without)
    for name in _guess(editor, change.table, names, f"{change.table}_{change.old.column}_check"):
        editor.drop_constraint(change.table, name)


def _same_check(change: Change) -> bool:
    if change.after.settings.version >= (5, 0):
        return change.old.checked == change.new.checked
    return change.old.check == change.new.check


def _alter_column(editor: Editor, change: Change) -> bool:
    """ALTER COLUMN: type, default and NOT NULL. Returns whether a default must be dropped at the end."""
    old, new, table = change.old, change.new, quoted(change.table)
    actions: list[str] = []
    after: list[str] = []
    if change.retyped or old.suffix != new.suffix or change.recollated or old.field.text("db_comment") != new.field.text("db_comment"):
        type_action, after = _type_action(editor, change)
        actions.append(type_action)
    actions += _db_default_actions(editor, change)
    needs_default = False
    default = effective(new, editor.settings)
    becomes_required = old.field.null and not new.field.null
    db_defaulted = has_db_default(new, editor.settings)
    if becomes_required and not db_defaulted and default.sql and default.differs(effective(old, editor.settings)):
        needs_default = True
        actions.append(f"ALTER COLUMN {quoted(new.column)} SET DEFAULT {default.sql.strip()}")
    null_action = ""
    if old.field.null != new.field.null:
        null_action = f"ALTER COLUMN {quoted(new.column)} {'DROP' if new.field.null else 'SET'} NOT NULL"
    four_way = becomes_required and (new.field.has_default or db_defaulted)
    if null_action and not four_way:
        actions.append(null_action)
    if actions:
        sql = f"ALTER TABLE {table} {', '.join(actions)}"
        for statement in triggers.around(change.model, new.column, sql) if change.retyped else [sql]:
            editor.send(statement)
    if four_way and (actions or null_action):
        value = db_default(editor, change.model, new)[0] if db_defaulted else default.sql.strip() or "NULL"
        column = quoted(new.column)
        editor.send(f"UPDATE {table} SET {column} = {value} WHERE {column} IS NULL; SET CONSTRAINTS ALL IMMEDIATE")
        editor.send(f"ALTER TABLE {table} {null_action}")
    for statement in after:
        editor.send(statement)
    return needs_default


def _db_default_actions(editor: Editor, change: Change) -> list[str]:
    old, new = change.old, change.new
    if has_db_default(new, editor.settings):
        if not has_db_default(old, editor.settings) or not _same(old.field.options["db_default"], new.field.options["db_default"]):
            return [f"ALTER COLUMN {quoted(new.column)} SET DEFAULT {db_default(editor, change.model, new)[0]}"]
    elif has_db_default(old, editor.settings):
        return [f"ALTER COLUMN {quoted(new.column)} DROP DEFAULT"]
    return []


def _type_action(editor: Editor, change: Change) -> tuple[str, list[str]]:
    """The change of type, and the statements that must follow it."""
    old, new, table = change.old, change.new, quoted(change.table)
    if changes_indexed_text(old, new):
        editor.drop_index(change.table, hashed(change.table, [old.column], "_like"))
    using = f" USING {quoted(new.column)}::{new.type}" if old.data_type != new.data_type and new.field.kind != "GeneratedField" else ""
    if old.field.kind == new.field.kind == "Geometry":
        using = _dimensions(old, new)
    if new.field.auto and not old.field.auto:
        if editor.settings.version < (4, 1):
            return f"ALTER COLUMN {quoted(new.column)} TYPE {_plain(new)}{using}", []
        action = f"ALTER COLUMN {quoted(new.column)} TYPE {new.type}{using}"
        editor.catalog.add_sequence(change.table, new.column)
        return action, [f"ALTER TABLE {table} ALTER COLUMN {quoted(new.column)} ADD GENERATED BY DEFAULT AS IDENTITY"]
    if old.field.auto and not new.field.auto and editor.settings.version >= (4, 1):
        editor.send(f"ALTER TABLE {table} ALTER COLUMN {quoted(new.column)} DROP IDENTITY IF EXISTS")
        editor.catalog.sequences.pop((change.table, old.column), None)
    after = _sequence(editor, change)
    if old.field.text("db_comment") != new.field.text("db_comment"):
        text = literal(new.field.text("db_comment")).strip()
        after.append(f"COMMENT ON COLUMN {table}.{quoted(new.column)} IS {text}")
    collation = f" COLLATE {quoted(new.collation)}" if new.collation else ""
    return f"ALTER COLUMN {quoted(new.column)} TYPE {_plain(new)}{collation}{using}", after


def _sequence(editor: Editor, change: Change) -> list[str]:
    """The sequence of an identity column gets the type of the column."""
    old, new = change.old, change.new
    name = editor.catalog.sequences.get((change.table, new.column))
    if not (old.field.auto and new.field.auto) or old.field.kind == new.field.kind or name is None:
        return []
    return [f"ALTER SEQUENCE IF EXISTS {quoted(name)} AS {_plain(new)}"]


def _plain(column: Column) -> str:
    return {"serial": "integer", "bigserial": "bigint", "smallserial": "smallint"}.get(column.type, column.type)


def _dimensions(old: Column, new: Column) -> str:
    before, after = (one.field.options.get("dim", 2) for one in (old, new))
    if before == after:
        return ""
    return f" USING ST_Force{after}D({quoted(new.column)})::{new.type}"


def changes_indexed_text(old: Column, new: Column) -> bool:
    """Whether a text column with an index for LIKE becomes something else."""
    if not (old.field.indexed or old.field.unique):
        return False
    return any(old.type.startswith(kind) and not new.type.startswith(kind) for kind in _TEXTS)


def _after(editor: Editor, change: Change, incoming: list[Related] | None, *, dropped: bool, drop_default: bool) -> None:
    """Keys, indexes and constraints that the changed column has now."""
    old, new, table = change.old, change.new, change.table
    if old.field.primary_key and not new.field.primary_key:
        for name in editor.catalog.names(table, {"primary key"}):
            editor.drop_constraint(table, name)
    if not new.field.primary_key and new.field.unique and (not old.field.unique or old.field.primary_key):
        editor.add(unique(table, [new.column]))
    if (not old.field.indexed or old.field.unique) and new.field.indexed and not new.field.unique:
        editor.add(plain_index(change.model, [new.column]))
    updated = list(incoming or [])
    if not old.field.primary_key and new.field.primary_key:
        editor.add(Addition("primary key", table, (new.column,)))
        updated += related_fields(change)
    for one in updated:
        _retype_related(editor, one)
    if new.target is not None and new.field.constrained and (dropped or old.target is None or not old.field.constrained):
        editor.add(foreign_key(table, new))
    for one in updated if incoming is not None else ():
        if one.new.field.constrained and one.new.target is not None:
            editor.add(foreign_key(one.model.table, one.new, "_fk"))
    if not _same_check(change) and new.checked:
        name = hashed(table, [new.column], "_check")
        editor.add(Addition("check", table, (new.column,), name=name, check=new.check))
    if drop_default:
        editor.send(f"ALTER TABLE {quoted(table)} ALTER COLUMN {quoted(new.column)} DROP DEFAULT")


def _retype_related(editor: Editor, one: Related) -> None:
    using = ""
    if one.old.data_type != one.new.data_type:
        using = f" USING {quoted(one.new.column)}::{one.new.type}"
    if changes_indexed_text(one.old, one.new):
        editor.drop_index(one.model.table, hashed(one.model.table, [one.old.column], "_like"))
    collation = f" COLLATE {quoted(one.new.collation)}" if one.new.collation else ""
    editor.send(f"ALTER TABLE {quoted(one.model.table)} ALTER COLUMN {quoted(one.new.column)} TYPE {one.new.type}{collation}{using}")


def _like_indexes(editor: Editor, change: Change) -> None:
    old, new = change.old, change.new
    became_indexed = not (old.field.indexed or old.field.unique) and new.field.indexed
    became_unique = not old.field.unique and new.field.unique
    retyped = changes_indexed_text(old, new) and editor.settings.version >= (5, 2)
    if became_indexed or became_unique or retyped:
        like = editor.like_index(change.model, new)
        if like is not None:
            editor.add(like)
    if old.field.unique and not (new.field.indexed or new.field.unique):
        editor.drop_index(change.table, hashed(change.table, [old.column], "_like"))


def alter_many(editor: Editor, old: Many, new: Many, before: State, after: State) -> None:
    """The table of a many-to-many field: its name, and what its columns are called and point to."""
    if old.through is None or new.through is None:
        return
    editor.rename_table(old.through.table, new.through.table)
    for old_name, new_name in ((old.other, new.other), (old.own, new.own)):
        change = Change(new.through, old.through.get(old_name), new.through.get(new_name), before, after)
        alter_field(editor, change)
