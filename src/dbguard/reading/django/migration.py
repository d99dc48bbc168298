"""What the project room knows of a migration and of its project, handed to the operations room (`Project.apply`).

Nothing here imports the project: values are those of the interpreter (dbguard.reading.python.values).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model.record import Record
from dbguard.model.source import Source
from dbguard.reading.python.values import Value


class MigrationModule(Record):
    """One migration file: the attributes of its `Migration` class, evaluated without running it."""

    app: str  # label
    name: str  # of the module: `0002_order_total`
    source: Source
    interpreter: Any  # Interpreter | None: whose text the nodes of `members` belong to
    members: dict[str, Value]  # dependencies, operations (a list of Called), atomic, replaces, run_before, initial


class ProjectClass(Record):
    """A class that the project defines, found by following imports statically.

    `bases` are evaluated in the module that defines it: Symbols, as a rule (again resolvable), or Local classes.
    """

    path: str  # dotted, where it is defined
    bases: tuple[Value, ...]
    members: dict[str, Value]  # attributes and methods of the class body, evaluated (methods are Local)
    interpreter: Any = None  # Interpreter of the module that defines it


class Settings(Record):
    """What a project's settings say about its migrations. The defaults are those of a project that `startproject` makes."""

    default_auto_field: str = "django.db.models.BigAutoField"
    auth_user_model: str = "auth.User"
    swappable: dict[str, str] = {}  # setting -> model, for others than AUTH_USER_MODEL  # noqa: RUF012
    version: tuple[int, int] = (5, 2)  # Django's
    default_tablespace: str = ""
    default_index_tablespace: str = ""
    values: dict[str, Value] = {}  # other settings that migrations read: `settings.TABLE_PREFIX`  # noqa: RUF012
    resolve_class: Callable[[str], ProjectClass | None] | None = None
    """A dotted path that a migration names (`shop.fields.MoneyField`) -> the class that the project defines there."""
    resolve_value: Callable[[str], Value] | None = None
    """A dotted path (`shop.constants.MAX_LENGTH`) -> its value if it is a literal of the project, else None."""
