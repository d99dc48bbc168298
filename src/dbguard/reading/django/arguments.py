"""The arguments of a migration operation by name, whether they were given by position or by keyword."""

from __future__ import annotations

from typing import Any

from dbguard.model.record import Record
from dbguard.reading.django.followed import calls, does_nothing, executed, initialised
from dbguard.reading.django.literals import is_list
from dbguard.reading.django.migration import Settings
from dbguard.reading.django.state import Missing
from dbguard.reading.python.values import Attribute, Called, Local, Operator, Symbol, Unknown, Value

_PARAMETERS: dict[str, tuple[str, ...]] = {
    "CreateModel": ("name", "fields", "options", "bases", "managers"), "DeleteModel": ("name",), "RenameModel": ("old_name", "new_name"),
    "AlterModelTable": ("name", "table"), "AlterModelTableComment": ("name", "table_comment"), "AlterModelOptions": ("name", "options"),
    "AlterModelManagers": ("name", "managers"), "AlterOrderWithRespectTo": ("name", "order_with_respect_to"),
    "AlterUniqueTogether": ("name", "unique_together"), "AlterIndexTogether": ("name", "index_together"),
    "AddField": ("model_name", "name", "field", "preserve_default"), "RemoveField": ("model_name", "name"),
    "AlterField": ("model_name", "name", "field", "preserve_default"), "RenameField": ("model_name", "old_name", "new_name"),
    "AddIndex": ("model_name", "index"), "AddIndexConcurrently": ("model_name", "index"), "RemoveIndex": ("model_name", "name"),
    "RemoveIndexConcurrently": ("model_name", "name"), "RenameIndex": ("model_name", "new_name", "old_name", "old_fields"),
    "AddConstraint": ("model_name", "constraint"), "AddConstraintNotValid": ("model_name", "constraint"),
    "RemoveConstraint": ("model_name", "name"), "ValidateConstraint": ("model_name", "name"), "AlterConstraint": ("model_name", "name", "constraint"),
    "RunSQL": ("sql", "reverse_sql", "state_operations", "hints", "elidable"), "RunPython": ("code", "reverse_code", "atomic", "hints", "elidable"),
    "SeparateDatabaseAndState": ("database_operations", "state_operations"), "CreateExtension": ("name",),
    "CreateCollation": ("name", "locale"), "RemoveCollation": ("name", "locale"), "AddTrigger": ("model_name", "trigger"),
    "RemoveTrigger": ("model_name", "name"), "IgnoreMigration": (), "AddDefaultValue": ("model_name", "name", "value"),
    **dict.fromkeys(
        ["BloomExtension", "BtreeGinExtension", "BtreeGistExtension", "CITextExtension", "CryptoExtension", "HStoreExtension", "TrigramExtension",
         "UnaccentExtension"],
        (),
    ),
}  # fmt: skip
_MODULES = ("django.db.migrations.", "django.contrib.postgres.operations.", "pgtrigger.", "django_migration_linter.", "django_add_default_value.")
_DEEPEST = 8
_MOST_ROWS = 10_000


class Unfollowed(Missing):
    """An operation that is not followed."""


def is_operation(path: str) -> bool:
    """Whether a dotted path is an operation of Django or of a package that is known here."""
    return path.startswith(_MODULES) and path.rpartition(".")[2] in _PARAMETERS


class Given(Record):
    """The arguments of an operation. `doubts` takes what is not known of them."""

    values: dict[str, Value]
    doubts: list[str]
    place: tuple[int, int] = (0, 0)

    def get(self, name: str) -> Value:
        return self.values.get(name)

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            raise Unfollowed(f"its `{name}` is not known")
        return value

    def optional(self, name: str) -> str:
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def rows(self, name: str) -> list[Value]:
        """A list; of one that is put together from several, those that are known."""
        found: list[Value] = []
        waiting = [self.values.get(name)]
        while waiting:
            value = waiting.pop()
            if is_list(value):
                found += value
            elif isinstance(value, Operator) and value.name == "+" and len(found) < _MOST_ROWS:
                waiting += reversed(value.operands)
            elif value is not None:
                self.doubts.append(f"a part of its `{name}` is not known")
        return found


