"""A call such as `models.CharField(max_length=20)` in, a `Field` out: its kind and options, whoever defined the class."""

from __future__ import annotations

from typing import Any

from dbguard.model.record import Record
from dbguard.reading.django.followed import attributes, initialised, returned
from dbguard.reading.django.kinds import AUTO, EMPTY_TEXT, NO_COLUMN, RELATIONS, known
from dbguard.reading.django.migration import Settings
from dbguard.reading.python.values import Called, Local, Symbol, Unknown, Value

_POSITIONS: dict[str, tuple[str, ...]] = {
    "": ("verbose_name", "name", "primary_key", "max_length", "unique", "blank", "null", "db_index", "rel", "default", "editable", "serialize"),
    "ForeignKey": ("to", "on_delete", "related_name", "related_query_name", "limit_choices_to", "parent_link", "to_field", "db_constraint"),
    "OneToOneField": ("to", "on_delete", "to_field"),
    "ManyToManyField": ("to", "related_name", "related_query_name", "limit_choices_to", "symmetrical", "through", "through_fields"),
    "DecimalField": ("verbose_name", "name", "max_digits", "decimal_places"),
    "FileField": ("verbose_name", "name", "upload_to", "storage"),
    "DateField": ("verbose_name", "name", "auto_now", "auto_now_add"),
    "DateTimeField": ("verbose_name", "name", "auto_now", "auto_now_add"),
    "TimeField": ("verbose_name", "name", "auto_now", "auto_now_add"),
    "JSONField": ("verbose_name", "name", "encoder", "decoder"),
    "GenericIPAddressField": ("verbose_name", "name", "protocol", "unpack_ipv4"),
    "FilePathField": ("verbose_name", "name", "path", "match", "recursive", "allow_files", "allow_folders"),
    "ArrayField": ("base_field", "size"),
    "Geometry": ("verbose_name", "srid", "spatial_index"),
}
_UNSEEN = frozenset(  # options that have no part in the database
    [
        "blank",
        "choices",
        "db_column",
        "editable",
        "error_messages",
        "help_text",
        "limit_choices_to",
        "on_delete",
        "related_name",
        "related_query_name",
        "validators",
        "verbose_name",
    ]
)
_FLAGS = ("null", "unique", "db_index", "primary_key", "db_constraint")
_SET = frozenset(["max_length", "max_digits", "decimal_places", "null", "primary_key", "db_index"])
_DEEPEST = 12


class Field(Record):
    """A field as a migration writes it. `options` are its arguments by name, what its class sets unless told otherwise included."""

    path: str  # of its class, as written
    kind: str  # Django's internal type, or one of dbguard's own (kinds.py); "" if the class is not known
    options: dict[str, Value]
    type: str = ""  # database type of kind "Other"
    unread: str = ""  # why its database type is not known

    def flag(self, name: str) -> bool:
        return self.options.get(name) is True

    @property
    def null(self) -> bool:
        return self.flag("null")

    @property
    def primary_key(self) -> bool:
        return self.flag("primary_key")

    @property
    def unique(self) -> bool:
        return self.flag("unique") or self.primary_key

    @property
    def indexed(self) -> bool:
        return self.flag("db_index")

    @property
    def relation(self) -> bool:
        return self.kind in RELATIONS

    @property
    def many(self) -> bool:
        return self.kind == "ManyToManyField"

    @property
    def auto(self) -> bool:
        return self.kind in AUTO

    @property
    def has_default(self) -> bool:
        return "default" in self.options

    @property
    def has_db_default(self) -> bool:
        return "db_default" in self.options

    @property
    def constrained(self) -> bool:
        """Whether a foreign key is one in the database, too."""
        return self.options.get("db_constraint", True) is not False

    @property
    def empty_text(self) -> bool:
        return self.kind in EMPTY_TEXT or self.kind == "" or self.type in {"tsvector", "citext"}

    def text(self, name: str) -> str:
        value = self.options.get(name)
        return value if isinstance(value, str) else ""

    def without(self, *names: str) -> Field:
        return self._replace(options={name: value for name, value in self.options.items() if name not in names})

    def with_options(self, **options: Value) -> Field:
        return self._replace(options={**self.options, **options})


