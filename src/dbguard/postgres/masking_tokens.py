"""Tokens that stand for values: how many there are in, texts of the same type in ascending order out.

Tokens tell nothing but the order: the n values of a column are spread evenly over the range of its tokens. Words are made of
digits of one length, which every collation sorts alike.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache

from dbguard.model.record import Record

_LONGEST = 32  # characters of a word: nothing in a plan depends on more
_DIGITS = "0123456789"
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FIRST_DAY = date(2000, 1, 1)


class Shape(Record):
    """What tokens of a column have to look like."""

    family: str
    size: int = 0  # average length of the values, in characters
    most: int = 0  # characters that the type allows; 0: any number
    scale: int | None = None  # digits after the point, of numeric(p, s)
    digits: int = 0  # p of numeric(p, s)


def words(count: int, shape: Shape, prefix: str = "") -> list[str] | None:
    """`count` different words that start with `prefix`; None if the type has no room for them."""
    room = shape.most - len(prefix) if shape.most else _LONGEST
    for letters in (_DIGITS, _LETTERS):
        wanted = len(_written(count, letters)) + 1
        width = min(max(wanted, min(shape.size - len(prefix), _LONGEST, room)), room)
        core = min(wanted, width)
        if core > 0 and count <= len(letters) ** core:
            span = len(letters) ** core
            return [prefix + _written((2 * i + 1) * span // (2 * count), letters).rjust(core, "0").ljust(width, "0") for i in range(count)]
    return None


def _written(number: int, letters: str) -> str:
    if letters == _DIGITS:
        return str(number)
    text = ""
    while number:
        number, digit = divmod(number, len(letters))
        text = letters[digit] + text
    return text or "0"


@lru_cache(maxsize=2048)
def tokens(count: int, shape: Shape) -> list[str] | None:
    """`count` values of the type in ascending order; None if dbguard has no tokens for it, or not as many."""
    if shape.family == "word":
        return words(count, shape)
    make = _MAKERS.get(shape.family)
    return None if make is None else make(count, shape)


def _spread(count: int, bits: int) -> list[int] | None:
    return [(2 * i + 1) * (1 << bits) // (2 * count) for i in range(count)] if count <= 1 << bits else None


def _of_bits(bits: int, write: Callable[[int], str]) -> Callable[[int, Shape], list[str] | None]:
    def make(count: int, _: Shape) -> list[str] | None:
        numbers = _spread(count, bits)
        return None if numbers is None else [write(number) for number in numbers]

    return make


def _bytes(count: int, shape: Shape) -> list[str] | None:
    numbers = _spread(count, 32)
    width = 2 * max(4, min((shape.size - 2) // 2, 16))
    return None if numbers is None else [f"\\x{number:08x}".ljust(width + 2, "0") for number in numbers]


def _uuid(number: int) -> str:
    return f"{number >> 16:08x}-{number & 0xFFFF:04x}-4000-8000-000000000000"


def _numeric(count: int, shape: Shape) -> list[str] | None:
    if shape.scale is None:
        return [str(i) for i in range(1, count + 1)]
    if shape.scale < 0 or shape.scale > shape.digits or count >= 10**shape.digits:
        return None
    if shape.scale == 0:
        return [str(i) for i in range(1, count + 1)]
    return [f"{i // 10**shape.scale}.{i % 10**shape.scale:0{shape.scale}d}" for i in range(1, count + 1)]


def _times(count: int, _: Shape) -> list[str] | None:
    if count > 86_400:
        return None
    return [str(timedelta(seconds=86_400 * i // count)).rjust(8, "0") for i in range(count)]


def _quoted(quote: str) -> Callable[[int, Shape], list[str] | None]:
    def make(count: int, shape: Shape) -> list[str] | None:
        made = words(count, shape._replace(most=0))
        return None if made is None else [f"{quote}{word}{quote}" for word in made]

    return make


def _counted(write: Callable[[int], str]) -> Callable[[int, Shape], list[str] | None]:
    return lambda count, _: [write(i) for i in range(1, count + 1)] if count < 30_000 else None


_MAKERS: dict[str, Callable[[int, Shape], list[str] | None]] = {
    "bytea": _bytes,
    "uuid": _of_bits(48, _uuid),
    "inet": _of_bits(24, lambda number: f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"),
    "cidr": _of_bits(24, lambda number: f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32"),
    "macaddr": _of_bits(40, lambda number: ":".join(["02", *(f"{number:010x}"[at : at + 2] for at in range(0, 10, 2))])),
    "macaddr8": _of_bits(56, lambda number: ":".join(["02", *(f"{number:014x}"[at : at + 2] for at in range(0, 14, 2))])),
    "jsonb": _quoted('"'),
    "tsvector": _quoted("'"),
    "integer": _counted(str),
    "float": _counted(str),
    "numeric": _numeric,
    "date": _counted(lambda i: (_FIRST_DAY + timedelta(days=i)).isoformat()),
    "timestamp": _counted(lambda i: str(datetime(2000, 1, 1) + timedelta(hours=i))),  # noqa: DTZ001 - the type has no zone
    "timestamptz": _counted(lambda i: f"{datetime(2000, 1, 1) + timedelta(hours=i)}+00"),  # noqa: DTZ001 - written in UTC
    "time": _times,
    "interval": _counted(lambda i: f"{i} days"),
}
