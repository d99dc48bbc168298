"""Written exceptions: `-- dbguard: allow RULE[, RULE] [until=2027-01-31] - reason`.

In: the comments of a parsed script. Out: `Allow`s with the offsets in which they hold, and what is wrong with those that
allow nothing. An `allow` holds for the statement that it stands in, above, or behind on the same line; `allow-file`
stands above the first statement and holds for the whole file. `unread` instead of a rule stands for what was not understood.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import date

from dbguard.model.finding import Finding, Flag, UnreadPart
from dbguard.model.record import Record
from dbguard.model.source import Comment, Lines, Parsed, Statement
from dbguard.rulebook import Rulebook, nearest

UNREAD = "unread"
# Texts, compiled when the first comment speaks to dbguard.
_DIRECTIVE = r"(?s)\s*(?P<word>[\w-]+)(?P<rest>.*)"
_REASON = r"\s+(?:--?|[\u2013\u2014])\s+|\s+(?:--?|[\u2013\u2014])$|^(?:--?|[\u2013\u2014])\s+"
_UNTIL = r"\buntil=(\S*)"
_NOWHERE = (-1, -1)


class Allow(Record):
    """One comment, with the offsets `[first, last)` of its source in which it holds."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    text: str
    rules: tuple[str, ...] = ()
    reason: str = ""
    until: date | None = None
    first: int = -1
    last: int = -1
    lines: tuple[int, int] = _NOWHERE  # the same as lines, both included, for parts that were not understood
    whole_file: bool = False
    wrong: str = ""  # why it is no directive at all


def allows(parsed: Parsed) -> tuple[Allow, ...]:
    """The written exceptions of a script."""
    if not parsed.comments:
        return ()
    text = parsed.script.source.text
    lines = Lines(text)
    statements = sorted(parsed.statements, key=lambda statement: statement.start)
    return tuple(_read(comment, parsed.script.source.path, text, lines, statements) for comment in parsed.comments)


def _read(comment: Comment, path: str, text: str, lines: Lines, statements: list[Statement]) -> Allow:
    line, column = lines.at(comment.start)
    end_line, end_column = lines.at(comment.end)
    allow = Allow(path, line, column, end_line, end_column, comment.start, text[comment.start : comment.end])
    match = re.match(_DIRECTIVE, comment.text)
    word = match["word"] if match else ""
    if match is None or word not in {"allow", "allow-file"}:
        return allow._replace(wrong=f"`{word}` is not something dbguard does" if word else "nothing follows `dbguard:`")
    head, _, reason = _split_reason(match["rest"])
    until = re.search(_UNTIL, head) or re.search(_UNTIL, reason)
    if until is not None:
        try:
            allow = allow._replace(until=date.fromisoformat(until[1].rstrip(",.;)")))
        except ValueError:
            return allow._replace(wrong=f"`until={until[1]}` is not a date such as until=2027-01-31")
        head, reason = re.sub(_UNTIL, "", head), re.sub(_UNTIL, "", reason)
    allow = allow._replace(rules=tuple(re.findall(r"[^\s,]+", head)), reason=reason.strip(" -\n\t"))
    if not allow.rules:
        return allow._replace(wrong=f"`{word}` needs the name of a rule")
    if word == "allow-file":
        on_top = not statements or comment.start < statements[0].start
        return allow._replace(
            whole_file=True, first=0 if on_top else -1, last=len(text) + 1 if on_top else -1, lines=(1, 1 << 60) if on_top else _NOWHERE
        )
    statement = _statement(comment, text, statements)
    if statement is None:
        return allow
    return allow._replace(
        first=statement.start, last=max(statement.end, statement.start + 1), lines=(lines.at(statement.start)[0], lines.at(statement.end)[0])
    )


def _split_reason(rest: str) -> tuple[str, str, str]:
    match = re.search(_REASON, rest)
    return (rest, "", "") if match is None else (rest[: match.start()], match[0], rest[match.end() :])


def _statement(comment: Comment, text: str, statements: list[Statement]) -> Statement | None:
    """The statement that the comment stands in, behind on the same line, or above."""
    following = bisect_left([statement.start for statement in statements], comment.start)
    if following > 0:
        before = statements[following - 1]
        if comment.start < before.end or "\n" not in text[before.end : comment.start]:
            return before
    return statements[following] if following < len(statements) else None


class Applied(Record):
    findings: tuple[Finding, ...]  # those that no exception covers
    unread: tuple[UnreadPart, ...]
    used: frozenset[tuple[int, str]]  # ordinal of the exception, and the name in it
    allowed: int


def apply(given: tuple[Allow, ...], findings: Iterable[Finding], unread: Iterable[UnreadPart], book: Rulebook, today: date) -> Applied:
    """Take away what is allowed. An exception without a reason, or past its date, allows nothing."""
    by_place: dict[tuple[str, str], list[tuple[int, str, Allow]]] = {}
    for ordinal, allow in enumerate(given):
        if allow.wrong or not allow.reason or (allow.until is not None and allow.until < today):
            continue
        for name in allow.rules:
            rule = book.find(name)
            by_place.setdefault((allow.path, name if rule is None else rule.name), []).append((ordinal, name, allow))
    used: set[tuple[int, str]] = set()

    def is_allowed(path: str, rule: str, place: int, *, is_line: bool) -> bool:
        covering = [(ordinal, name) for ordinal, name, allow in by_place.get((path, rule), ()) if _holds(allow, place, is_line=is_line)]
        used.update(covering)
        return bool(covering)

    findings, unread = tuple(findings), tuple(unread)
    kept = tuple([one for one in findings if (one.path, one.rule) not in by_place or not is_allowed(one.path, one.rule, one.start, is_line=False)])
    unseen = tuple(one for one in unread if one.fatal or not is_allowed(one.path, UNREAD, one.line, is_line=True))
    return Applied(kept, unseen, frozenset(used), len(findings) - len(kept) + len(unread) - len(unseen))


def _holds(allow: Allow, place: int, *, is_line: bool) -> bool:
    return allow.lines[0] <= place <= allow.lines[1] if is_line else allow.first <= place < allow.last


def flags(given: tuple[Allow, ...], applied: Applied, book: Rulebook, on: Iterable[str], today: date) -> Iterator[tuple[str, Flag, Allow]]:
    """What is wrong with exceptions: the name of the rule of dbguard itself, the facts, the exception."""
    switched_on = {*on, UNREAD}
    for ordinal, allow in enumerate(given):
        if allow.wrong:
            yield "allow-unknown-rule", Flag({"problem": allow.wrong}, variant="directive"), allow
            continue
        names = ", ".join(allow.rules)
        if not allow.reason:
            yield "allow-without-reason", Flag({"rules": names}), allow
        expired = allow.until is not None and allow.until < today
        if expired:
            yield "allow-expired", Flag({"rules": names, "until": str(allow.until)}), allow
        for name in allow.rules:
            rule = book.find(name)
            if rule is None and name != UNREAD:
                yield "allow-unknown-rule", _unknown(name, book), allow
            elif (ordinal, name) not in applied.used and allow.reason and not expired and (name if rule is None else rule.name) in switched_on:
                yield "allow-unused", Flag({"rule": name}, variant="misplaced" if allow.whole_file and allow.first < 0 else ""), allow


def _unknown(name: str, book: Rulebook) -> Flag:
    others = book.known_as(name)
    near = others[0] if others else nearest(name, book.rules)
    if near is None:
        return Flag({"rule": name})
    return Flag({"rule": name, "near": near}, variant="near")
