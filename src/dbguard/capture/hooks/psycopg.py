"""psycopg 3: methods of its cursor classes, sync and async, server-side ones and pipelines; and the commands that its transactions send.

What SQLAlchemy or Django send through a cursor is theirs: a call is recorded here only if no outer layer is sending on the connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, wraps
from time import perf_counter
from typing import Any

from dbguard.capture import faults, recorder
from dbguard.capture.hooks import Undo, replace
from dbguard.capture.hooks.patching import failed

_IDLE, _IN_TRANSACTION, _TUPLES = 0, 2, 2


def install(module: Any, undo: list[Undo]) -> None:
    for name in ("Cursor", "ServerCursor"):
        owner = getattr(module, name)
        replace(owner, "execute", _execute, undo)
        replace(owner, "executemany", _executemany, undo)
        replace(owner, "stream", _sent, undo)
        replace(owner, "copy", _sent, undo)
    for name in ("AsyncCursor", "AsyncServerCursor"):
        owner = getattr(module, name)
        replace(owner, "execute", _execute_async, undo)
        replace(owner, "executemany", _executemany_async, undo)
        replace(owner, "stream", _sent, undo)
        replace(owner, "copy", _sent, undo)
    base = next((kind for kind in module.Connection.__mro__ if "_exec_command" in vars(kind)), None)
    if base is not None:
        replace(base, "_exec_command", _command, undo)


def _execute(original: Any, *, many: bool = False) -> Any:
    @wraps(original)
    def execute(self: Any, *arguments: Any, **options: Any) -> Any:
        if not recorder.sinks:
            return original(self, *arguments, **options)
        pending = _before(self, arguments, options, many=many)
        arguments, counted = _counted(arguments) if many else (arguments, None)
        try:
            result = original(self, *arguments, **options)
        except BaseException as error:
            failed("psycopg", pending, error)
            raise
        _after(self, pending, counted)
        return result

    return execute


def _execute_async(original: Any, *, many: bool = False) -> Any:
    @wraps(original)
    async def execute(self: Any, *arguments: Any, **options: Any) -> Any:
        if not recorder.sinks:
            return await original(self, *arguments, **options)
        pending = _before(self, arguments, options, many=many)
        arguments, counted = _counted(arguments) if many else (arguments, None)
        try:
            result = await original(self, *arguments, **options)
        except BaseException as error:
            failed("psycopg", pending, error)
            raise
        _after(self, pending, counted)
        return result

    return execute


_executemany = partial(_execute, many=True)
_executemany_async = partial(_execute_async, many=True)


class _Counted:
    """An iterable of parameters that is gone through once, and how many there were."""

    def __init__(self, given: Any) -> None:
        self._given = given
        self.count = 0

    def __iter__(self) -> Iterator[Any]:
        for element in self._given:
            self.count += 1
            yield element


def _counted(arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
    """Arguments of executemany, and something that knows the number of rows; a generator is counted while the driver reads it."""
    if len(arguments) < 2 or hasattr(arguments[1], "__len__"):
        return arguments, None
    counted = _Counted(arguments[1])
    return (arguments[0], counted, *arguments[2:]), counted


def _sent(original: Any) -> Any:
    """Rows come one by one and stay the host's: what is known is that it was sent."""

    @wraps(original)
    def send(self: Any, *arguments: Any, **options: Any) -> Any:
        if recorder.sinks:
            pending = _before(self, arguments, options)
            if pending is not None:
                _finish(pending)
        return original(self, *arguments, **options)

    return send


def _finish(pending: recorder.Pending) -> None:
    try:
        recorder.finish(pending, place=3)
    except Exception as error:  # noqa: BLE001 - the host must not notice
        faults.note("psycopg", error)


def _before(cursor: Any, arguments: tuple[Any, ...], options: dict[str, Any], *, many: bool = False) -> recorder.Pending | None:
    try:
        raw = cursor.connection
        if recorder.is_covered(raw):
            return None
        query = arguments[0] if arguments else options.get("query")
        parameters = arguments[1] if len(arguments) > 1 else options.get("params", options.get("params_seq"))
        link = recorder.link_of(raw, "psycopg", lambda: raw.info.dbname)
        pending = recorder.Pending(_text(query, raw), parameters, link)
        pending.raw = raw
        if many:
            pending.many = len(parameters) if parameters is not None and hasattr(parameters, "__len__") else 1
        pending.control = recorder.is_control(pending.sql)
        if pending.control:
            recorder.begins(link, pending.sql)
        pending.started = perf_counter()
    except Exception as error:  # noqa: BLE001 - the host must not notice
        faults.note("psycopg", error)
        return None
    return pending


def _text(query: Any, raw: Any) -> str:
    if isinstance(query, str):
        return query
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    if hasattr(query, "as_string"):
        return str(query.as_string(raw))
    strings = getattr(query, "strings", None)  # a template string: what stands between its values
    return "%s".join(strings) if strings is not None else ""


def _after(cursor: Any, pending: recorder.Pending | None, counted: Any = None) -> None:
    now = perf_counter()
    if pending is None:
        return
    try:
        raw = pending.raw
        if counted is not None:
            pending.many = counted.count
        if not _is_pipelined(raw):
            pending.seconds = now - pending.started
            pending.rows = cursor.rowcount
            result = cursor.pgresult
            if result is not None and not pending.many and result.status == _TUPLES and result.ntuples:
                pending.shown = ("psycopg", result)
        recorder.finish(pending, place=3)
        if not _is_pipelined(raw) and pending.link.owner == "psycopg":
            recorder.is_at(pending.link, raw.pgconn.transaction_status)
    except Exception as error:  # noqa: BLE001
        faults.note("psycopg", error)


def _is_pipelined(raw: Any) -> bool:
    return bool(raw.pgconn.pipeline_status)


def _command(original: Any) -> Any:
    """BEGIN, COMMIT and the like, which psycopg sends without a cursor."""

    @wraps(original)
    def _exec_command(self: Any, command: Any, *arguments: Any, **options: Any) -> Any:
        if recorder.sinks:
            try:
                _controls(self, command)
            except Exception as error:  # noqa: BLE001 - the host must not notice
                faults.note("psycopg", error)
        return original(self, command, *arguments, **options)

    return _exec_command


def _controls(raw: Any, command: Any) -> None:
    sql = _text(command, raw)
    if not recorder.is_control(sql):
        return
    link = recorder.link_of(raw, "psycopg", lambda: raw.info.dbname)
    if link.owner != "psycopg" or recorder.is_covered(raw):
        return
    recorder.begins(link, sql)
    recorder.control(link, sql, place=4)
    recorder.ends(link, sql)
