"""Runs in the user's own Python: really migrates a throw-away PostgreSQL, and tells what each operation sent.

Really, not with `sqlmigrate`: Django looks names of constraints and indexes up in the database, so only a database that has
the earlier migrations gives the exact SQL. A statement that the server refuses (an extension that it does not have) is told
as it was sent, and the rest goes on. RunPython runs on empty tables, without network; if it fails, that says nothing about
the migration. What it writes is told, what it reads is not.
"""

# See driver.py: older Pythons, and other people's internals.
# ruff: noqa: BLE001, SLF001

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

_TABLE = re.compile(r"\b(?:TABLE|ON)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?\"?([\w.]+)", re.IGNORECASE)
_SILENT = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "SHOW", "EXPLAIN", "FETCH", "CLOSE", "DECLARE")


class _Deferred(list):  # type: ignore[type-arg]
    """Statements that an operation leaves for the end of its migration, with that operation."""

    def __init__(self, migrator: Migrator) -> None:
        super().__init__()
        self.migrator = migrator

    def append(self, item: Any) -> None:
        self.migrator.deferred[id(item)] = (item, self.migrator.current)
        super().append(item)

    def extend(self, items: Any) -> None:
        for item in items:
            self.append(item)


class Migrator:
    """Migrates one database, and keeps what is sent."""

    def __init__(self, request: dict[str, Any], tools: Any, alias: str, known: dict[str, set[int]]) -> None:
        self.request, self.tools, self.alias, self.known = request, tools, alias, known
        self.connection = tools.load("django.db").connections[alias]
        self.DatabaseError = tools.load("django.db").DatabaseError
        self.current: Any = None  # (number of the operation, place, whether it is a program)
        self.deferred: dict[int, Any] = {}
        self.blocks: list[dict[str, Any]] = []
        self.templates: set[Any] = set()  # statements of programs: each is told once, whatever its values
        self.editing = 0
        self.is_busy = False
        self.failure: str | None = None
        self.refused: list[str] = []
        self.lost: set[str] = set()  # tables that are not what they should be, since the server refused a statement

    def run(self) -> None:
        self._create_database()
        self._patch_editor()
        executor = self.tools.load("django.db.migrations.executor").MigrationExecutor(self.connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        executor.recorder.ensure_schema()
        state = executor._create_project_state(with_applied_migrations=True)
        with self.connection.execute_wrapper(self._watched):
            for migration, _ in plan:
                state = self._migrate(executor, migration, state)
        if self.alias == "default":
            self._tell_replaced(executor)
        if self.refused:
            more = " and " + str(len(self.refused) - 1) + " more" if len(self.refused) > 1 else ""
            self.tools.journal.note("the throw-away server refused " + self.refused[0] + more)

    def _create_database(self) -> None:
        name = "render_" + str(os.getpid()) + "_" + str(id(self))
        with self.connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE " + name + " TEMPLATE template0")
        self.connection.close()
        self.connection.settings_dict["NAME"] = name

    def _patch_editor(self) -> None:
        migrator = self
        original = self.connection.SchemaEditorClass

        class Editor(original):  # type: ignore[misc, valid-type]
            def __enter__(self) -> Any:
                entered = super().__enter__()
                entered.deferred_sql = _Deferred(migrator)
                return entered

            def execute(self, sql: Any, params: Any = ()) -> Any:
                with migrator.edited(sql):
                    return super().execute(sql, params)

        self.connection.SchemaEditorClass = Editor
        look_up = self.connection.introspection.get_constraints

        def get_constraints(cursor: Any, table: str) -> Any:
            if table in migrator.lost:
                raise RuntimeError("it looks up constraints of " + table + ", on which the throw-away server refused a statement")
            return look_up(cursor, table)

        self.connection.introspection.get_constraints = get_constraints

    @contextlib.contextmanager
    def edited(self, sql: Any) -> Iterator[None]:
        """What is sent inside is the migration's own; a deferred statement belongs to the operation that left it."""
        before = self.current
        if before is None and id(sql) in self.deferred:
            self.current = self.deferred[id(sql)][1]
        self.editing += 1
        try:
            yield
        finally:
            self.editing -= 1
            self.current = before

    def _migrate(self, executor: Any, migration: Any, state: Any) -> Any:
        module = sys.modules.get(migration.__module__)
        path = self.tools.places.path(getattr(module, "__file__", None) or "")
        self.blocks, self.failure, self.deferred, self.templates = [], None, {}, set()
        for number, operation in enumerate(migration.operations):
            self._watch(operation, (number, self._place(operation, path), False))
        if path is not None:
            self.tools.journal.tell("start", path=path)
        try:
            with self.tools.limited(self.request["seconds"]), self.tools.guard.strict():
                state = executor.apply_migration(state, migration)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.failure = self.failure or self.tools.reason(error)
            self._mend()
        if path is not None:
            self._tell(path, migration)
        return state

    def _place(self, operation: Any, path: str | None) -> Any:
        found = operation.__dict__.get("_dbguard_place")
        return found[1] if found is not None and found[0] == path else None

    def _mend(self) -> None:
        """An open transaction, or a lost connection, must not follow us into the next migration."""
        connection = self.connection
        with contextlib.suppress(Exception):
            connection.connection.close()
        connection.connection = None
        connection.in_atomic_block = connection.needs_rollback = connection.closed_in_transaction = False
        connection.savepoint_ids, connection.atomic_blocks, connection.run_on_commit = [], [], []
        self.current, self.editing, self.is_busy = None, 0, False

    def _tell(self, path: str, migration: Any) -> None:
        if self.failure is not None:
            self.tools.journal.tell("failed", path=path, reason=self.failure)
            return
        blocks = self.blocks
        told = {block["number"] for block in blocks}
        if path in self.known:  # another database: only what the ones before it did not do
            blocks = [block for block in blocks if block["number"] not in self.known[path]]
            if not blocks:
                return
        self.known.setdefault(path, set()).update(told)
        facts = [{"at": block["at"], "sql": block["sql"]} for block in blocks]
        self.tools.journal.tell("done", path=path, blocks=facts, transaction="one" if migration.atomic else "none")

    def _tell_replaced(self, executor: Any) -> None:
        """Migrations that a squashed one stands for do not run on a new database."""
        for migration in executor.loader.disk_migrations.values():
            for replaced in migration.replaces:
                old = executor.loader.disk_migrations.get(tuple(replaced))
                path = self.tools.places.path(getattr(sys.modules.get(old.__module__), "__file__", None) or "") if old else None
                if path is not None and path not in self.known:
                    self.tools.journal.tell("failed", path=path, reason=migration.name + " replaces it")

    def _watch(self, operation: Any, place: Any) -> None:
        """Have an operation say when it runs, and those inside it too."""
        program = type(operation).__name__ == "RunPython"
        number, at, _ = place
        for inner in getattr(operation, "database_operations", ()):
            own = inner.__dict__.get("_dbguard_place")
            self._watch(inner, (number, own[1] if own is not None and at is not None else at, False))
        forwards = type(operation).database_forwards

        def database_forwards(app_label: str, editor: Any, before: Any, after: Any) -> None:
            outer, self.current = self.current, (number, at, program)
            try:
                with self._savepoint(), self._limit(program):
                    forwards(operation, app_label, editor, before, after)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                if not program:
                    self.failure = self.failure or self.tools.reason(error)
            finally:
                self.current = outer

        operation.__dict__["database_forwards"] = database_forwards

    def _limit(self, program: bool) -> Any:
        """A program that does not end is left, and the rest of its migration still has time."""
        return self.tools.limited(self.request["seconds"] / 2) if program else contextlib.nullcontext()

    @contextlib.contextmanager
    def _savepoint(self) -> Iterator[None]:
        """Inside a transaction, what fails takes only itself back."""
        if not self.connection.in_atomic_block:
            yield
            return
        was_busy, self.is_busy = self.is_busy, True
        sid = self.connection.savepoint()
        self.is_busy = was_busy
        try:
            yield
        except BaseException:
            self.is_busy = True
            self.connection.needs_rollback = False
            self.connection.savepoint_rollback(sid)
            self.is_busy = was_busy
            raise
        self.is_busy = True
        self.connection.savepoint_commit(sid)
        self.is_busy = was_busy

    def _watched(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if self.is_busy or self.current is None:
            return execute(sql, params, many, context)
        if not self.editing:
            word = str(sql).lstrip("( \n\t").split(None, 1)[:1]
            if word and word[0].upper() not in _SILENT:
                self._record(sql, params, many, context)
            return execute(sql, params, many, context)
        self._record(sql, params, many, context)
        try:
            with self._savepoint():
                return execute(sql, params, many, context)
        except self.DatabaseError as error:
            self.lost.update(_TABLE.findall(str(sql)))
            self.refused.append("`" + str(sql).strip().split("\n")[0][:80] + "` (" + self.tools.reason(error) + ")")
            return None

    def _record(self, sql: Any, params: Any, many: bool, context: Any) -> None:
        number, at, program = self.current
        rows = list(params or ()) if many else [params]
        if program:
            if (number, str(sql)) in self.templates:
                return
            self.templates.add((number, str(sql)))
            rows = rows[:1]
        for row in rows:
            self.blocks.append({"number": number, "at": at, "sql": self._literal(sql, row, context)})

    def _literal(self, sql: Any, params: Any, context: Any) -> str:
        """A statement with its values written into it."""
        text = sql if isinstance(sql, str) else sql.as_string(self.connection.connection) if hasattr(sql, "as_string") else str(sql)
        if params is None:
            return text
        compose = getattr(self.connection.ops, "compose_sql", None)
        if compose is not None:
            return str(compose(text, params))
        whole = context["cursor"].cursor.mogrify(text, params)
        return whole.decode() if isinstance(whole, bytes) else str(whole)