def operation_name(operation: Value) -> str:
    """What an operation is called where it is written."""
    if isinstance(operation, Unknown):
        return operation.reason
    target = operation.target if isinstance(operation, Called) else operation
    if isinstance(target, Symbol):
        return target.path.rpartition(".")[2]
    if isinstance(target, Local):
        return target.name
    return target.name if isinstance(target, Attribute) else "an operation"


class Bound(Record):
    """An operation: which of Django's it is, its arguments, and which halves of it run."""

    kind: str
    given: Given
    to_state: bool = True
    to_database: bool = True
    sql: tuple[str, ...] = ()  # that its own `database_forwards()` sends
    doubt: str = ""


class _Class(Record):
    """What the class of an operation is: Django's, or a project's that is based on one."""

    kind: str
    args: tuple[Value, ...]
    kwargs: dict[str, Value]
    to_state: bool = True
    to_database: bool = True
    sql: tuple[str, ...] = ()
    doubt: str = ""


def bind(operation: Value, settings: Settings) -> Bound:
    """Which of Django's operations it is, and its arguments by name."""
    if not isinstance(operation, Called):
        reason = operation.reason if isinstance(operation, Unknown) else "it is no call"
        raise Unfollowed(f"not known: {reason}")
    found = _class(operation.target, operation.args, operation.kwargs, settings, 0)
    if "**" in found.kwargs:
        raise Unfollowed("its arguments are not known")
    values = dict(zip(_PARAMETERS[found.kind], found.args, strict=False))
    return Bound(found.kind, Given({**values, **found.kwargs}, []), found.to_state, found.to_database, found.sql, found.doubt)


def _class(target: Any, args: tuple[Value, ...], kwargs: dict[str, Value], settings: Settings, depth: int) -> _Class:
    if isinstance(target, Symbol):
        name = target.path.rpartition(".")[2]
        if target.path.startswith(_MODULES) and name in _PARAMETERS:
            return _Class(name, args, kwargs)
        found = settings.resolve_class(target.path) if settings.resolve_class is not None and depth < _DEEPEST else None
        if found is not None:
            return _of_project(found.bases, found.members, found.interpreter, args, kwargs, settings, depth)
        raise Unfollowed(f"the operation `{target.path}` is not known")
    if isinstance(target, Local) and target.is_class and depth < _DEEPEST:
        bases, members = tuple(target.interpreter.bases(target)), target.interpreter.members(target)
        return _of_project(bases, members, target.interpreter, args, kwargs, settings, depth)
    raise Unfollowed("an operation that is not known")


def _of_project(  # noqa: PLR0917
    bases: tuple[Value, ...],
    members: dict[str, Value],
    interpreter: Any,
    args: tuple[Value, ...],
    kwargs: dict[str, Value],
    settings: Settings,
    depth: int,
) -> _Class:
    """A project's own operation: its base, with what its methods leave out."""
    args, kwargs = initialised(members, args, kwargs, interpreter)
    found = None
    for base in bases:
        try:
            found = _class(base, args, kwargs, settings, depth + 1)
            break
        except Unfollowed:
            continue
    if found is None:
        raise Unfollowed("an operation that is not based on one of Django's")
    if isinstance(method := members.get("state_forwards"), Local):
        found = found._replace(to_state=calls(method, "state_forwards"))
    if isinstance(method := members.get("database_forwards"), Local):
        found = found._replace(to_database=calls(method, "database_forwards"))
        if not found.to_database and not does_nothing(method):
            sql = executed(method)
            found = found._replace(sql=sql, doubt="its `database_forwards()` is a program of the project")
    return found
