"""What the makers of operations know about the statement they read: its text, and where expressions begin and end."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from dbguard.model.operations import Operation
from dbguard.model.source import Unread
from dbguard.parsing import lexer

Node = dict[str, Any]
Maker = Callable[[Node, "Context"], tuple[Operation, ...]]

_WIDE = re.compile(r"[^\x00-\x7f]+")
_OPEN = frozenset("([")
_CLOSE = frozenset(")]")


class Offsets:
    """Byte offsets of UTF-8 to code points."""

    __slots__ = ("_ends",)

    def __init__(self, text: str) -> None:
        self._ends: list[int] = []  # byte offset of every continuation byte
        if not text.isascii():
            for match in _WIDE.finditer(text):
                position = match.start() + len(self._ends)
                for character in match.group():
                    size = 2 if character < "\u0800" else 3 if character < "\U00010000" else 4
                    self._ends.extend(range(position + 1, position + size))
                    position += size

    def at(self, offset: int) -> int:
        return offset - bisect_left(self._ends, offset) if self._ends else offset


class Context:
    """One statement: `text[start:end]`. Tokens are found when first asked for.

    A token is (text, start, end, depth): words in upper case, `'` for strings, `"` for quoted names; depth counts
    parentheses, brackets and CASE.
    """

    __slots__ = ("_actions", "_starts", "_tokens", "end", "offsets", "start", "text", "unread")

    def __init__(self, text: str, start: int, end: int, offsets: Offsets) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.offsets = offsets
        self.unread: list[Unread] = []
        self._tokens: list[tuple[str, int, int, int]] | None = None
        self._starts: list[int] = []
        self._actions: list[tuple[int, int]] | None = None

    def note(self, reason: str) -> None:
        """The statement was not understood in full."""
        self.unread.append(Unread(self.start, reason))

    @property
    def tokens(self) -> list[tuple[str, int, int, int]]:
        if self._tokens is None:
            self._tokens = self._read()
            self._starts = [token[1] for token in self._tokens]
        return self._tokens

    def index(self, location: int) -> int:
        """The index of the first token at or after the parser's `location`."""
        found = self.tokens
        return min(bisect_left(self._starts, self.offsets.at(location)), len(found))

    def find(self, word: str, first: int = 0, *, depth: int | None = None, last: int | None = None) -> int:
        """The index of the token `word` from `first` on, at that depth; -1 if there is none."""
        found = self.tokens
        for index in range(first, len(found) if last is None else last):
            token = found[index]
            if token[0] == word and (depth is None or token[3] == depth):
                return index
        return -1

    def closing(self, opening: int) -> int:
        """The index of the parenthesis that closes the one at index `opening`."""
        found = self.tokens
        depth = found[opening][3]
        for index in range(opening + 1, len(found)):
            if found[index][3] == depth and found[index][0] in _CLOSE:
                return index
        return len(found)

    def slice(self, first: int, last: int) -> str:
        """The text of tokens first to last - 1."""
        found = self.tokens
        if not 0 <= first < last <= len(found):
            return ""
        return self.text[found[first][1] : found[last - 1][2]]

    def inside(self, opening: int) -> str:
        """The text between the parenthesis at index `opening` and its closing one."""
        return self.slice(opening + 1, self.closing(opening))

    def parts(self, first: int, last: int) -> list[tuple[int, int]]:
        """Token ranges between the commas at the depth of token `first`."""
        found = self.tokens
        if first >= last:
            return []
        depth = min(token[3] for token in found[first:last])
        ranges, begin = [], first
        for index in range(first, last):
            if found[index][0] == "," and found[index][3] == depth:
                ranges.append((begin, index))
                begin = index + 1
        ranges.append((begin, last))
        return ranges

    @property
    def actions(self) -> list[tuple[int, int]]:
        """Token ranges of the actions of an ALTER TABLE."""
        if self._actions is None:
            self._actions = self.parts(0, len(self.tokens))
        return self._actions

    def until(self, first: int, stops: frozenset[str] = frozenset()) -> int:
        """The index past an expression that starts at `first`: a comma, a closing parenthesis or a word of `stops` ends it."""
        found = self.tokens
        if first >= len(found):
            return first
        depth = found[first][3]
        for index in range(first + 1, len(found)):
            word, _, _, level = found[index]
            if level < depth:
                return index
            if level == depth and (word == "," or (word in _CLOSE and found[first][0] not in _OPEN and not self._closes(first, index))):
                return index
            if level == depth and word in stops and found[index - 1][0] not in {"IS", "."}:
                return index
        return len(found)

    def _closes(self, first: int, index: int) -> bool:
        depth = self.tokens[index][3]
        return any(token[3] == depth and token[0] in _OPEN for token in self.tokens[first:index])

    def _read(self) -> list[tuple[str, int, int, int]]:
        text, depth, cases, found = self.text, 0, 0, []
        for kind, start, end in lexer.tokens(text, self.start, self.end):
            if kind == lexer.COMMENT:
                continue
            if kind == lexer.WORD:
                word = text[start:end].upper()
                if word == "CASE":
                    found.append((word, start, end, depth))
                    depth, cases = depth + 1, cases + 1
                    continue
                if word == "END" and cases:
                    depth, cases = depth - 1, cases - 1
            elif kind == lexer.OTHER:
                word = text[start]
                if word in _OPEN:
                    found.append((word, start, end, depth))
                    depth += 1
                    continue
                if word in _CLOSE and depth:
                    depth -= 1
            else:
                word = "'" if kind in {lexer.STRING, lexer.DOLLAR} else '"' if kind == lexer.QUOTED else text[start:end]
            found.append((word, start, end, depth))
        return found
