"""Django: an execute wrapper on every connection, its transactions, its requests, and the frames that say what the ORM was doing.

Lazy loads are read from the frames of Django's own descriptors, managers, querysets and template nodes that stand between the
database and the user's code, so nothing of Django is replaced for them. Requests become units of work, named by their route.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import wraps
from importlib import import_module
from time import perf_counter
from typing import Any

from dbguard.capture import faults, frames, recorder
from dbguard.capture.hooks import Undo, replace
from dbguard.capture.hooks.django_frames import BUILT, watch_frames
from dbguard.capture.recorder import without_values


def install_backend(module: Any, undo: list[Undo]) -> None:
    signals = import_module("django.db.backends.signals")
    wrapper_of = module.BaseDatabaseWrapper

    def connected(connection: Any, **_: Any) -> None:
        try:
            _add(connection)
        except Exception as error:  # noqa: BLE001 - the host must not notice
            faults.note("django", error)

    signals.connection_created.connect(connected, weak=False, dispatch_uid="dbguard.capture")
    undo.append(lambda: signals.connection_created.disconnect(dispatch_uid="dbguard.capture"))
    undo.append(_take_out)
    replace(wrapper_of, "_commit", lambda original: _ending(original, "COMMIT"), undo)
    replace(wrapper_of, "_rollback", lambda original: _ending(original, "ROLLBACK"), undo)
    for connection in _connections():
        _add(connection)
    watch_frames(os.path.dirname(sys.modules["django"].__file__ or ""))


def _connections() -> list[Any]:
    """Connections of this thread that exist; those of other threads get their wrapper when they connect again."""
    home = sys.modules.get("django.db")
    with suppress(Exception):  # settings are not there yet
        return list(home.connections.all(initialized_only=True)) if home is not None else []
    return []


def _add(connection: Any) -> None:
    if _record not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _record)  # the user's own come and go at the end of the list


def _take_out() -> None:
    for connection in _connections():
        with suppress(ValueError):
            connection.execute_wrappers.remove(_record)


def _record(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    if not recorder.sinks:
        return execute(sql, params, many, context)
    pending = _before(sql, params, many, context)
    try:
        result = execute(sql, params, many, context)
    except BaseException as error:
        _failed(pending, error)
        raise
    _after(pending, context)
    return result


def _before(sql: Any, params: Any, many: bool, context: Any) -> recorder.Pending | None:
    try:
        connection = context["connection"]
        raw = connection.connection
        link = recorder.link_of(raw, "django", lambda: connection.alias)
        text = sql if isinstance(sql, str) else sql.as_string(raw) if hasattr(sql, "as_string") else str(sql)
        control = recorder.is_control(text)
        if (connection.in_atomic_block or not connection.autocommit) and not link.transaction:
            recorder.begin(link, place=3)
        pending = recorder.Pending(text, params, link)
        pending.raw = raw
        pending.control = control
        if many:
            pending.many = len(params) if hasattr(params, "__len__") else 1
        recorder.pending_now.set(pending)
        pending.started = perf_counter()
    except Exception as error:  # noqa: BLE001
        faults.note("django", error)
        return None
    return pending


def _after(pending: recorder.Pending | None, context: Any) -> None:
    now = perf_counter()
    if pending is None:
        return
    try:
        pending.seconds = now - pending.started
        cursor = context["cursor"].cursor
        pending.rows = cursor.rowcount
        result = getattr(cursor, "pgresult", None)
        if result is not None and result.ntuples and not pending.many:
            pending.shown = ("psycopg", result)
        recorder.finish(pending, place=3)
    except Exception as error:  # noqa: BLE001
        faults.note("django", error)


def _failed(pending: recorder.Pending | None, error: BaseException) -> None:
    if pending is None:
        return
    try:
        pending.seconds = perf_counter() - pending.started
        pending.error = recorder.error_of(error.__cause__ if error.__cause__ is not None else error)
        recorder.finish(pending, place=3)
    except Exception as fault:  # noqa: BLE001
        faults.note("django", fault)


def _ending(original: Any, command: str) -> Any:
    @wraps(original)
    def end(self: Any) -> Any:
        if recorder.sinks and self.connection is not None:
            try:
                link = recorder.known_link(self.connection)
                if link is not None:
                    recorder.end(link, command)
            except Exception as error:  # noqa: BLE001
                faults.note("django", error)
        return original(self)

    return end


def install_manager(module: Any, undo: list[Undo]) -> None:
    replace(module.BaseManager, "get_queryset", _begins_query, undo)


def _begins_query(original: Any) -> Any:
    """A queryset is often sent far from where it was put together: the line is kept in what its copies have in common."""

    @wraps(original)
    def get_queryset(self: Any) -> Any:
        queryset = original(self)
        if recorder.sinks:
            try:
                place = frames.nearest(2)
                if place is not None:
                    setattr(queryset.query, BUILT, place)
            except Exception as error:  # noqa: BLE001 - the host must not notice
                faults.note("django", error)
        return queryset

    return get_queryset


def install_handler(module: Any, undo: list[Undo]) -> None:
    handler = module.BaseHandler
    replace(handler, "get_response", _request, undo)
    replace(handler, "get_response_async", _request_async, undo)


def _request(original: Any) -> Any:
    @wraps(original)
    def get_response(self: Any, request: Any) -> Any:
        token = _open(request)
        try:
            return original(self, request)
        finally:
            _close(token)

    return get_response


def _request_async(original: Any) -> Any:
    @wraps(original)
    async def get_response_async(self: Any, request: Any) -> Any:
        token = _open(request)
        try:
            return await original(self, request)
        finally:
            _close(token)

    return get_response_async


def _open(request: Any) -> Any:
    """A unit for this request, if nothing more telling, such as a test, is the unit already."""
    if not recorder.sinks or recorder.in_named_unit():
        return None
    return recorder.unit_now.set(recorder.Unit(lambda: _name(request), "request"))


def _close(token: Any) -> None:
    if token is not None:
        try:
            recorder.unit_now.reset(token)
        except ValueError as error:
            faults.note("django", error)


def _name(request: Any) -> str:
    match = getattr(request, "resolver_match", None)
    route = getattr(match, "route", None)
    return f"{request.method} {route or without_values(request.path)}"
