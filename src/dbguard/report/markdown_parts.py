"""GitHub's and GitLab's Markdown from text that nobody has checked: code, sentences, fences, folds, and pages of a limited size.

Names in SQL, paths and messages of servers can hold anything. None of it may become markup, a link, a mention (@name), a
reference (#1, !1), or a quick action of GitLab (a line that starts with `/close`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dbguard.model.record import Record
from dbguard.report.words import counted, one_line, unturned, visible

COMMENT_LIMIT = 65_536  # characters of a comment on GitHub; bytes are counted here, of which no text has fewer
SUMMARY_LIMIT = 1_048_576  # bytes of a step summary on GitHub
_RESERVED = 900  # for the sentence that tells what was left out, and for what a publisher adds
_MOST_MISSES = 20  # items that do not fit, before the rest is not even written
_BREAK = "&#8203;"  # zero-width space: ends a mention, a reference or a link before it begins
BAR = r"\|"
_SPECIAL = re.compile(r"[\\`*\[\]<>&|~#@!$]|(?<!\w)_+|_+(?!\w)|://|\bwww\.|\bGH-", re.IGNORECASE)
_QUICK_ACTION = re.compile(r"^(?=\s*/[a-z])", re.MULTILINE | re.IGNORECASE)


def code(text: str, most: int = 200) -> str:
    """`text` as a code span; in a table it needs `row`."""
    plain = _flat(text, most)
    fence = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    pad = " " if plain.startswith(("`", " ")) or plain.endswith(("`", " ")) or not plain else ""
    return f"{fence}{pad}{plain or ' '}{pad}{fence}"


def row(*cells: str) -> str:
    """A row of a table: a bar ends a cell even inside of code, unless it is escaped."""
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def sentence(text: str, most: int = 600) -> str:
    """`text` as prose; what stands between single backticks in it becomes code. Never at the start of a line."""
    parts = _flat(text, most).split("`")
    if len(parts) % 2 == 0 or "" in parts[1::2]:  # not ours: backticks that do not match
        return _escaped("`".join(parts))
    return "".join(code(part, most) if position % 2 else _escaped(part) for position, part in enumerate(parts))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(_neutral, text)


def _neutral(match: re.Match[str]) -> str:
    found = match[0]
    if found.startswith("_"):
        return "&#95;" * len(found)
    if len(found) > 1:
        return f"{found[0]}{_BREAK}{found[1:]}"
    return f"&#{ord(found)};{_BREAK if found in '@#!$~&' else ''}"


def fence(text: str, language: str = "", most: int = 4_000) -> str:
    """A block of code. A line that GitLab would run as a quick action is moved by one space."""
    plain = _QUICK_ACTION.sub(" ", cut(unturned(visible(text[: 4 * most])).strip("\n"), most))
    marks = "`" * max(3, max(map(len, re.findall("`+", plain)), default=0) + 1)
    return f"{marks}{language}\n{plain}\n{marks}"


def fold(summary: str, body: str) -> str:
    """`body`, Markdown, behind a triangle. `summary` is HTML made by `tag` and its siblings."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def plain_html(text: str, most: int = 200) -> str:
    """`text` for the summary of a fold, where no Markdown is read, but mentions are."""
    return html.escape(_flat(text, most)).replace("@", f"@{_BREAK}").replace("#", f"&#35;{_BREAK}").replace("://", f":{_BREAK}//")


def code_html(text: str, most: int = 200) -> str:
    return f"<code>{html.escape(_flat(text, most)) or ' '}</code>"


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()} ..."


def _flat(text: str, most: int) -> str:
    """At most so many characters, on one line; what is far behind them is not even looked at."""
    return cut(unturned(" ".join(one_line(text[: 20 * most]).split())), most)


class Section(Record):
    """A part of a page that can lose items at its end, each of them whole."""

    one: str  # "step": what an item is, to tell how many are left out
    items: Sequence[Any]
    show: Callable[[Any], str]
    head: str = ""  # heading; of a table also its first two lines
    tail: str = ""
    share: float = 1.0  # of the page, at most
    between: str = "\n"
    many: str = ""


def page(opening: str, sections: Iterable[Section], limit: int, rest: str) -> str:
    """A page of fewer than `limit` bytes. `rest` says where what was left out can be read."""
    room = limit - _RESERVED - _bytes(opening)
    parts, left_out = [opening], []
    for section in sections:
        allowed = min(room, int(limit * section.share)) - _bytes(section.head) - _bytes(section.tail) - 4
        taken: list[str] = []
        misses = 0
        for item in map(section.show, section.items):
            if (needed := _bytes(item) + len(section.between)) <= allowed:
                allowed -= needed
                taken.append(item)
            elif (misses := misses + 1) > _MOST_MISSES:
                break
        if taken:
            part = "\n\n".join(filter(None, (section.head + section.between.join(taken), section.tail)))
            parts.append(part)
            room -= _bytes(part) + 2
        if missing := len(section.items) - len(taken):
            left_out.append(counted(missing, section.one, section.many))
    if left_out:
        parts.append(f"*Left out to keep this short: {', '.join(left_out)}. {rest}*")
    return "\n\n".join(filter(None, parts)) + "\n"


def _bytes(text: str) -> int:
    return len(text.encode())
