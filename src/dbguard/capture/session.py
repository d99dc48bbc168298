"""Recordings: `record`, `unit`, `limit`, and the capture that a parent process hands to its children.

In: where to write. Out: capture files. Hooks are put in with the first listener and taken out with the last.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from dbguard.capture import faults, hooks, recorder, texts
from dbguard.capture.file import FileSink
from dbguard.capture.frames import Stack

FOLDER = ".dbguard"
ENVIRONMENT = "DBGUARD_CAPTURE"
_lock = threading.RLock()
_forking = False


class Recording:
    """One capture while it runs, and where it went. `paths` are the files of this process."""

    def __init__(self, sink: FileSink) -> None:
        self._sink = sink
        self._faults = dict(faults.counts)
        self.errors: dict[str, int] = {}

    @property
    def path(self) -> str:
        return self._sink.path

    @property
    def calls(self) -> int:
        return self._sink.calls

    @property
    def unit(self) -> recorder.Unit:
        """The unit of every call that no context claims. May be set while the capture runs."""
        return self._sink.unit

    @unit.setter
    def unit(self, unit: recorder.Unit) -> None:
        self.flush()
        self._sink.unit = unit

    def start(self) -> None:
        listen(self._sink)

    def flush(self) -> None:
        """Write what waits, so that a process that is killed now loses nothing."""
        try:
            self._sink.flush()
        except OSError as error:
            faults.note("file", error)

    def stop(self) -> None:
        forget(self._sink)
        self.errors = faults.report(self._faults)
        self._sink.close(self.errors)


def listen(sink: Any) -> None:
    """Hand every call to `sink` from now on."""
    global _forking  # noqa: PLW0603 - handlers of fork cannot be taken back
    with _lock:
        recorder.add(sink)
        hooks.install()
        if not _forking and hasattr(os, "register_at_fork"):
            _forking = True
            os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def forget(sink: Any) -> None:
    with _lock:
        recorder.remove(sink)
        if not recorder.sinks:
            hooks.remove()


def _before_fork() -> None:
    _tell_all("flush")


def _tell_all(name: str) -> None:
    for sink in recorder.sinks:
        try:
            getattr(sink, name, lambda: None)()
        except Exception as error:  # noqa: BLE001 - the host must not notice
            faults.note(name, error)


def _after_fork() -> None:
    _tell_all("after_fork")
    processes = sys.modules.get("multiprocessing.util")
    if processes is not None:  # its children end without running what is registered with atexit
        processes.Finalize(None, _tell_all, args=("flush",), exitpriority=-100)


def new_name() -> str:
    """A name for a capture: when it began, and something of its own."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(3).hex()}"


def start(
    folder: str = FOLDER, *, unit: recorder.Unit, path: str = "", capture: str = "", key: bytes = b"", root: str = "", with_values: bool = False
) -> Recording:
    """Begin a capture that lasts until `stop`."""
    recording = Recording(
        FileSink(
            os.path.abspath(folder),
            capture or new_name(),
            key or os.urandom(16),
            unit=unit,
            root=root or os.getcwd(),
            with_values=with_values,
            path=os.path.abspath(path) if path else "",
        )
    )
    recording.start()
    return recording


@contextmanager
def record(path: str | os.PathLike[str] | None = None, unit: str = "record", with_values: bool = False) -> Iterator[Recording]:
    """Record what is sent inside the block, in all threads and tasks of this process.

    `path` is a folder (`.dbguard` by default) or a file that ends in `.jsonl`. `unit` names the unit of work for what has no other.
    `with_values` writes values of parameters besides their hashes.
    """
    given = os.fspath(path) if path is not None else FOLDER
    is_file = given.endswith(".jsonl")
    recording = start("" if is_file else given, path=given if is_file else "", unit=recorder.Unit(unit, "block"), with_values=with_values)
    try:
        yield recording
    finally:
        recording.stop()


