"""Calls of one revision's `upgrade()` or `downgrade()` in, blocks of SQL out.

Whatever goes through Alembic is printed by Alembic. What runs on the connection itself (`op.get_bind().execute(...)`) is printed by
SQLAlchemy. Programs that work on rows are recognised, and what they write is not guessed.
"""

from __future__ import annotations

import ast
from typing import Any

from dbguard.model.operations import AutocommitBlock
from dbguard.reading.alembic import facts, plugins
from dbguard.reading.alembic.constructs import Builder, Name, NotKnown, shown
from dbguard.reading.alembic.module import Bind, parts
from dbguard.reading.alembic.output import Output
from dbguard.reading.alembic.printer import Batch, Printer
from dbguard.reading.alembic.project import MISSING, Project
from dbguard.reading.alembic.running import bulk_insert, execute, refused
from dbguard.reading.python.interpret import Hooks
from dbguard.reading.python.values import Attribute, Called, Local, Symbol, Unknown, Value, is_known

OPERATIONS = frozenset([
    *("create_table", "drop_table", "rename_table", "create_table_comment", "drop_table_comment"),
    *("add_column", "drop_column", "alter_column", "create_index", "drop_index", "drop_constraint"),
    *("create_foreign_key", "create_unique_constraint", "create_check_constraint", "create_primary_key", "create_exclude_constraint"),
])  # fmt: skip
_EXECUTES = frozenset(["execute", "exec_driver_sql", "scalar", "scalars", "stream", "stream_scalars", "executemany"])
_THROUGH = frozenset(["connect", "cursor", "connection", "begin", "begin_nested", "get_bind", "begin_transaction", "raw_connection"])
_ORM = frozenset(["add", "add_all", "delete", "merge", "query", "get", "flush", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"])
_ORM_CLASSES = frozenset(["Session", "sessionmaker", "scoped_session", "AsyncSession"])
_NOT_FOLLOWED = frozenset(["logging", "json", "os", "re", "uuid", "datetime", "typing", "time", "sys", "loguru", "structlog", "secrets", "random"])
_BATCH = "alembic.op.batch_alter_table"
_DEEPEST = 8


class _Autocommit:
    """`autocommit_block()`, until it is left."""


class Reader(Hooks):
    """One script: what the interpreter meets goes to `output`."""

    def __init__(self, project: Project, printer: Printer, output: Output, broken_by: str) -> None:
        self.project = project
        self.printer = printer
        self.output = output
        self.builder = Builder(project)
        self.broken_by = broken_by
        self._depth = 0
        self._batches: list[Batch] = []
        printer.start_script()

    def called(self, call: Called) -> Value:
        target = call.target
        if type(target) is Symbol:
            return self._function(target.path, call)
        if type(target) is Attribute:
            return self._method(target, call)
        if isinstance(target, Called) and isinstance(target.target, Symbol) and target.target.path.rpartition(".")[2] in _ORM_CLASSES:
            return Bind(orm=True)
        if isinstance(parts(target)[-1], Unknown) and facts.may_act(call.node, self.output.current.module):
            self.output.add(call.node, unread=f"`{self.output.written(call.node)}` is not followed")
        return call

    def enter(self, value: Value) -> Value:
        if _is_batch(value):
            return self._open_batch(value)
        if isinstance(value, _Autocommit):
            self.output.autocommits += 1
        return value

    def leave(self, value: Value) -> None:
        if isinstance(value, _Autocommit):
            self.output.autocommits -= 1
        elif _is_batch(value) and self._batches:
            for node, sql, error in self._batches.pop().flush():
                self.output.add(node, sql, unread="" if error is None else refused(error))

    def doubt(self, node: ast.AST, reason: str) -> None:
        what = facts.guessed(self.output.current.module, node)
        if what == "schema":
            self.output.add(node, unread=reason)
        elif what:
            self.output.program(node, reason)

    # Functions.

    def _function(self, path: str, call: Called) -> Value:
        module, _, name = path.rpartition(".")
        if module == "alembic.op":
            return self._operation(plugins.GEOSPATIAL.get(name, name), call)
        if path.startswith("alembic."):
            return self._of_context(name, call) if "context" in module else call
        if path.startswith(("sqlalchemy.", "sqlmodel.")):
            return Bind(orm=True) if name in _ORM_CLASSES and name != "sessionmaker" else call
        return call if path.partition(".")[0] in _NOT_FOLLOWED else self._follow(call)

    def _follow(self, call: Called) -> Value:
        """A function of the project, found by file."""
        found = self.project.followed(call.target) if self._depth < _DEEPEST else MISSING
        if not isinstance(found, Local) or found.is_class:
            if any(isinstance(part, Bind) for part in call.args):
                self.output.program(call.node, f"`{shown(call.target)}` gets the connection and is not followed")
            return call
        interpreter, output = found.interpreter, self.output
        before = interpreter.hooks, output.outer, output.current, self._depth
        interpreter.hooks, output.outer, output.current, self._depth = self, output.outer or call.node, interpreter, self._depth + 1
        interpreter.steps = 0
        try:
            return interpreter.call(found, call.args, call.kwargs)
        finally:
            interpreter.hooks, output.outer, output.current, self._depth = before

    def _of_context(self, name: str, call: Called) -> Value:
        if name == "is_offline_mode":
            return False
        if name in {"get_context", "get_bind"}:
            return Bind()
        if name == "execute":
            return execute(call, self.output, self.builder, self.printer)
        return Unknown(f"`{name}` of the Alembic context", call.node)

    def _operation(self, name: str, call: Called) -> Value:
        if name in OPERATIONS:
            self._print(name, call)
        elif name == "execute":
            execute(call, self.output, self.builder, self.printer)
        elif name == "bulk_insert":
            bulk_insert(call, self.output, self.builder, self.printer)
        elif name in {"get_bind", "get_context"}:
            return Bind()
        elif name == "f":
            return _final(call)
        elif name not in {"batch_alter_table", "inline_literal"}:
            sql, reason = plugins.operation(name, call)
            self.output.add(call.node, sql, unread=reason)
        return call

    def _print(self, name: str, call: Called) -> None:
        try:
            args, kwargs = self._given(call)
            made, sql = self.printer.call(name, args, kwargs)
        except Exception as error:  # noqa: BLE001 - whatever Alembic says of a call belongs into the report
            self.printer.take()
            self.output.add(call.node, unread=refused(error))
            return
        if name == "create_table":
            self.builder.keep(call, made)
            sql = plugins.with_spatial_indexes(call, sql)
        self.output.add(call.node, sql, operations=self._defaults(name, call, None), unread=self.builder.taken_notes())

    def _given(self, call: Called) -> tuple[tuple[Any, ...], dict[str, Any]]:
        self.builder.notes.clear()
        kwargs = {name: one for name, one in call.kwargs.items() if not _makes_no_difference(name, one)}
        if "existing_type" in kwargs:
            kwargs["existing_type"] = self._existing(kwargs["existing_type"])
        if "**" in kwargs:
            raise NotKnown(getattr(kwargs["**"], "reason", "keywords that are not known"))
        args = tuple([self.builder.real(one) for one in call.args])
        return args, {name: self.builder.real(one) for name, one in kwargs.items()}

    def _existing(self, value: Value) -> Value:
        """The type that a column has had: it only matters where it stands for a CHECK constraint, so it need not be known."""
        before = len(self.builder.notes)
        try:
            self.builder.real(value)
        except Exception:  # noqa: BLE001 - it makes no difference
            return None
        del self.builder.notes[before:]
        return value

    def _defaults(self, name: str, call: Called, batch: Batch | None) -> tuple[Any, ...]:
        return facts.python_defaults(call, batch, self.output.current) if name == "add_column" else ()

    # Batches.

    def _open_batch(self, call: Called) -> Value:
        try:
            args, kwargs = self._given(call)
            batch = Batch(self.printer, args, kwargs)
        except Exception as error:  # noqa: BLE001 - whatever Alembic says of a call belongs into the report
            self.output.add(call.node, unread=refused(error))
            return call
        self._batches.append(batch)
        return batch

    def _in_batch(self, batch: Batch, name: str, call: Called) -> Value:
        if name == "f":
            return _final(call)
        if name == "execute":
            return execute(call, self.output, self.builder, self.printer)
        if name in {"get_bind", "get_context"}:
            return Bind()
        if name not in OPERATIONS:
            self.output.add(call.node, unread=f"`{name}` is no operation of Alembic's batches")
            return call
        try:
            args, kwargs = self._given(call)
            sql = batch.call(name, args, kwargs, call.node)
        except Exception as error:  # noqa: BLE001 - whatever Alembic says of a call belongs into the report
            self.output.add(call.node, unread=refused(error))
            return call
        self.output.add(call.node, sql, operations=self._defaults(name, call, batch), unread=self.builder.taken_notes())
        return call

    # Methods.

    def _method(self, target: Attribute, call: Called) -> Value:
        base, name = target.base, target.name
        if isinstance(base, Batch):
            return self._in_batch(base, name, call)
        chain = parts(base)
        bind = next((part for part in chain if isinstance(part, Bind)), None)
        if bind is not None:
            return self._on_bind(bind, name, call)
        given = (*call.args, *call.kwargs.values())
        if name in {"create", "drop"} and any(isinstance(part, Bind) for part in given):
            return self._create(base, name, call)
        if name in {"create_all", "drop_all"} and any(isinstance(part, Bind) for part in given):
            self.output.add(call.node, unread=f"`{shown(base)}.{name}` does what the models say when it runs")
        return Unknown(f"`.{name}()` of a value that is not known", call.node) if isinstance(chain[-1], Unknown) else call

    def _on_bind(self, bind: Bind, name: str, call: Called) -> Value:
        if name in _EXECUTES and not (bind.orm and not call.args):
            return execute(call, self.output, self.builder, self.printer, bind.alone)
        if name in {"commit", "rollback"}:
            if not bind.orm:
                self.output.add(call.node, name.upper())
            return None
        if name == "autocommit_block":
            return self._autocommit(call)
        if name == "execution_options":
            return Bind(alone=str(call.kwargs.get("isolation_level", "")).upper() == "AUTOCOMMIT", orm=bind.orm)
        if name in _THROUGH:
            return bind
        if bind.orm and name in _ORM:
            self.output.program(call.node, "a session of the ORM reads and writes rows", self.output.written(call.node))
        return Unknown(f"`.{name}()` of the connection", call.node)

    def _autocommit(self, call: Called) -> Value:
        """It fails in a transaction that Alembic has not begun, unless the connection has just committed it."""
        output = self.output
        works = output.has_committed or not self.broken_by
        output.autocommits += 1
        output.add(call.node, operations=(AutocommitBlock("" if works else self.broken_by),))
        output.autocommits -= 1
        return _Autocommit()

    def _create(self, base: Value, name: str, call: Called) -> Value:
        """`sa.Enum(...).create(bind)`, `table.create(bind)`, `index.drop(bind)`."""
        self.builder.notes.clear()
        checkfirst = call.kwargs.get("checkfirst", call.args[1] if len(call.args) > 1 else True)
        try:
            made = self.builder.real(base)
            sql = plugins.created(made() if isinstance(made, type) else made, name, checkfirst is not False, self.printer)
        except Exception as error:  # noqa: BLE001 - whatever SQLAlchemy says of a call belongs into the report
            self.printer.take()
            self.output.add(call.node, unread=refused(error))
            return None
        self.output.add(call.node, sql, unread=self.builder.taken_notes())
        return None


def _is_batch(value: Value) -> bool:
    return isinstance(value, Called) and isinstance(value.target, Symbol) and value.target.path == _BATCH


def _final(call: Called) -> Value:
    return Name(call.args[0]) if call.args and isinstance(call.args[0], str) else call


def _makes_no_difference(name: str, value: Value) -> bool:
    """What a column has had, but for its type, and defaults of Python, as far as they are not known."""
    return (name.startswith("existing_") or name in {"default", "onupdate", "info"}) and name != "existing_type" and not is_known(value)
