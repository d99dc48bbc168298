"""JSON values out of a text that comes in portions: one a line, several in an array, or one large one; cut off or not.

In: text. Out: the objects at the top, or those inside of what is not whole.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

MOST_VALUE = 256 << 20
_BETWEEN = frozenset(" \t\r\n,[]\x1e")
_DECODER = json.JSONDecoder()


class Values:
    """`feed` and `close` give (line, object)."""

    def __init__(self, skipped: Counter[str]) -> None:
        self._skipped = skipped
        self._text = ""
        self._line = 1
        self._tried = 0  # length of what was tried in vain: it is tried again when there is twice as much

    def feed(self, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
        self._text += text
        if len(self._text) >= 2 * self._tried:
            yield from self._take(last=len(self._text) > MOST_VALUE)

    def close(self) -> Iterator[tuple[int, dict[str, Any]]]:
        yield from self._take(last=True)

    def _take(self, *, last: bool) -> Iterator[tuple[int, dict[str, Any]]]:
        text, position = self._text, 0
        counted = 0
        while True:
            position = _next(text, position)
            if position < 0:
                position = len(text)
                break
            try:
                value, end = _DECODER.raw_decode(text, position)
            except (ValueError, RecursionError):
                newline = text.find("\n", position)
                if not last and not _is_line(text, position, newline):
                    break
                self._skipped["JSON values that are not whole"] += 1
                position += 1  # what is whole inside of it is used
                continue
            self._line += text.count("\n", counted, position)
            counted = position
            if isinstance(value, dict):
                yield self._line, value
            position = end
        self._line += text.count("\n", counted, position)
        self._text = text[position:]
        self._tried = len(self._text)


def _next(text: str, position: int) -> int:
    """Where the next object begins, -1 if none does."""
    size = len(text)
    while position < size and text[position] in _BETWEEN:
        position += 1
    if position < size and text[position] == "{":
        return position
    return text.find("{", position)


def _is_line(text: str, position: int, newline: int) -> bool:
    """Whether the line is all there will be of it: the next line begins an object too."""
    return newline >= 0 and text.startswith("{", newline + 1) and (position == 0 or text[position - 1] == "\n")
