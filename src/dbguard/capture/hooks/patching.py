"""What hooks that wrap a driver's methods have in common."""

from __future__ import annotations

from time import perf_counter

from dbguard.capture import faults, recorder


def failed(where: str, pending: recorder.Pending | None, error: BaseException) -> None:
    """A statement ended with an error. Its frames are those of whoever called the wrapper."""
    if pending is None:
        return
    try:
        pending.seconds = perf_counter() - pending.started
        pending.error = recorder.error_of(error)
        recorder.finish(pending, place=3)
    except Exception as fault:  # noqa: BLE001 - the host must not notice
        faults.note(where, fault)
