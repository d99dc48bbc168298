"""Arrays as PostgreSQL writes them, `{1,2,"a b",NULL}`: text in, elements out, and back (array_in, array_out in arrayfuncs.c)."""

from __future__ import annotations

import re

_ELEMENT = re.compile(r'("(?:[^"\\]|\\.)*"|(?:[^,"\\{}]|\\.)*)[,}]', re.DOTALL)
_SPECIAL = re.compile(r'["\\{}]')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_QUOTE = re.compile(r'[\s"\\{},]|^$|^null$', re.IGNORECASE)
_TO_QUOTE_ANYWHERE = re.compile(r'[\s"\\{}]|null', re.IGNORECASE)


def parse(text: str) -> list[str | None]:
    """The elements of an array of one dimension. Raises ValueError for anything else.

    In statistics an element that is itself an array is quoted, so an array of arrays has one dimension, too.
    """
    if text == "{}":
        return []
    if not text.startswith("{") or not text.endswith("}"):
        raise ValueError("not an array")
    if not _SPECIAL.search(text, 1, len(text) - 1):
        elements = text[1:-1].split(",")
        return [None if element.upper() == "NULL" else element for element in elements] if "NULL" in text.upper() else list(elements)
    raw = _ELEMENT.findall(text, 1)
    if sum(map(len, raw)) + len(raw) + 1 != len(text):
        raise ValueError("not an array")
    if "\\" not in text and "NULL" not in text.upper():
        return [element[1:-1] if element.startswith('"') else element for element in raw]
    return [_plain(element) for element in raw]


def _plain(element: str) -> str | None:
    if element.startswith('"'):
        return _unescaped(element[1:-1])
    return None if element.upper() == "NULL" else _unescaped(element)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text) if "\\\\" in text else text.replace("\\", "")


def write(elements: list[str | None] | list[str]) -> str:
    """The array of these elements, quoted where PostgreSQL quotes."""
    plain = ",".join(elements) if None not in elements and "" not in elements else '"'  # type: ignore[arg-type]
    if not (_TO_QUOTE_ANYWHERE.search(plain) or plain.count(",") >= max(len(elements), 1)):
        return f"{{{plain}}}"
    return "{" + ",".join("NULL" if element is None else _element(element) for element in elements) + "}"


def _element(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if _TO_QUOTE.search(text) else text
