"""Lines of a text that speak to a migration tool, and the pieces of SQL between them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

# What cannot hold the beginning of a line: comments, literals on one line, everything between.
_SKIP = re.compile(r"""(?:[^'"$/eE-]++|--[^\n]*+|'[^'\n]*+'(?!')|"[^"\n]*+"(?!")|[eE](?!')|-(?!-)|/(?!\*))*+""")
_TOKEN = re.compile(r"/\*|[eE]'|'|\"|\$(?:[^\W\d]\w*)?\$")
_COMMENT = re.compile(r"/\*|\*/")
_ESCAPED = re.compile(r"(?:[^'\\]|\\.|'')*'", re.DOTALL)


def find(text: str, word: str, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    """Matches of `pattern` outside string literals. `word` must be in every match: texts without it cost nothing."""
    if word not in text:
        return []
    matches = list(pattern.finditer(text))
    if not matches or ("$" not in text and "'" not in text):
        return matches
    literals = _literals(text, matches[-1].start())
    starts = [start for start, _ in literals]

    def is_free(match: re.Match[str]) -> bool:
        before = bisect_right(starts, match.start()) - 1
        return before < 0 or match.start() >= literals[before][1]

    return [match for match in matches if is_free(match)]


def between(text: str, start: int, end: int, cuts: Iterable[re.Match[str]]) -> tuple[tuple[int, int], ...]:
    """The pieces of `start` to `end` that lie between the cuts, without blank ones."""
    pieces = []
    for cut in cuts:
        if start < min(cut.start(), end):
            pieces.append((start, min(cut.start(), end)))
        start = max(start, cut.end())
    if start < end:
        pieces.append((start, end))
    # Only short pieces are looked at: a blank one is the line end after a mark.
    return tuple(piece for piece in pieces if piece[1] - piece[0] > 100 or text[slice(*piece)].strip()) or ((end, end),)


def header(text: str) -> list[str]:
    """The comment lines at the top of a text, without their dashes."""
    lines = []
    position = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end == -1 else end
        line = text[position : min(end, position + 500)].strip()
        if line and not line.startswith("--"):
            break
        if line:
            lines.append(line[2:].strip())
        position = end + 1
    return lines


def _literals(text: str, until: int) -> list[tuple[int, int]]:
    """Spans of string literals and quoted names that may cross lines. One that never ends is no literal: an apostrophe too many is likelier."""
    spans = []
    position = _after_plain(text, 0)
    while position < until:
        token = _TOKEN.match(text, position)
        if token is None:
            position = _after_plain(text, position + 1)
            continue
        word, position = token.group(), token.end()
        if word == "/*":
            position = _after_comment(text, position)
        elif (end := _end_of_literal(text, word, position)) != -1:
            spans.append((token.start(), end))
            position = end
        position = _after_plain(text, position)
    return spans


def _after_plain(text: str, position: int) -> int:
    match = _SKIP.match(text, position)
    return match.end() if match else position


def _end_of_literal(text: str, opening: str, position: int) -> int:
    if opening in {"e'", "E'"}:
        match = _ESCAPED.match(text, position)
        return match.end() if match else -1
    end = text.find(opening, position)
    return -1 if end == -1 else end + len(opening)


def _after_comment(text: str, position: int) -> int:
    depth = 1
    while match := _COMMENT.search(text, position):
        position = match.end()
        depth += 1 if match.group() == "/*" else -1
        if not depth:
            return position
    return position
