"""`env.py` in, what it does to the connection and to the transactions of revisions out. It is walked as a syntax tree, never run.

What Alembic makes of it stands in alembic/runtime/migration.py: `MigrationContext.__init__` asks whether the connection is already
in a transaction (SQLAlchemy begins one at the first `execute`), and if so `begin_transaction` does nothing, and
`autocommit_block` fails on an assertion.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from dbguard.model.record import Record
from dbguard.reading.python import evaluate
from dbguard.reading.python.interpret import Hooks, Interpreter, Interrupted
from dbguard.reading.python.values import Attribute, Called, Local, Symbol, Unknown, Value

_EXECUTES = frozenset(["execute", "exec_driver_sql", "scalar", "scalars"])
_ENDS = frozenset(["commit", "rollback"])


class EnvFile(Record):
    """`external` says what has begun a transaction before Alembic does, as written; empty if nothing has."""

    per_migration: bool = False
    external: str = ""
    autocommits: bool = False  # every statement by itself
    sets_lock_timeout: bool = False
    include_schemas: bool = False
    metadata: Value = None
    interpreter: Interpreter | None = None


class _Connection:
    """A connection, and since when it is in a transaction: what began it, and under which unknown conditions."""

    def __init__(self) -> None:
        self.begun: tuple[str, tuple[int, ...]] | None = None
        self.autocommits = False


class _Configured(Record):
    options: dict[str, Any]
    external: str
    autocommits: bool


class _Walk(Interpreter):
    """`env.py`, both ways at a condition that is not known. `doubts` are those that hold where we are."""

    def __init__(self, text: str, hooks: _Watch) -> None:
        self.doubts: list[int] = []
        hooks.walk = self
        super().__init__(text, hooks, "env")

    def run(self, body: Iterable[ast.stmt], scope: dict[str, Value]) -> None:
        for statement in body:
            if isinstance(statement, ast.If) and evaluate.truth(self.value(statement.test, scope)) is None:
                for way, branch in enumerate((statement.body, statement.orelse)):
                    self.doubts.append(id(statement) * 2 + way)
                    super().run((one for one in branch if not isinstance(one, ast.Return | ast.Raise)), dict(scope) if way else scope)
                    self.doubts.pop()
            else:
                super().run((statement,), scope)


class _Watch(Hooks):
    def __init__(self) -> None:
        self.walk: _Walk | None = None
        self.configured: list[_Configured] = []
        self.autocommits = False

    def called(self, call: Called) -> Value:
        target = call.target
        if isinstance(target, Symbol):
            return self._function(target.path, call)
        if isinstance(target, Attribute):
            return self._method(target.base, target.name, call)
        return call

    def _function(self, path: str, call: Called) -> Value:
        module, _, name = path.rpartition(".")
        if module.endswith("context"):
            if name == "is_offline_mode":
                return False
            if name == "configure":
                self._configure(call)
                return None
        if "isolation_level" in call.kwargs and str(call.kwargs["isolation_level"]).upper() == "AUTOCOMMIT":
            self.autocommits = True
        for given in call.args:
            if isinstance(given, Local) and not given.is_class and path.partition(".")[0] in {"asyncio", "anyio", "trio"}:
                given.interpreter.call(given, call.args[1:])
        return call

    def _method(self, base: Value, name: str, call: Called) -> Value:
        if isinstance(base, _Connection):
            return self._on_connection(base, name, call)
        if name in {"connect", "begin"} and not (isinstance(base, Symbol) and base.path.endswith("context")):
            connection = _Connection()
            if name == "begin":
                self._begin(connection, call)
            return connection
        return call

    def _on_connection(self, connection: _Connection, name: str, call: Called) -> Value:
        if name in _EXECUTES or name in {"begin", "begin_nested"}:
            self._begin(connection, call)
        elif name in _ENDS:
            connection.begun = None
        elif name == "execution_options":
            connection.autocommits |= str(call.kwargs.get("isolation_level", "")).upper() == "AUTOCOMMIT"
            return connection
        elif name == "run_sync" and call.args and isinstance(call.args[0], Local):
            return call.args[0].interpreter.call(call.args[0], (connection, *call.args[1:]), call.kwargs)
        elif name in {"connect", "sync_connection", "connection"}:
            return connection
        return call

    def _begin(self, connection: _Connection, call: Called) -> None:
        if connection.begun is None and self.walk is not None:
            connection.begun = self.walk.source(call.node), tuple(self.walk.doubts)

    def _configure(self, call: Called) -> None:
        connection = call.kwargs.get("connection", call.args[0] if call.args else None)
        external, autocommits = "", self.autocommits
        if isinstance(connection, _Connection):
            autocommits |= connection.autocommits
            if connection.begun is not None and self.walk is not None:
                how, doubts = connection.begun
                if tuple(self.walk.doubts[: len(doubts)]) == doubts:
                    external = how
        if connection is not None or "url" not in call.kwargs:
            self.configured.append(_Configured(call.kwargs, external, autocommits))

    def enter(self, value: Value) -> Value:
        return value


def read_env(text: str) -> EnvFile:
    """Facts about the way `env.py` runs revisions online. A text that cannot be followed gives the defaults."""
    watch = _Watch()
    try:
        walk = _Walk(text, watch)
        if not watch.configured:
            _call_all(walk, watch)
    except Interrupted:
        return EnvFile(sets_lock_timeout="lock_timeout" in text)
    options: dict[str, Any] = {}
    for one in watch.configured:
        options |= {name: value for name, value in one.options.items() if not isinstance(value, Unknown)}
    return EnvFile(
        per_migration=options.get("transaction_per_migration") is True,
        external=next((one.external for one in watch.configured if one.external), ""),
        autocommits=options.get("transactional_ddl") is False or any(one.autocommits for one in watch.configured),
        sets_lock_timeout=_sets_lock_timeout(walk.module),
        include_schemas=options.get("include_schemas") is True,
        metadata=options.get("target_metadata", walk.names.get("target_metadata")),
        interpreter=walk,
    )


def _call_all(walk: _Walk, watch: _Watch) -> None:
    """What no call at module level reaches: each function by itself, with parameters that are not known."""
    for local in list(walk.names.values()):
        if isinstance(local, Local) and not local.is_class and "configure" in ast.dump(local.node):
            walk.start(local)
            if watch.configured:
                return


def _sets_lock_timeout(module: ast.Module) -> bool:
    """Whether any text but a docstring names it: `SET lock_timeout`, `-c lock_timeout=4s`, asyncpg's `server_settings`."""
    prose = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and "lock_timeout" in node.value and id(node) not in prose
        for node in ast.walk(module)
    )
