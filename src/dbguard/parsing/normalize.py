"""A statement without its literals: text in, the same text with `$n` in their place and the literals out.

What stays: integers of LIMIT and OFFSET, positions in ORDER BY and GROUP BY, `SELECT 1`, and the settings of a plain SET.
Where `$n` would not parse, as in most utility statements, a string becomes `''` and only long numbers go.
"""

from __future__ import annotations

import re

from pglast.parser import ParseError, parse_sql_protobuf

from dbguard.model.record import Record
from dbguard.parsing import lexer

MOST_TEMPLATES = 20_000
_MOST_REMEMBERED = 20_000_000  # characters
_MOST_HEADS, _MOST_HEAD = 5_000, 4_000
MOST_CHARACTERS = 500_000
# The first character as one class lets the search skip to it.
_PIECES = re.compile(r"(['0-9](?:(?<=')[^']*'(?:'[^']*')*|(?<=[0-9])(?<![\w$.].)[\w.]*))", re.DOTALL)
_NUMBER = re.compile(r"\.?\d")
_PREFIX = re.compile(r"[eEbBxXnN]|[uU]&")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PARAMETER = re.compile(r"\$(\d{1,5})")
_DATA = frozenset(
    ["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE", "EXPLAIN", "DECLARE", "PREPARE", "EXECUTE", "CALL", "("]
)
_LIST_ENDS = frozenset(
    ["LIMIT", "OFFSET", "FETCH", "FOR", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ROWS", "RANGE", "GROUPS", "ORDER", "WHERE"]
)
_PLAIN_SET = re.compile(r"\s*SET\s+(?:(?:LOCAL|SESSION)\s+)?(?:TIME\s+ZONE|\w+(?![\w.]))", re.IGNORECASE)
KEEP, PLACEHOLDER, EMPTY, ZERO = range(4)


class Token(Record):
    start: int
    end: int
    fate: int


class Template(Record):
    """What becomes of the literals of all texts that differ in literals only. `fates` is None if each text must be read on its own."""

    fates: tuple[int, ...] | None
    sql: str  # "" if a literal stays, so that the text has to be put together
    first: int  # number of the first new placeholder


class Normalizer:
    """Remembers what was decided for each text, literals aside. The literals are given as they were written: see `value_of`."""

    def __init__(self) -> None:
        self._templates: dict[str, Template] = {}
        self._characters = 0
        self._heads: set[str] = set()  # what stands before WHERE, if no literal is in it

    def __call__(self, text: str) -> tuple[str, list[str]]:
        parts = self._split(text)
        if "\\" in text:
            return _replaced(text, _decide(text))
        key = "\0".join(parts[::2])
        template = self._templates.get(key)
        if template is None:
            template = self._learn(key, text, parts)
        fates = template.fates
        if fates is None:
            return _replaced(text, _decide(text))
        if template.sql:
            return template.sql, parts[1::2]
        return _assembled(parts, fates, template.first)

    def _split(self, text: str) -> list[str]:
        """The text between literals, and the literals. Most of a text is a list of columns that was searched before."""
        at = text.find(" WHERE ")
        if at < 0:
            return _PIECES.split(text)
        head = text[:at]
        if head in self._heads:
            parts = _PIECES.split(text[at:])
            parts[0] = head + parts[0]
            return parts
        parts = _PIECES.split(text)
        if len(parts[0]) > at and "'" not in head and at <= _MOST_HEAD:
            if len(self._heads) >= _MOST_HEADS:
                self._heads.clear()
            self._heads.add(head)
        return parts

    def _learn(self, key: str, text: str, parts: list[str]) -> Template:
        self._characters += 2 * len(key)
        if len(self._templates) >= MOST_TEMPLATES or self._characters > _MOST_REMEMBERED:
            self._templates.clear()
            self._characters = 2 * len(key)
        found = _decide(text)
        spans, position = [], 0
        for index, part in enumerate(parts):
            if index % 2:
                spans.append((position, position + len(part)))
            position += len(part)
        if [(token.start, token.end) for token in found] != spans:
            template = Template(None, "", 0)
        else:
            fates = tuple(token.fate for token in found)
            sql = _replaced(text, found)[0] if all(fate == PLACEHOLDER for fate in fates) else ""
            template = Template(fates, sql, _first(text))
        if len(key) <= MOST_CHARACTERS:
            self._templates[key] = template
        return template


def value_of(literal: str) -> str:
    """The value of a literal as PostgreSQL writes it in text."""
    if literal[-1:] != "'":
        if literal[:1] == "$":
            size = literal.find("$", 1) + 1
            return literal[size:-size]
        return literal
    start = literal.index("'")
    inner = literal[start + 1 : -1].replace("''", "'")
    return _ESCAPE.sub(_escaped, inner) if literal[:1] in {"e", "E"} else inner


def _escaped(match: re.Match[str]) -> str:
    found = match[1]
    try:
        if found[0] in "uUx":
            return chr(int(found[1:], 16)) if len(found) > 1 else found
        return chr(int(found, 8)) if found[0] in "01234567" else _ESCAPED.get(found, found)
    except (ValueError, OverflowError):
        return found


def _first(text: str) -> int:
    return max((int(number) for number in _PARAMETER.findall(text)), default=0) + 1


def _assembled(parts: list[str], fates: tuple[int, ...], number: int) -> tuple[str, list[str]]:
    literals = []
    for index, fate in enumerate(fates):
        position = 2 * index + 1
        if fate == PLACEHOLDER:
            literals.append(parts[position])
            parts[position] = f"${number}"
            number += 1
        elif fate != KEEP:
            parts[position] = "''" if fate == EMPTY else "0"
    return "".join(parts), literals


def _replaced(text: str, found: list[Token]) -> tuple[str, list[str]]:
    parts, position = [], 0
    for token in found:
        parts += [text[position : token.start], text[token.start : token.end]]
        position = token.end
    return _assembled([*parts, text[position:]], tuple(token.fate for token in found), _first(text))


def _decide(text: str) -> list[Token]:
    """The literals of a text with what becomes of them; placeholders only where the text still parses with them."""
    if len(text) > MOST_CHARACTERS:
        return _located(text)
    found = _located(text)
    if not any(token.fate == PLACEHOLDER for token in found) or not _parses(text):
        return found
    for attempt in (found, _with_numbers(text, found)):
        if _parses(_replaced(text, attempt)[0]):
            return attempt
    return [token._replace(fate=_plain(text, token)) for token in found]


def _parses(text: str) -> bool:
    try:
        parse_sql_protobuf(text)
    except (ParseError, ValueError, RecursionError):
        return False
    return True


def _with_numbers(text: str, found: list[Token]) -> list[Token]:
    """Numbers that are modifiers of types, as in `::varchar(10)`, must stay."""
    return [token._replace(fate=_plain(text, token)) if _NUMBER.match(text, token.start) else token for token in found]


def _plain(text: str, token: Token) -> int:
    """Of a literal that cannot be a placeholder."""
    if token.fate == KEEP:
        return KEEP
    if not _NUMBER.match(text, token.start):
        return EMPTY
    return ZERO if token.end - token.start >= 7 else KEEP


def _located(text: str) -> list[Token]:
    found: list[Token] = []
    previous = first = ""
    depth, by_depth = 0, -1
    for kind, start, end in lexer.tokens(text):
        if kind == lexer.COMMENT:
            continue
        word = text[start:end].upper() if kind in {lexer.WORD, lexer.OTHER} else ""
        first = first or word or "?"
        if kind == lexer.WORD:
            by_depth = depth if word == "BY" else -1 if word in _LIST_ENDS and depth == by_depth else by_depth
        elif word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
            by_depth = -1 if depth < by_depth else by_depth
        literal = kind in {lexer.STRING, lexer.DOLLAR} or (kind == lexer.NUMBER and text[start] != "$")
        if kind == lexer.STRING and previous == "'":  # a string goes on in the next line
            found[-1] = found[-1]._replace(end=end)
        elif literal:
            in_list = by_depth == depth and previous in {"BY", ","}
            stays = kind == lexer.NUMBER and text[start:end].isdigit() and (_stays(previous, end - start) or in_list)
            found.append(Token(start, end, KEEP if stays else PLACEHOLDER))
        previous = word or ("'" if kind == lexer.STRING else "?")
    if first in _DATA:
        return found
    if _PLAIN_SET.match(text):
        return [token._replace(fate=KEEP) for token in found]
    return [token._replace(fate=_plain(text, token)) for token in found]


def _stays(previous: str, size: int) -> bool:
    return previous in {"LIMIT", "OFFSET", "FIRST", "NEXT"} or (previous == "SELECT" and size == 1)
