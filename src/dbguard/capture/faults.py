"""Errors inside the recorder: counted, kept from the host, reported once at the end."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress

_lock = threading.Lock()
counts: dict[str, int] = {}
_MOST_KINDS = 50


def note(where: str, error: BaseException) -> None:
    """Count an error. Only its type is kept: a message may hold a value."""
    kind = f"{where}: {type(error).__name__}"
    with _lock:
        if kind in counts or len(counts) < _MOST_KINDS:
            counts[kind] = counts.get(kind, 0) + 1


def report(since: dict[str, int]) -> dict[str, int]:
    """What was counted after `since` was taken, told on standard error if there is any."""
    new = {kind: count - since.get(kind, 0) for kind, count in list(counts.items()) if count > since.get(kind, 0)}
    if new:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(new.items()))
        with suppress(OSError, ValueError, AttributeError):
            print(f"dbguard capture: {sum(new.values())} errors inside the recorder, whose calls are missing: {kinds}", file=sys.stderr)  # noqa: T201
    return new
