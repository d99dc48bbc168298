"""Texts, the SQL scripts found in them, and their statements."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, count
from operator import add

from dbguard.model.names import Name
from dbguard.model.operations import Operation
from dbguard.model.record import Record


class Source(Record):
    """One text we were given, decoded. `path` is as the user would write it, with forward slashes."""

    path: str
    text: str


class Block(Record):
    """What a migration written in Python does at one place: the SQL that its framework sends there, or why that is not known.

    `start` and `end` are offsets of the Python call in the source's text. All findings on the SQL point there, or, where
    the SQL stands verbatim in the source (a plain string literal), at their own place in it.
    """

    start: int
    end: int
    sql: str = ""
    place: int | None = None  # offset in the source's text at which `sql` stands verbatim
    alone: bool = False  # outside the tool's transaction: what came before is committed, what follows is in a new one
    operations: tuple[Operation, ...] = ()  # facts about the program that no SQL tells (model/operations/programs.py)
    unread: str = ""  # why (a part of) what happens here is not known


class Merged(Record):
    """What a script was where it is merged already, so that databases may have run it. It wakes checks, like an operation."""

    way: str  # same, edited, checksum (edited, and its tool compares checksums), renamed (the same under another version)
    path: str = ""  # where it stood
    at: int = 0  # offset of the first difference in the source's text


class RoundTrip(Record):
    """What became of the schema when a script was run up, down and up again on a server. It wakes checks, like an operation.

    Sentences: how the schema after going down differs from the one before, and how the one after going up again differs from
    the one after going up first.
    """

    left: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    down_fails: str = ""  # why
    up_fails: str = ""  # why going up again fails


class Script(Record):
    """SQL found in a source, plus how it will run.

    `pieces` are (start, end) offsets into the source's text, in code points, that hold SQL; markers of the tool lie
    between them. `transaction` is "one" (the tool wraps the script), "none" (each statement by itself), "single"
    (the whole script goes to the server as one simple query: an implicit transaction), "unless forbidden" (the tool wraps
    the script if no statement in it forbids that), or "auto": the same, unless the text has transaction control.
    A migration written in Python has `blocks`, in the order they run, instead of pieces.
    """

    source: Source
    pieces: tuple[tuple[int, int], ...]
    transaction: str = "auto"
    direction: str = "up"  # up, down, repeatable, variant (of the up script before it, for another database)
    version: str = ""  # what the tool calls this migration
    tool: str = "plain"
    history: str = ""  # folder of the history it belongs to
    blocks: tuple[Block, ...] = ()
    way: str = ""  # how the blocks of a Python migration were found: "read" (its syntax tree) or "rendered" (by its framework)
    merged: Merged | None = None  # None: it is new, or nothing was compared

    @property
    def goes_up(self) -> bool:
        """Whether what it does stays: nobody runs a down script or a variant on the way forward."""
        return self.direction not in {"down", "variant"}


class Unread(Record):
    """A part of a source that dbguard did not understand."""

    start: int
    reason: str


class Statement(Record):
    """One SQL statement: offsets of its first token and past its last, in code points of the source's text."""

    start: int
    end: int
    operations: tuple[Operation, ...]
    unread: tuple[Unread, ...] = ()
    if_exists: Name | None = None  # ALTER ... IF EXISTS of this relation: nothing happens if it does not exist
    inside: str = ""  # "do" or "function" when it stands in a PL/pgSQL body
    sql: str = ""  # its text, where that does not stand between start and end
    alone: bool = False  # as in Block


class Comment(Record):
    """A comment that speaks to dbguard: offset, and the text after `dbguard:`."""

    start: int
    end: int
    text: str


class Parsed(Record):
    script: Script
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = ()


class Lines:
    """Line and column of an offset: both 1-based, columns in code points."""

    __slots__ = ("_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []

    def at(self, offset: int) -> tuple[int, int]:
        text = self._text
        if len(text) < _SHORT:
            return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
        if not self._starts:
            self._starts = list(map(add, accumulate(map(len, text.split("\n")), initial=0), count()))
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


_SHORT = 10_000  # characters that are counted faster than a list of lines is made