def seen(field: Field, *, ignore: frozenset[str] = frozenset()) -> dict[str, Value]:
    """The options that may matter to the database, in a form that can be compared."""
    return {name: value for name, value in field.options.items() if name not in _UNSEEN and name not in ignore and not _is_usual(name, value)}


def _is_usual(name: str, value: Value) -> bool:
    if name in {"null", "unique", "db_index", "primary_key", "auto_created", "unique_for_date"}:
        return value is False or value is None
    return (name == "db_constraint" and value is True) or (value is None and name in {"max_length", "db_tablespace", "to_field", "db_comment"})


def field_of(value: Value, settings: Settings) -> Field:
    """The field that a call makes. What is no field at all comes back as one that is not known."""
    if not isinstance(value, Called):
        reason = value.reason if isinstance(value, Unknown) else "no field"
        return Field("", "", {}, unread=f"a field that is not known: {reason}")
    options = dict(value.kwargs)
    unread = "" if "**" not in options else f"a field with {options.pop('**').reason}"
    return _follow(value.target, _Call(value.args, options, unread), settings)


class _Call(Record):
    """The call of a field class, on the way to the class that is known."""

    args: tuple[Value, ...]
    options: dict[str, Value]
    unread: str
    depth: int = 0


def _follow(target: Value, call: _Call, settings: Settings) -> Field:
    path = target.path if isinstance(target, Symbol) else getattr(target, "name", "") if isinstance(target, Local) else ""
    found = known(path, settings.version) if isinstance(target, Symbol) else None
    if found is not None:
        if found.kind == "CompositePrimaryKey":
            return Field(path, found.kind, {**call.options, "field_names": call.args}, "", call.unread)
        names = _POSITIONS.get(found.kind, _POSITIONS[""])
        given = {**found.defaults, **dict(zip(names, call.args, strict=False)), **call.options}
        given.pop("name", None)
        given |= {name: bool(given[name]) for name in _FLAGS if isinstance(given.get(name), str | int)}
        doubtful = next((name for name in _FLAGS if not isinstance(given.get(name), bool | None)), "")
        return Field(path, found.kind, given, found.type, call.unread or (f"`{doubtful}` of a {found.kind} is not known" if doubtful else ""))
    if call.depth < _DEEPEST:
        own = _of_project(target, call, settings)
        if own is not None:
            return own
    shown = path or "of an unknown class"
    return Field(path, "", call.options, unread=f"the field class `{shown}` is not known")


def _of_project(target: Value, call: _Call, settings: Settings) -> Field | None:
    """A field whose class the project defines: its base's, with what its methods say plainly."""
    if isinstance(target, Symbol) and settings.resolve_class is not None:
        found = settings.resolve_class(target.path)
        if found is None:
            return None
        path, bases, members, interpreter = target.path, found.bases, found.members, found.interpreter
    elif isinstance(target, Local) and target.is_class:
        interpreter = target.interpreter
        path, bases, members = target.name, tuple(interpreter.bases(target)), interpreter.members(target)
    else:
        return None
    args, options = initialised(members, call.args, call.options, interpreter)
    options = {**options, **attributes(members.get("__init__"), interpreter, _SET)}
    field = None
    for base in bases:
        candidate = _follow(base, _Call(args, dict(options), call.unread, call.depth + 1), settings)
        if candidate.kind or field is None:
            field = candidate
        if candidate.kind:
            break
    if field is None:
        return None
    return _overridden(field._replace(path=path), members, interpreter)


def _overridden(field: Field, members: dict[str, Value], interpreter: Any) -> Field:
    """With the type that `db_type()` or `get_internal_type()` of the project's class returns."""
    written = returned(members.get("db_type"), interpreter)
    if isinstance(written, str):
        return field._replace(kind="Other", type=written, unread="")
    if "db_type" in members:
        return field._replace(unread=f"the type of `{field.path}` is computed by its `db_type()`")
    internal = returned(members.get("get_internal_type"), interpreter)
    if isinstance(internal, str) and known(f"django.db.models.{internal}", (9, 0)) is not None:
        return field._replace(kind=internal, unread="")
    if field.kind == "" and field.unread:
        return field
    return field._replace(kind=NO_COLUMN) if field.kind == NO_COLUMN else field
