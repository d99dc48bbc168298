"""A piece of SQL text to statements."""

from __future__ import annotations

import re

from dbguard.model.names import Name
from dbguard.model.operations import Do
from dbguard.model.source import Statement, Unread
from dbguard.parsing import lexer, split
from dbguard.parsing.context import Context, Node, Offsets
from dbguard.parsing.decode import ParseError, parse_tree, portions, reason
from dbguard.parsing.names import relation
from dbguard.parsing.statements import operations

PORTION = 500_000  # characters read at once: a parse tree takes a hundred times the memory of its text
LONGEST_REASON = 200

_PLACEHOLDER = r"""\{\{.{0,2000}?\}\}|\{%.{0,2000}?%\}|\$\{[^}\n]{0,2000}\}|<%.{0,2000}?%>|\#\{[^}\n]{0,2000}\}|%\([^)\n]{0,2000}\)s
    |%s\b|@\w+@|\$\(\w+\)|(?<![:\w]):(?:'\w+'|"\w+"|[A-Za-z_]\w*)|\{[A-Za-z_][\w.]*\}|(?<![\w$])\$[A-Za-z_]\w*(?!\w*\$)|(?<=[\s(,=])\?(?=[\s),;]|\Z)"""


def parse_piece(text: str, base: int) -> list[Statement]:
    """The statements of one piece, whose text begins at offset `base` of its source."""
    text = lexer.tidy(text)
    if "\0" not in text:
        try:
            return _in_portions(text, base) if len(text) > 2 * PORTION else _all(text, base)
        except (ParseError, MemoryError, RecursionError):
            pass
    return _one_by_one(text, base)


def _in_portions(text: str, base: int) -> list[Statement]:
    found = []
    for start, end in portions(text, PORTION):
        found += _all(text[start:end], base + start)
    return found


def _all(text: str, base: int) -> list[Statement]:
    offsets = Offsets(text)
    size = len(text)
    found = []
    for raw in parse_tree(text):
        begin = raw.get("stmt_location", 0)
        length = raw.get("stmt_len", 0)
        first = lexer.skip(text, offsets.at(begin), size)
        last = _end(text, first, offsets.at(begin + length) if length else size)
        if first < last and "stmt" in raw:
            found.append(_statement(raw["stmt"], Context(text, first, last, offsets), base))
    return found


def _end(text: str, first: int, last: int) -> int:
    """Past the last token: comments that follow it are not part of the statement."""
    last = first + len(text[first:last].rstrip())
    if text.endswith((";", "*/"), first, last) or text.find("--", max(first, text.rfind("\n", first, last)), last) >= 0:
        return lexer.last_token(text, first, last)
    return last


def _statement(tree: Node, context: Context, base: int) -> Statement:
    first, last = context.start, context.end
    try:
        found = operations(tree, context)
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        return Statement(base + first, base + last, (), (Unread(base + first, f"not understood ({type(error).__name__})"),))
    unread = tuple([Unread(base + one.start, one.reason) for one in context.unread]) if context.unread else ()
    inside = "do" if found and type(found[0]) is Do else ""
    return Statement(base + first, base + last, found, unread, _if_exists(tree), inside)


def _if_exists(tree: Node) -> Name | None:
    """The relation of ALTER ... IF EXISTS."""
    node = next(iter(tree.values()))
    if not node.get("missing_ok"):
        return None
    target = node.get("relation") or node.get("sequence")
    return relation(target) if isinstance(target, dict) else None


def _one_by_one(text: str, base: int) -> list[Statement]:
    found: list[Statement] = []
    for first, last, kind in split.spans(text):
        if kind == split.COMMAND:
            found.extend(_command(text[first:last], base + first, base + last))
            continue
        part = text[first:last]
        if "\0" in part:
            found.append(_unread(base + first, base + last, "NUL byte"))
            continue
        try:
            found.extend(_all(part, base + first))
        except (ParseError, MemoryError, RecursionError) as error:
            found.append(_unread(base + first, base + last, _placeholder(part) or reason(error)))
    return found


def _command(command: str, start: int, end: int) -> list[Statement]:
    return [] if split.is_quiet(command) else [_unread(start, end, f"psql meta-command {command.split(maxsplit=1)[0]}")]


def _unread(start: int, end: int, why: str) -> Statement:
    """The parser quotes what it refuses, which may be the rest of the file."""
    if len(why) > LONGEST_REASON:
        why = why[:LONGEST_REASON] + "..."
    return Statement(start, end, (), (Unread(start, why),))


def _placeholder(text: str) -> str | None:
    """What a template leaves to be filled in, if that is why the parser refused."""
    for match in re.finditer(_PLACEHOLDER, _without_strings(text), re.VERBOSE | re.DOTALL):
        return f"template placeholder {match.group()}"
    return None


def _without_strings(text: str) -> str:
    """The text with blanks for strings and comments, and with psql's `:'name'` kept."""
    parts, position = [], 0
    for kind, start, end in lexer.tokens(text):
        if kind in {lexer.COMMENT, lexer.STRING, lexer.DOLLAR, lexer.QUOTED} and (start == 0 or text[start - 1] != ":"):
            parts += [text[position:start], " " * (end - start)]
            position = end
    return "".join((*parts, text[position:]))
