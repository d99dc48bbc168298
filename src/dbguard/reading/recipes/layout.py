"""Python expressions as formatted text: one line if it fits, else one argument a line.

In: a string of Python, a `Text` (a string literal to be written) or a `Group` (a call or a list of these). Out: lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

from dbguard.model.record import Record

WIDTH = 112  # 120 when it is pasted into a function or a class
_TAB = 4
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Text(Record):
    """A string literal that holds `value`."""

    value: str


class Keyword(Record):
    name: str
    value: Expr


class Group(Record):
    """`opening`, items, `closing`: `op.execute(` ... `)`, `[` ... `]`."""

    opening: str
    items: tuple[Expr, ...]
    closing: str = ")"


Expr: TypeAlias = "str | Text | Group | Keyword"


def call(function: str, *items: Expr, **keywords: Expr | None) -> Group:
    """`function(items, keyword=...)`; keywords that are None are left out."""
    given = [Keyword(name, value) for name, value in keywords.items() if value is not None]
    return Group(f"{function}(", (*items, *given))


def listed(items: Iterable[Expr]) -> Group:
    return Group("[", tuple(items), "]")


def quoted(text: str) -> str:
    """A string literal on one line."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(character, quote) for character in text) + quote


def _escaped(character: str, quote: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character == quote:
        return "\\" + quote
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def written(expr: Expr, indent: int = 0, prefix: str = "", suffix: str = "", *, sole: bool = True) -> list[str]:
    """The lines of an expression. `sole`: nothing stands beside it, so that a long string needs no parentheses."""
    pad = " " * indent
    if isinstance(expr, Keyword):
        return written(expr.value, indent, f"{prefix}{expr.name}=", suffix, sole=False)
    line = _one_line(expr)
    fits = line is not None and len(pad) + len(prefix) + len(line) + len(suffix) <= WIDTH
    if line is not None and (fits or (isinstance(expr, Group) and not expr.items)):
        return [f"{pad}{prefix}{line}{suffix}"]
    if isinstance(expr, Group):
        only = isinstance(expr.items[0], Text) and len(expr.items) == 1 and expr.closing == ")"
        inner = [line for item in expr.items for line in written(item, indent + _TAB, suffix="" if only else ",", sole=only)]
        return [f"{pad}{prefix}{expr.opening}", *inner, f"{pad}{expr.closing}{suffix}"]
    if isinstance(expr, str):
        return [f"{pad}{prefix}{expr}{suffix}"]
    return _long_text(expr.value, indent, prefix, suffix, sole=sole)


def _one_line(expr: Expr) -> str | None:
    """The expression on one line; None if it has a text of several lines."""
    match expr:
        case Keyword(name, value):
            line = _one_line(value)
            return None if line is None else f"{name}={line}"
        case Group(opening, items, closing):
            lines = [_one_line(item) for item in items]
            known = [line for line in lines if line is not None]
            return None if len(known) < len(lines) else f"{opening}{', '.join(known)}{closing}"
        case Text(value):
            return None if "\n" in value else quoted(value)
    return str(expr)


def _long_text(text: str, indent: int, prefix: str, suffix: str, *, sole: bool) -> list[str]:
    pad = " " * indent
    if "\n" in text and _may_be_indented(text):
        body = [f"{pad}{line}".rstrip() for line in text.replace("\\", "\\\\").splitlines()]
        return [f'{pad}{prefix}"""', *body, f'{pad}"""{suffix}']
    if sole:
        pieces = [f"{pad}{quoted(piece)}" for piece in _pieces(text, WIDTH - indent - 2)]
        return [*pieces[:-1], f"{pieces[-1]}{suffix}"]
    pieces = [f"{pad}    {quoted(piece)}" for piece in _pieces(text, WIDTH - indent - _TAB - 2)]
    return [f"{pad}{prefix}{pieces[0].strip()}{suffix}"] if len(pieces) == 1 else [f"{pad}{prefix}(", *pieces, f"{pad}){suffix}"]


def _may_be_indented(text: str) -> bool:
    """Whether white space at the start of its lines is part of no quoted text, and the text can stand between triple quotes."""
    if '"""' in text or any(not (c.isprintable() or c == "\n") for c in text):
        return False
    return all(line.count("'") % 2 == 0 and line.count('"') % 2 == 0 for line in text.splitlines())


def _pieces(text: str, width: int) -> list[str]:
    """The text cut after spaces and at the ends of its lines, so that most pieces fit."""
    made = [""]
    for word in re.findall(r"[^ \n]*(?: +|\n|\Z)", text):
        if made[-1] and (made[-1].endswith("\n") or len(quoted(made[-1] + word)) > width + 2):
            made.append("")
        made[-1] += word
    return [piece for piece in made if piece] or [""]
