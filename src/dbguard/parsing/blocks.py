"""The SQL that a migration written in Python sends, to statements that point at the Python text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.model.source import Block, Comment, Parsed, Script, Statement, Unread
from dbguard.parsing.comments import comments
from dbguard.parsing.script import parse_piece

_SPEAKS = re.compile(r"#[ \t]*dbguard:(.*)")


def parse_blocks(script: Script) -> Parsed:
    """Statements in the order in which they run. Those of one call all stand where the call stands."""
    statements = tuple(statement for block in script.blocks for statement in _statements(block))
    return Parsed(script, statements, tuple(_comments(script)))


def _statements(block: Block) -> Iterator[Statement]:
    if block.operations or (block.unread and not block.sql):
        why = (Unread(block.start, block.unread),) if block.unread else ()
        yield Statement(block.start, block.end, block.operations, why, alone=block.alone)
    if block.place is not None:
        for statement in parse_piece(block.sql, block.place):
            yield statement._replace(alone=block.alone)
    elif block.sql:
        for statement in parse_piece(block.sql, 0):
            text = block.sql[statement.start : statement.end]
            unread = tuple([Unread(block.start, one.reason) for one in statement.unread])
            yield statement._replace(start=block.start, end=block.end, unread=unread, sql=text, alone=block.alone)


def _comments(script: Script) -> Iterator[Comment]:
    """Comments of Python that speak to dbguard, and those in SQL that stands verbatim in a string."""
    text = script.source.text
    if "dbguard:" not in text:
        return
    for start, line in python_comments(text):
        match = _SPEAKS.match(line)
        if match is not None:
            yield Comment(start, start + len(line), match.group(1).strip())
    for block in script.blocks:
        if block.place is not None:
            yield from comments(block.sql, block.place)


def python_comments(text: str) -> Iterator[tuple[int, str]]:
    """Offset and text of every comment of a Python file, up to where it stops being Python."""
    import io
    import tokenize

    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield starts[token.start[0] - 1] + token.start[1], token.string
    except (tokenize.TokenError, SyntaxError):
        return
