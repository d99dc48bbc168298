"""Text to tokens, tolerantly: unterminated quotes, templates and psql commands are tokens too. Offsets are code points.

The rules are those of src/backend/parser/scan.l; white space is wider, so that a no-break space is no part of a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

COMMENT, STRING, QUOTED, DOLLAR, TEMPLATE, WORD, NUMBER, OTHER = range(1, 9)

_EXOTIC = "\u0085\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff\x1c-\x1f"
_SPACE = rf"[ \t\n\r\f\v{_EXOTIC}]"
_WORD_START = rf"(?![{_EXOTIC}])[A-Za-z_\u0080-\U0010ffff]"
_WORD_REST = rf"[A-Za-z0-9_$]*+(?:(?![{_EXOTIC}])[\u0080-\U0010ffff][A-Za-z0-9_$]*+)*+"


def _block_comment(levels: int) -> str:
    inner = "" if levels == 0 else "|" + _block_comment(levels - 1)
    return rf"/\*(?:[^*/]++|\*(?!/)|/(?!\*){inner})*+\*/"


_COMMENT = rf"--[^\n\r]*|{_block_comment(4)}"
# What is most frequent stands first: words that begin nothing else, and punctuation.
_TOKENS = rf"""{_SPACE}++
    |([A-Za-z_][A-Za-z0-9_]*+)(?!['"&$\x80-\U0010ffff])
    |([(),;=])
    |({_COMMENT}|/\*(?s:.*))
    |([eE]'(?:[^'\\]++|''|\\(?s:.))*+'?|(?:[bBxXnN]|[uU]&)?'(?:[^']++|'')*+'?)
    |((?:[uU]&)?"(?:[^"]++|"")*+"?)
    |((\$(?:{_WORD_START}(?:[A-Za-z0-9_]|(?![{_EXOTIC}])[\u0080-\U0010ffff])*)?\$)(?:[^$]++|(?!\7)\$)*+(?:\7|\Z))
    |(\{{\{{(?s:.{{0,2000}}?)\}}\}}|\{{%(?s:.{{0,2000}}?)%\}}|\$\{{[^}}\n]{{0,2000}}\}})
    |({_WORD_START}{_WORD_REST})
    |(\.?\d[A-Za-z0-9_.]*+|\$\d+)
    |((?s:.))"""
_KINDS = (0, WORD, OTHER, COMMENT, STRING, QUOTED, DOLLAR, DOLLAR, TEMPLATE, WORD, NUMBER, OTHER)
_SKIP = re.compile(rf"(?:{_SPACE}++|{_COMMENT})*+")
_STRANGE = re.compile(rf"[{_EXOTIC}]")


@cache
def _pattern() -> re.Pattern[str]:
    """Compiled when first needed: most scripts are read without (it takes 10 ms)."""
    return re.compile(_TOKENS, re.VERBOSE)


def tokens(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int, int]]:
    """Kind, start and end of every token, comments included."""
    kinds = _KINDS
    for match in _pattern().finditer(text, start, len(text) if end is None else end):
        index = match.lastindex
        if index is not None:
            yield kinds[index], match.start(), match.end()


def skip(text: str, start: int, end: int) -> int:
    """The first offset from `start` on that is neither white space nor comment."""
    match = _SKIP.match(text, start, end)
    return match.end() if match is not None else start


def is_open(text: str, start: int, end: int) -> bool:
    """Whether a comment runs to the end of the text because nothing closes it."""
    return text.startswith("/*", start) and (
        end - start < 4 or not text.endswith("*/", start, end) or text.count("/*", start, end) > text.count("*/", start, end)
    )


def tidy(text: str) -> str:
    """The same text with blanks for white space that PostgreSQL would take for letters. Quotes and comments are kept."""
    if text.isascii() and not any(separator in text for separator in "\x1c\x1d\x1e\x1f"):
        return text
    if _STRANGE.search(text):
        parts, position = [], 0
        for _, start, end in tokens(text):
            if start > position:
                parts.append(_STRANGE.sub(" ", text[position:start]))
            parts.append(text[start:end])
            position = end
        parts.append(_STRANGE.sub(" ", text[position:]))
        text = "".join(parts)
    return text.encode("utf-8", "replace").decode()


def last_token(text: str, start: int, end: int) -> int:
    """The end of the last token of text[start:end] that is no comment."""
    found = start
    for kind, _, stop in tokens(text, start, end):
        if kind != COMMENT:
            found = stop
    return found
