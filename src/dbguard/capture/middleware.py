"""ASGI and WSGI middleware for development: every request is a unit of work, in one capture for the life of the process.

app = dbguard.capture.ASGIMiddleware(app)       # or WSGIMiddleware; folder=".dbguard"
A unit is named by its route where the framework tells it (Starlette, FastAPI, Django), else by the path without what may be values.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from typing import Any

from dbguard.capture import recorder
from dbguard.capture.recorder import without_values
from dbguard.capture.session import FOLDER, Recording, start

_recording: Recording | None = None


def _start_once(folder: str, with_values: bool) -> None:
    """The capture of this process; one that runs already, such as that of `dbguard capture`, gets the requests instead."""
    global _recording  # noqa: PLW0603 - one process, one capture
    if _recording is None and not recorder.sinks:
        _recording = start(folder, unit=recorder.Unit("outside of requests", "block"), with_values=with_values)
        atexit.register(_recording.stop)


class ASGIMiddleware:
    """Wraps an ASGI application."""

    def __init__(self, app: Any, folder: str = FOLDER, with_values: bool = False) -> None:
        self.app = app
        self._options = folder, with_values

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("type") not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        _start_once(*self._options)
        if recorder.in_named_unit():
            await self.app(scope, receive, send)
            return
        token = recorder.unit_now.set(recorder.Unit(lambda: _name_of_scope(scope), "request"))
        try:
            await self.app(scope, receive, send)
        finally:
            recorder.unit_now.reset(token)


def _name_of_scope(scope: Any) -> str:
    route = getattr(scope.get("route"), "path", None)
    return f"{scope.get('method', 'WEBSOCKET')} {route if isinstance(route, str) else without_values(scope.get('path', ''))}"


class WSGIMiddleware:
    """Wraps a WSGI application. What is sent while the response is iterated belongs to the request, too."""

    def __init__(self, app: Any, folder: str = FOLDER, with_values: bool = False) -> None:
        self.app = app
        self._options = folder, with_values

    def __call__(self, environ: Any, start_response: Any) -> Any:
        _start_once(*self._options)
        if recorder.in_named_unit():
            return self.app(environ, start_response)
        unit = recorder.Unit(f"{environ.get('REQUEST_METHOD', '')} {without_values(environ.get('PATH_INFO', ''))}", "request")
        token = recorder.unit_now.set(unit)
        try:
            response = self.app(environ, start_response)
        finally:
            recorder.unit_now.reset(token)
        return response if isinstance(response, (list, tuple)) else _Response(response, unit)


class _Response:
    """A response that is produced while it is sent."""

    def __init__(self, response: Any, unit: recorder.Unit) -> None:
        self._response = response
        self._unit = unit

    def __iter__(self) -> Iterator[Any]:
        parts = iter(self._response)
        while True:
            token = recorder.unit_now.set(self._unit)
            try:
                part = next(parts)
            except StopIteration:
                return
            finally:
                recorder.unit_now.reset(token)
            yield part

    def __getattr__(self, name: str) -> Any:  # `close`, where the response has one
        return getattr(self._response, name)
