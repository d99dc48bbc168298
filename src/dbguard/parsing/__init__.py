"""Text to operations. The only package that imports pglast."""

from __future__ import annotations

from dbguard.model.source import Parsed, Script, Statement
from dbguard.parsing.blocks import parse_blocks
from dbguard.parsing.comments import comments
from dbguard.parsing.script import parse_piece

__all__ = ["parse", "parse_text"]


def parse(script: Script) -> Parsed:
    """A script's statements, typed, and the comments in it that speak to dbguard. Never raises because of the text."""
    text = script.source.text
    if script.way:
        return parse_blocks(script)
    if len(script.pieces) == 1:
        start, end = script.pieces[0]
        piece = text if start == 0 and end >= len(text) else text[start:end]
        return Parsed(script, tuple(parse_piece(piece, start)), tuple(comments(piece, start)))
    statements, spoken = [], []
    for start, end in script.pieces:
        statements += parse_piece(text[start:end], start)
        spoken += comments(text[start:end], start)
    return Parsed(script, tuple(statements), tuple(spoken))


def parse_text(text: str) -> tuple[Statement, ...]:
    """The statements of a text that is SQL from end to end."""
    return tuple(parse_piece(text, 0))
