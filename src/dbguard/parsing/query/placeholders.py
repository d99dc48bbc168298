"""Placeholders of drivers and query files to PostgreSQL's `$n`, without changing what the query means.

`%s` and `%(x)s` (psycopg; `%%` is a percent sign then), `:x` (SQLAlchemy, aiosql), `:x!` (pgtyped), `?` (as SQLite has it), `@x`,
`sqlc.arg(x)`, `sqlc.narg(x)`, `sqlc.slice(x)`. Text that PostgreSQL reads as it stands is left alone, except `@x`, which would be the
absolute value of a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.parsing import lexer

_PERCENT = re.compile(r"%(?:\((?P<name>[^()%]+)\)s|s\b|(?P<both>%))")
_SQLC = re.compile(r"sqlc\.(?:arg|narg|slice)\(\s*(?:'(?P<quoted>[^']*)'|(?P<bare>\w+))\s*\)", re.IGNORECASE)
_EMBED = re.compile(r"sqlc\.embed\(\s*(\"(?:[^\"]|\"\")+\"|[\w.]+)\s*\)", re.IGNORECASE)
_NUMBERED = re.compile(r"\$(\d+)")
_SKIPPED = frozenset({lexer.COMMENT, lexer.STRING, lexer.QUOTED, lexer.DOLLAR})
_OPERATOR = frozenset("+-*/<>=~!@#%^&|`?")


class Numbers:
    """Numbers for names: the same name is the same parameter, every nameless one a new one."""

    def __init__(self, text: str) -> None:
        self.names: list[str] = [""] * max((int(match[1]) for match in _NUMBERED.finditer(text) if len(match[1]) < 6), default=0)

    def of(self, name: str = "") -> str:
        if not name or name not in self.names:
            self.names.append(name)
            return f"${len(self.names)}"
        return f"${self.names.index(name) + 1}"


def has_own_style(text: str) -> bool:
    """Whether the text has placeholders that PostgreSQL would read as something else."""
    return "@" in text or "sqlc." in text.lower()


def numbered(text: str, *, marks: bool = False) -> tuple[str, tuple[str, ...]]:
    """The text with `$n` for every placeholder, with `marks` for `?` too, and the names of $1, $2 and so on."""
    numbers = Numbers(text)
    if "sqlc." in text.lower():
        text = _EMBED.sub(r"\1.*", text)
        text = _SQLC.sub(lambda match: numbers.of(match["quoted"] or match["bare"]), text)
    if _uses_percent(text):
        text = _percent(text, numbers)
    return "".join(_pieces(text, numbers, ":@?" if marks else ":@")), tuple(numbers.names)


def _uses_percent(text: str) -> bool:
    if "%s" not in text and "%(" not in text:
        return False
    return any(match["both"] is None for part in _outside(text) for match in _PERCENT.finditer(part))


def _outside(text: str) -> Iterator[str]:
    """The parts of a text that are neither strings nor comments."""
    position = 0
    for kind, start, end in lexer.tokens(text):
        if kind in _SKIPPED:
            yield text[position:start]
            position = end
    yield text[position:]


def _percent(text: str, numbers: Numbers) -> str:
    """psycopg looks at the whole text, strings included; there, only `%%` is expected."""
    parts, position = [], 0
    for kind, start, end in lexer.tokens(text):
        if kind in _SKIPPED:
            parts += [_PERCENT.sub(lambda match: _one(match, numbers), text[position:start]), text[start:end].replace("%%", "%")]
            position = end
    parts.append(_PERCENT.sub(lambda match: _one(match, numbers), text[position:]))
    return "".join(parts)


def _one(match: re.Match[str], numbers: Numbers) -> str:
    return "%" if match["both"] else numbers.of(match["name"] or "")


def _pieces(text: str, numbers: Numbers, signs: str) -> Iterator[str]:
    """`:x`, `@x` and `?`, token by token: they are placeholders only where an operator could not stand."""
    found = [token for token in lexer.tokens(text) if token[0] != lexer.COMMENT]
    position = 0
    for index, (kind, start, end) in enumerate(found):
        if kind != lexer.OTHER or start < position or text[start] not in signs:
            continue
        word = text[slice(*found[index - 1][1:])].upper() if index else ""
        if text[start] == "?":
            if not _ends_operand(found[index - 1] if index else None, word):
                yield text[position:start] + numbers.of()
                position = end
            continue
        after = found[index + 1] if index + 1 < len(found) else (0, -1, -1)
        before = text[start - 1] if start else " "
        if after[0] in _NAMES and after[1] == end and before not in (_OPERATOR | {":"} if text[start] == "@" else ":"):
            number = numbers.of(text[after[1] : after[2]].strip("'\""))
            yield text[position:start] + (f"({number})" if word == "IN" else number)
            marked = text[after[2] : after[2] + 1] == "!" and text[after[2] + 1 : after[2] + 2] != "="
            position = after[2] + marked
    yield text[position:]


def _ends_operand(token: tuple[int, int, int] | None, word: str) -> bool:
    if token is None:
        return False
    return word in {")", "]"} if token[0] == lexer.OTHER else word not in _BEFORE_OPERAND


_NAMES = frozenset({lexer.WORD, lexer.STRING, lexer.QUOTED})
_BEFORE_OPERAND = frozenset(
    """
    ALL AND ANY BETWEEN BY CASE ELSE EXISTS FROM HAVING ILIKE IN IS LIKE LIMIT NOT OFFSET ON OR RETURNING SELECT SET SIMILAR SOME THEN TO
    VALUES WHEN WHERE
    """.split()  # noqa: SIM905
)
