"""Keyed hashes of values: equal where the values are, within one capture, and of no use without its key.

In: a value of a parameter or a row. Out: 16 hexadecimal digits (BLAKE2b, 8 bytes), "" for NULL, "?" where it is not known how the
value is written. A value is hashed as PostgreSQL writes it in text, so that a parameter equals the column it came from.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from hashlib import blake2b
from typing import Any

NULL, UNKNOWN = "", "?"
MOST_BYTES = 4_096
_MOST_REMEMBERED = 50_000


class Hasher:
    """Hashes with one key. What was hashed lately is remembered in memory, because keys of rows come again and again."""

    def __init__(self, key: bytes) -> None:
        self._start = blake2b(key=key, digest_size=8)
        self._known: dict[bytes, str] = {}
        self.known: dict[Any, str] = {}  # of whole numbers and short text; a hash is never empty, so `known.get(value) or of(value)` will do

    def of_text(self, text: bytes) -> str:
        """The hash of a value that is written already."""
        known = self._known.get(text)
        if known is not None:
            return known
        state = self._start.copy()
        state.update(text if len(text) <= MOST_BYTES else text[:MOST_BYTES] + str(len(text)).encode())
        found = state.hexdigest()
        if len(text) <= 64:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[text] = found
        return found

    def of(self, value: Any) -> str:
        """The hash of a Python value. A list is `[3]` and the hash of the whole, a list of one is `[1]` and the hash of its element."""
        if value is None:
            return NULL
        kind = type(value)
        if kind is int or kind is str:
            found = self.of_text(b"%d" % value if kind is int else value.encode("utf-8", "surrogatepass"))
            if kind is int or len(value) <= 64:
                if len(self.known) >= _MOST_REMEMBERED:
                    self.known.clear()
                self.known[value] = found
            return found
        if kind in {list, tuple, set, frozenset}:
            return self._of_many([self.of(element) for element in value])
        text = written(value)
        return UNKNOWN if text is None else self.of_text(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)

    def _of_many(self, hashes: list[str]) -> str:
        return f"[{len(hashes)}]{hashes[0] if len(hashes) == 1 else self.of_text(','.join(hashes).encode())}"


def written(value: Any) -> str | bytes | None:
    """A value as PostgreSQL writes it; None for types of others, whose methods are not called here."""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if type(value) is decimal.Decimal:
        return f"{value:f}"
    if type(value) is dt.datetime:
        return _moment(value)
    if type(value) is dt.date:
        return value.isoformat()
    if isinstance(value, uuid.UUID):  # asyncpg has a type of its own below it
        return uuid.UUID(int=value.int).__str__()
    return None


def _moment(value: dt.datetime) -> str:
    if value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    return value.isoformat(" ")
