"""asyncpg: methods of its connections, prepared statements and cursors.

Its query logger belongs to one connection, is called later from the event loop, when the stack is gone, and knows neither rows nor
what prepared statements do; so the methods below its public ones are wrapped instead. Transactions are plain statements already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from time import perf_counter
from typing import Any

from dbguard.capture import faults, recorder
from dbguard.capture.hooks import Undo, replace
from dbguard.capture.hooks.patching import failed

_PARTIAL = "partial"
_RESET = "SELECT pg_advisory_unlock_all()"  # how a pool cleans a connection that comes back


class _Sent:
    """What one method sends: its text, parameters and number of rows of parameters. A cursor's first rows are not all (`partial`)."""

    __slots__ = ("connection", "many", "parameters", "partial", "sql")

    def __init__(self, connection: Any, sql: str, parameters: Any = None, many: int = 0, *, partial: bool = False) -> None:
        self.connection = connection
        self.sql = sql
        self.parameters = parameters
        self.many = many
        self.partial = partial


def install(module: Any, undo: list[Undo]) -> None:
    connection, statement = module.connection.Connection, module.prepared_stmt.PreparedStatement
    cursor = sys.modules["asyncpg.cursor"].BaseCursor
    replace(connection, "_execute", _wrapper(lambda self, query, arguments, *_, **__: _Sent(self, query, arguments)), undo)
    replace(connection, "execute", _wrapper(_simple), undo)
    replace(connection, "_executemany", _wrapper(lambda self, query, arguments, *_, **__: _Sent(self, query, None, _size(arguments))), undo)
    replace(connection, "_copy_in", _wrapper(lambda self, text, *_, **__: _Sent(self, text)), undo)
    replace(connection, "_copy_out", _wrapper(lambda self, text, *_, **__: _Sent(self, text)), undo)
    replace(connection, "copy_records_to_table", _wrapper(_copies), undo)
    replace(
        statement,
        "_PreparedStatement__bind_execute",
        _wrapper(lambda self, arguments, *_, **__: _Sent(self._connection, self._query, arguments)),
        undo,
    )
    for name in ("executemany", "fetchmany"):
        replace(statement, name, _wrapper(lambda self, arguments, *_, **__: _Sent(self._connection, self._query, None, _size(arguments))), undo)
    for name in ("_bind_exec", "_bind"):
        replace(cursor, name, _wrapper(lambda self, *_, **__: _Sent(self._connection, self._query, self._args, partial=True)), undo)


def _simple(self: Any, query: str, *arguments: Any, **_: Any) -> _Sent | None:
    """`execute` sends text without arguments itself and leaves the rest to `_execute`."""
    return None if arguments else _Sent(self, query)


def _copies(self: Any, table_name: str, *, columns: Any = None, schema_name: str | None = None, **_: Any) -> _Sent:
    """The COPY that the driver writes itself."""
    table = f'"{schema_name}"."{table_name}"' if schema_name else f'"{table_name}"'
    names = ", ".join(f'"{column}"' for column in columns or ())
    return _Sent(self, f"COPY {table}{f' ({names})' if names else ''} FROM STDIN (FORMAT binary)")


def _size(arguments: Any) -> int:
    return len(arguments) if hasattr(arguments, "__len__") else 1


def _wrapper(reader: Callable[..., _Sent | None]) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        @wraps(original)
        async def send(self: Any, *arguments: Any, **options: Any) -> Any:
            if not recorder.sinks:
                return await original(self, *arguments, **options)
            pending = _before(reader, self, arguments, options)
            try:
                result = await original(self, *arguments, **options)
            except BaseException as error:
                failed("asyncpg", pending, error)
                raise
            if pending is not None:
                _after(pending, result, getattr(self, "_last_status", None))
            return result

        return send

    return make


def _before(reader: Callable[..., _Sent | None], self: Any, arguments: Any, options: Any) -> recorder.Pending | None:
    try:
        sent = reader(self, *arguments, **options)
        if sent is None or sent.sql.startswith(_RESET):
            return None
        raw = getattr(sent.connection, "_con", sent.connection)  # below the proxy that a pool gives out
        if recorder.is_covered(raw):
            return None
        link = recorder.link_of(raw, "asyncpg", lambda: getattr(raw._params, "database", ""))  # noqa: SLF001 - nothing public tells
        pending = recorder.Pending(sent.sql, sent.parameters, link)
        pending.many = sent.many
        pending.raw = raw
        pending.context = _PARTIAL if sent.partial else None
        pending.control = recorder.is_control(sent.sql)
        if pending.control:
            if link.owner != "asyncpg":
                return None
            recorder.begins(link, sent.sql)
        pending.started = perf_counter()
    except Exception as error:  # noqa: BLE001 - the host must not notice
        faults.note("asyncpg", error)
        return None
    return pending


def _after(pending: recorder.Pending, result: Any, last_status: Any) -> None:
    pending.seconds = perf_counter() - pending.started
    try:
        status: Any = last_status
        if isinstance(result, tuple) and len(result) == 3:  # rows, status, whether that was all
            result, status = result[0], result[1]
        elif isinstance(result, str):
            result, status = None, result
        pending.rows = None if pending.context == _PARTIAL else _rows(result, status)
        if isinstance(result, list) and result and hasattr(result[0], "keys") and not pending.many:
            pending.shown = ("asyncpg", result)
        recorder.finish(pending, place=3)
        if pending.control:
            recorder.ends(pending.link, pending.sql)
    except Exception as error:  # noqa: BLE001
        faults.note("asyncpg", error)


def _rows(result: Any, status: Any) -> int | None:
    """Rows returned, or those that the status of a command counts: "UPDATE 3", "INSERT 0 2"."""
    if isinstance(result, list) and result:
        return len(result)
    text = status.decode("ascii", "replace") if isinstance(status, bytes) else status
    last = text.rpartition(" ")[2] if isinstance(text, str) else ""
    if last.isdigit():
        return int(last)
    return len(result) if isinstance(result, list) else None
