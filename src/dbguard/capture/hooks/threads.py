"""Work that is handed over: to an executor, a thread or a task. In: the standard library's own classes. Out: frames that go on where the
work was handed over, and its unit of work.

What is handed over is run as it is; around it stands a frame of this file, at which a walk finds where the work comes from. Executors
are those of `concurrent.futures`, which asyncio's and asgiref's `sync_to_async` use, and asgiref's own.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from typing import Any

from dbguard.capture import faults, frames, recorder
from dbguard.capture.hooks import Undo, replace

_ORIGIN = "_dbguard_origin"
_of_task: ContextVar[frames.Origin | None] = ContextVar("dbguard_origin", default=None)


def install_executor(module: Any, undo: list[Undo]) -> None:
    replace(module.ThreadPoolExecutor, "submit", _submits, undo)
    frames.watch(_run.__code__.co_filename, {"_run": _hands_over})


def install_asgiref(module: Any, undo: list[Undo]) -> None:
    replace(module.CurrentThreadExecutor, "submit", _submits, undo)
    frames.watch(_run.__code__.co_filename, {"_run": _hands_over})


def install_thread(module: Any, undo: list[Undo]) -> None:
    replace(module.Thread, "start", _starts, undo)
    frames.watch(module.__file__, {"_bootstrap_inner": _started})


def install_tasks(module: Any, undo: list[Undo]) -> None:
    replace(module.BaseEventLoop, "create_task", _creates, undo)
    frames.watch(module.events.__file__, {"_run": _steps})


def _origin() -> frames.Origin | None:
    """Where the caller of a wrapper stands; None if that is nowhere in the user's code and in no unit of its own."""
    try:
        unit = recorder.unit_now.get()
        stack, _ = frames.here(3, unit, recorder.effective_unit, handed=True)
        if not stack.frames and unit is None:
            return None
        return frames.Origin(stack, unit, recorder.effective_unit())
    except Exception as error:  # noqa: BLE001 - the host must not notice
        faults.note("threads", error)
        return None


def _submits(original: Any) -> Any:
    @wraps(original)
    def submit(self: Any, fn: Any, /, *arguments: Any, **options: Any) -> Any:
        origin = _origin() if recorder.sinks else None
        if origin is None:
            return original(self, fn, *arguments, **options)
        return original(self, _run, origin, fn, *arguments, **options)

    return submit


def _run(origin: frames.Origin, fn: Any, /, *arguments: Any, **options: Any) -> Any:  # noqa: ARG001 - a walk reads it in the frame
    return fn(*arguments, **options)


def _hands_over(frame: Any, walk: frames.Walk) -> None:
    walk.origin = frame.f_locals["origin"]


def _starts(original: Any) -> Any:
    @wraps(original)
    def start(self: Any) -> Any:
        # Threads of an executor are started for whoever comes first, and serve all.
        if recorder.sinks and getattr(getattr(self, "_target", None), "__module__", "") != "concurrent.futures.thread":
            setattr(self, _ORIGIN, _origin())
        return original(self)

    return start


def _started(frame: Any, walk: frames.Walk) -> None:
    walk.origin = getattr(frame.f_locals.get("self"), _ORIGIN, None)


def _steps(_frame: Any, walk: frames.Walk) -> None:
    """A step of a task: what is further out is the loop that runs it."""
    walk.origin = _of_task.get()


def _creates(original: Any) -> Any:
    @wraps(original)
    def create_task(self: Any, coro: Any, **options: Any) -> Any:
        origin = _origin() if recorder.sinks and options.get("context") is None else None
        if origin is None:
            return original(self, coro, **options)
        token = _of_task.set(origin)
        try:
            return original(self, coro, **options)
        finally:
            _of_task.reset(token)

    return create_task