@contextmanager
def unit(name: str, kind: str = "task") -> Iterator[None]:
    """Make what is sent inside the block, and in tasks that start in it, a unit of work of its own. Costs nothing while nothing is recorded."""
    opener = sys._getframe(2)  # noqa: SLF001 - whose loops outside of the block repeat units of work, not what they send
    token = recorder.unit_now.set(recorder.Unit(name, kind, opener=(opener.f_code, opener.f_lineno)))
    del opener
    try:
        yield
    finally:
        recorder.unit_now.reset(token)


_limits: ContextVar[tuple[Any, ...]] = ContextVar("dbguard_limits")
MOST_SHAPES = 20


class _Limit:
    """Counts calls of one context; those of bare threads, which have none, are everyone's."""

    def __init__(self, queries: int) -> None:
        self.queries = queries
        self.count = 0
        self.shapes: dict[tuple[str, Stack], int] = {}

    def take(self, pending: recorder.Pending) -> None:
        if pending.control or texts.is_catalog(pending.sql) or self not in _limits.get((self,)):
            return
        self.count += 1
        place = (pending.sql, pending.stack)
        if place in self.shapes or len(self.shapes) < 1_000:
            self.shapes[place] = self.shapes.get(place, 0) + 1

    def message(self) -> str:
        lines = [f"{self.count} queries were sent, at most {self.queries} may be:"]
        most = sorted(self.shapes.items(), key=lambda item: -item[1])
        for (sql, stack), count in most[:MOST_SHAPES]:
            text = " ".join(sql.split())
            lines.append(f"  {count} x {text[:200]}{'...' if len(text) > 200 else ''}")
            for number, (path, line, function) in enumerate(stack.frames[:3]):
                shown = os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path
                lines.append(f"      {shown}:{line} in {function}{'  (in a loop)' if number == stack.loop else ''}")
        if len(most) > MOST_SHAPES:
            lines.append(f"  and {len(most) - MOST_SHAPES} more")
        return "\n".join(lines)


@contextmanager
def limit(queries: int) -> Iterator[None]:
    """Raise AssertionError, which lists the statements and their places, if more than `queries` are sent inside the block.

    BEGIN, COMMIT, savepoints and what drivers ask the catalog when they connect are not counted.
    """
    sink = _Limit(queries)
    token = _limits.set((*_limits.get(()), sink))
    listen(sink)
    try:
        yield
    finally:
        forget(sink)
        _limits.reset(token)
    if sink.count > queries:
        raise AssertionError(sink.message())


def environment(folder: str, *, with_values: bool = False, root: str = "") -> dict[str, str]:
    """Environment variables that make a Python process, and its children, write to one capture in `folder`."""
    capture = {
        "folder": os.path.abspath(folder),
        "capture": new_name(),
        "key": os.urandom(16).hex(),
        "root": os.path.abspath(root or os.getcwd()),
        "values": with_values,
    }
    first = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")
    rest = os.environ.get("PYTHONPATH", "")
    return {ENVIRONMENT: json.dumps(capture), "PYTHONPATH": first + (os.pathsep + rest if rest else "")}


def start_from_environment() -> Recording | None:
    """Begin what a parent process asked for. The recording ends with the process."""
    given = os.environ.get(ENVIRONMENT)
    if not given:
        return None
    try:
        asked = json.loads(given)
        recording = start(
            asked["folder"],
            capture=asked["capture"],
            key=bytes.fromhex(asked["key"]),
            root=asked["root"],
            with_values=bool(asked["values"]),
            unit=recorder.Unit(_program, "process"),
        )
    except (ValueError, KeyError, TypeError, OSError) as error:
        faults.note("environment", error)
        return None
    import atexit

    atexit.register(recording.stop)
    return recording


def _program() -> str:
    """The name of the program; arguments may be values, except for the verb of `manage.py`."""
    program, *rest = [*sys.argv, ""]
    name = os.path.basename(program) or "python"
    if name == "__main__.py":
        name = os.path.basename(os.path.dirname(program))
    return f"{name} {rest[0]}".strip() if name in {"manage.py", "django-admin"} else name
