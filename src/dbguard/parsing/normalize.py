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
_MOST_KNOWN = 100
MOST_CHARACTERS = 500_000
# The first character as one class lets the search skip to it.
_PIECES = re.compile(r"(['0-9](?:(?<=')[^']*'(?:'[^']*')*|(?<=[0-9])(?<![\w$.].)[\w.]*))", re.DOTALL)
_NUMBER = re.compile(r"\.?\d")
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


class Template:
    """What becomes of the literals of all texts that differ in literals only. `fates` is None if each text must be read on its own."""

    __slots__ = ("fates", "first", "known", "out", "sql", "stays")

    def __init__(self, fates: tuple[int, ...] | None, first: int) -> None:
        self.fates = fates
        self.first = first  # number of the first new placeholder
        self.out = [2 * index + 1 for index, fate in enumerate(fates or ()) if fate == PLACEHOLDER]  # where the literals stand that go
        self.stays = [2 * index + 1 for index, fate in enumerate(fates or ()) if fate == KEEP]
        self.known: dict[tuple[str, ...], str] = {}  # texts without literals, by those that stay
        self.sql = ""  # the text without literals, if all of them go


class Normalizer:
    """Remembers what was decided for each text, literals aside. The literals are given as they were written: see `value_of`."""

    def __init__(self) -> None:
        # By what stands before WHERE or VALUES, if no literal is in it, else "": by what follows. Most of a text is a list of columns.
        self._heads: dict[str, dict[str, Template]] = {"": {}}
        self._count = self._characters = 0

    def __call__(self, text: str) -> tuple[str, list[str]]:
        if "\\" in text:
            return _replaced(text, _decide(text))
        at = text.find("WHERE ")
        if at < 0:
            at = max(text.find("VALUES "), 0)
        head = text[:at]
        templates = self._heads.get(head)
        if templates is None:
            at, templates = self._begin(head)
            head = text[:at]
        parts = _PIECES.split(text[at:] if at else text)
        key = "\0".join(parts[::2])
        template = templates.get(key) or self._learn(head, key, text, parts)
        if template.sql:
            return template.sql, parts[1::2]
        if template.fates is None:
            return _replaced(text, _decide(text))
        stays = tuple([parts[index] for index in template.stays])
        literals = [parts[index] for index in template.out]
        sql = template.known.get(stays)
        if sql is None:
            parts[0] = head + parts[0]
            sql = _assembled(parts, template.fates, template.first)[0]
            if len(literals) == len(template.fates):
                template.sql = sql
            elif len(template.known) < _MOST_KNOWN:
                template.known[stays] = sql
        return sql, literals

    def _begin(self, head: str) -> tuple[int, dict[str, Template]]:
        """Where the part of a text begins whose literals are looked for, and what is known of such parts."""
        if len(head) > _MOST_HEAD or "'" in head or _PIECES.search(head) is not None:
            return 0, self._heads[""]
        if len(self._heads) >= _MOST_HEADS:
            self._forget()
        return len(head), self._heads.setdefault(head, {})

    def _forget(self) -> None:
        self._heads = {"": {}}
        self._count = self._characters = 0

    def _learn(self, head: str, key: str, text: str, parts: list[str]) -> Template:
        size = 2 * len(key)
        if self._count >= MOST_TEMPLATES or self._characters + size > _MOST_REMEMBERED:
            self._forget()
        found = _decide(text)
        spans, position = [], len(head)
        for index, part in enumerate(parts):
            if index % 2:
                spans.append((position, position + len(part)))
            position += len(part)
        is_same = [(token.start, token.end) for token in found] == spans
        template = Template(tuple([token.fate for token in found]) if is_same else None, _first(text))
        if len(key) <= MOST_CHARACTERS:
            self._count += 1
            self._characters += size
            self._heads.setdefault(head, {})[key] = template
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
