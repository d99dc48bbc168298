"""Text to the spans of its statements, for text that PostgreSQL's parser refuses as a whole.

psql's commands and the data of COPY ... FROM stdin are recognised here; nothing else is lost.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from itertools import pairwise

from dbguard.parsing import lexer

SQL, COMMAND = "sql", "command"

_END_OF_DATA = re.compile(r"^\\\.[ \t\r]*$", re.MULTILINE)
_COMMAND_NAME = re.compile(r"\\\S*")
_QUIET = frozenset({"\\restrict", "\\unrestrict", "\\echo", "\\qecho", "\\warn", "\\timing", "\\.", "\\"})


class _Pending:
    """The statement being read."""

    __slots__ = ("atomic", "end", "parentheses", "start", "words")

    def __init__(self) -> None:
        self.start = -1
        self.end = -1
        self.words: list[str] = []
        self.parentheses = 0
        self.atomic = 0

    def add(self, text: str, kind: int, start: int, end: int) -> None:
        if self.start < 0:
            self.start = start
        self.end = end
        if kind == lexer.WORD:
            word = text[start:end].upper()
            if (word == "ATOMIC" and self.words[-1:] == ["BEGIN"]) or (self.atomic and word == "CASE"):
                self.atomic += 1
            elif self.atomic and word == "END":
                self.atomic -= 1
            self.words.append(word)
        elif kind == lexer.OTHER:
            self.parentheses += {"(": 1, ")": -1}.get(text[start], 0)

    @property
    def is_rule(self) -> bool:
        return "RULE" in self.words[1:4] and self.words[0] == "CREATE"

    @property
    def reads_data(self) -> bool:
        words = self.words
        return bool(words) and words[0] == "COPY" and any(pair == ("FROM", "STDIN") for pair in pairwise(words))

    def holds(self) -> bool:
        """Whether a semicolon here is inside the statement."""
        return self.atomic > 0 or (self.parentheses > 0 and self.is_rule)


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Start and end of every statement (its first and past its last token), and whether it is SQL or a command of psql."""
    position: int | None = 0
    while position is not None:
        position = yield from _run(text, position)


def is_quiet(command: str) -> bool:
    """Whether a command of psql does nothing to the database or to the text that follows."""
    match = _COMMAND_NAME.match(command)
    return match is not None and match.group() in _QUIET


def _run(text: str, start: int) -> Generator[tuple[int, int, str], None, int | None]:
    """Spans from `start` on, up to where reading must be taken up again; the generator's value tells where."""
    pending = _Pending()
    for kind, begin, end in lexer.tokens(text, start):
        if kind == lexer.COMMENT and not lexer.is_open(text, begin, end):
            continue
        if kind == lexer.OTHER and text[begin] == ";" and not pending.holds():
            if pending.start >= 0:
                yield pending.start, pending.end, SQL
            if pending.reads_data:
                after = _after_data(text, end)
                if after is not None:
                    return after
            pending = _Pending()
        elif kind == lexer.OTHER and text[begin] == "\\":
            if pending.start >= 0:
                yield pending.start, pending.end, SQL
            stop = text.find("\n", begin)
            stop = len(text) if stop < 0 else stop
            yield begin, begin + len(text[begin:stop].rstrip()), COMMAND
            return stop
        else:
            pending.add(text, kind, begin, end)
    if pending.start >= 0:
        yield pending.start, pending.end, SQL
    return None


def _after_data(text: str, position: int) -> int | None:
    """Past the data of COPY ... FROM stdin, None if the text holds none."""
    line = text.find("\n", position)
    match = _END_OF_DATA.search(text, line + 1) if line >= 0 else None
    return None if match is None else match.end()
