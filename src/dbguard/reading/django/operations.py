"""Migrations in, the SQL of each of their operations out: `Project.apply`."""

from __future__ import annotations

import ast
from typing import Any

from dbguard.model.source import Block
from dbguard.reading.django import on_fields, on_models, on_parts, special
from dbguard.reading.django.arguments import Given, Unfollowed, bind, operation_name
from dbguard.reading.django.catalog import Catalog
from dbguard.reading.django.editor import Editor
from dbguard.reading.django.expressions import Unreadable
from dbguard.reading.django.fields import Field, field_of
from dbguard.reading.django.literals import is_list
from dbguard.reading.django.migration import MigrationModule, Settings
from dbguard.reading.django.models import Model
from dbguard.reading.django.outcome import Handler, Outcome
from dbguard.reading.django.state import Missing, State
from dbguard.reading.python.values import Value

HANDLERS: dict[str, Handler] = {**on_models.HANDLERS, **on_fields.HANDLERS, **on_parts.HANDLERS}


class Project:
    """The models of a project, migration by migration, and the names of what its tables have."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.state = State(self.settings, {})
        self.catalog = Catalog()
        self.extensions: set[str] = set()
        self.removed: dict[tuple[str, str, str], State] = {}
        self.notes: dict[str, None] = {}
        """What was assumed, for the user to know."""

    def apply(self, migration: MigrationModule) -> tuple[Block, ...]:
        """The blocks of a migration, in the order they run: its operations, then what Django puts off to the end."""
        editor = Editor(self.settings, self.catalog)
        operations = migration.members.get("operations", [])
        blocks: list[Block] = []
        places: list[tuple[int, int]] = []
        if not is_list(operations):
            return (Block(0, 0, unread="the operations of this migration are a value that is not known"),)
        for number, operation in enumerate(operations):
            editor.sent, editor.unread, editor.origin = [], [], number
            places.append(_span(migration, operation))
            blocks += self._run(editor, migration, operation, places[-1])
        for number, sql in editor.flush():
            blocks.append(Block(*places[number], sql=sql))
        return tuple(blocks)

    def _run(self, editor: Editor, migration: MigrationModule, operation: Value, place: tuple[int, int]) -> list[Block]:
        """One operation. Nothing that a migration says may end the reading."""
        found: list[Block] = []
        try:
            found = self._operate(editor, migration, operation, place)
        except (Missing, Unreadable) as error:
            editor.doubt(error.reason)
        except RecursionError:
            editor.doubt("nested too deeply")
        except Exception as error:  # noqa: BLE001 - input is anything; what went wrong is said, never silent
            editor.doubt(f"could not be followed ({type(error).__name__}: {str(error)[:100]})")
        name = operation_name(operation)
        unread = f"{name}: {'; '.join(editor.unread)}" if editor.unread else ""
        sql = ";\n".join(editor.sent)
        if sql:
            found.insert(0, Block(*place, sql=sql))
        if unread:
            if found and not found[0].unread:
                found[0] = found[0]._replace(unread=unread)
            elif not found:
                found.append(Block(*place, unread=unread))
        return found

    def _operate(self, editor: Editor, migration: MigrationModule, operation: Value, place: tuple[int, int], *, database: bool = True) -> list[Block]:
        bound = bind(operation, self.settings)
        kind, given, database = bound.kind, bound.given._replace(place=place), database and bound.to_database
        editor.doubt(bound.doubt)
        for sql in bound.sql:
            editor.send(sql.rstrip().rstrip(";"))
        if kind == "SeparateDatabaseAndState":
            blocks = self._separate(editor, migration, given, place, database=database)
            self._doubts(editor, given)
            return blocks
        if kind in special.HANDLERS:
            blocks = special.HANDLERS[kind](self, editor, migration, operation, given, place) if database else []
            for inner in given.rows("state_operations") if kind == "RunSQL" else ():
                self._operate(editor, migration, inner, place, database=False)
            return blocks
        handler = HANDLERS.get(kind)
        if handler is None:
            raise Unfollowed(f"the operation `{operation_name(operation)}` is not known")
        before = self.state
        if not bound.to_state:
            before = self._as_before(migration, kind, given)
        after, send = self._handled(handler, migration, given, before)
        if bound.to_state:
            self.state = after
        if kind == "RemoveField" and not bound.to_database:
            self.removed[migration.app, given.text("model_name").lower(), given.text("name")] = before
        self._doubts(editor, given)
        if database and send is not None:
            return send(editor, before, after) or []
        return []

    @staticmethod
    def _doubts(editor: Editor, given: Given) -> None:
        for doubt in given.doubts:
            editor.doubt(doubt)

    def _handled(self, handler: Handler, migration: MigrationModule, given: Given, before: State) -> Outcome:
        current, self.state = self.state, before
        try:
            return handler(self, migration, given)
        finally:
            self.state = current

    def _as_before(self, migration: MigrationModule, kind: str, given: Given) -> State:
        """The state that an operation on the database only needs: a field that went from the state earlier is in it."""
        if kind != "RemoveField":
            return self.state
        return self.removed.get((migration.app, given.text("model_name").lower(), given.text("name")), self.state)

    def _separate(self, editor: Editor, migration: MigrationModule, given: Given, place: tuple[int, int], *, database: bool) -> list[Block]:
        """Database operations see a state of their own; afterwards only the state operations count."""
        before = self.state
        blocks: list[Block] = []
        if database:
            for inner in given.rows("database_operations"):
                span = _span(migration, inner)
                rest, editor.sent = editor.sent, []
                blocks += self._run(editor, migration, inner, span if span != (0, 0) else place)
                editor.sent, editor.unread = rest, []
        self.state = before
        for inner in given.rows("state_operations"):
            self._operate(editor, migration, inner, place, database=False)
        return blocks

    def field(self, value: Value) -> Field:
        return field_of(value, self.settings)

    def note(self, model: Model) -> None:
        for column in model.columns:
            if column.target is not None and column.target.assumed:
                self.notes[column.target.assumed] = None


def _span(migration: MigrationModule, operation: Value) -> tuple[int, int]:
    node = getattr(operation, "node", None)
    interpreter: Any = migration.interpreter
    if interpreter is None or not isinstance(node, ast.AST):
        return 0, 0
    try:
        start, end = interpreter.span(node)
    except (AttributeError, IndexError, ValueError):
        return 0, 0
    return int(start), int(end)
