"""A line on a terminal's standard error that tells how far a long run is."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

AFTER_SECONDS = 1.0
EVERY_SECONDS = 0.1


class Progress:
    """Call it with how many are done, and of how many. It says nothing in a short run, or when nobody watches."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._next = time.monotonic() + AFTER_SECONDS
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        if not self._watched or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        self._shown = True
        bar = "#" * (20 * done // max(total, 1))
        sys.stderr.write(f"\r\x1b[K  {bar:<20}  {done:,} of {total:,} migrations")
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
