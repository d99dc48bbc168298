"""Comments that speak to dbguard: `-- dbguard: allow ...`."""

from __future__ import annotations

import re

from dbguard.model.source import Comment
from dbguard.parsing import lexer

_SPEAKS = re.compile(r"(?:--|/\*)[ \t]*dbguard:(.*?)(?:\*/)?\s*\Z", re.DOTALL)


def comments(text: str, base: int = 0) -> list[Comment]:
    """Comments of one piece of SQL that begin with `dbguard:`; text in strings and dollar quotes is none."""
    if "dbguard:" not in text:
        return []
    found = []
    for kind, start, end in lexer.tokens(text):
        if kind == lexer.COMMENT:
            match = _SPEAKS.match(text[start:end])
            if match is not None:
                found.append(Comment(base + start, base + end, match.group(1).strip()))
    return found
