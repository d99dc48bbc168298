"""Written exceptions in the code that sends queries: `# dbguard: allow RULE - reason` in Python, `{# dbguard: allow ... #}` in templates.

In: the units of a workload as they pass, its findings. Out: the exceptions that stand in the files which sent something, and the findings
with their offsets in these files. An exception holds for the statement that it stands in, above, or behind on the same line, with all that
is inside of it: a loop, a function. One that allows nothing is told only where its lines sent two calls or more in one unit of work, for
the rule had nothing to look at elsewhere.
"""

from __future__ import annotations

import ast
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from dbguard.judgement import Allow, allows
from dbguard.model.calls import Unit
from dbguard.model.finding import Finding
from dbguard.model.source import Comment, Lines, Parsed, Script, Source, Statement
from dbguard.parsing.blocks import python_comments
from dbguard.rulebook import Rulebook

MOST_BYTES = 2_000_000
MOST_FILES = 5_000
_SUBJECTS = {"Unit", "Query", "Totals"}
_PYTHON = re.compile(r"#[ \t]*dbguard:(.*)", re.DOTALL)
_TEMPLATE = re.compile(r"\{#[ \t]*dbguard:(.*?)#\}", re.DOTALL)


class CodeAllows:
    """Sees units pass, and knows which lines sent calls."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._sent: dict[str, dict[int, int]] = {}  # file, line: the most calls in one unit

    def passing(self, units: Iterable[Unit]) -> Iterator[Unit]:
        for unit in units:
            self._take(unit)
            yield unit

    def _take(self, unit: Unit) -> None:
        counts = Counter(place for call in unit.calls for place in {(frame.path, frame.line) for frame in call.frames})
        for (path, line), count in counts.items():
            lines = self._sent.get(path)
            if lines is None:
                if len(self._sent) >= MOST_FILES:
                    continue
                lines = self._sent[path] = {}
            lines[line] = max(lines.get(line, 0), count)

    def found(self, findings: Iterable[Finding], book: Rulebook, without: Iterable[str] = ()) -> tuple[tuple[Finding, ...], tuple[Allow, ...]]:
        """Findings with their offsets, and exceptions. Files of `without` are read by others."""
        kept = tuple(findings)
        given: list[Allow] = []
        for path in sorted({*self._sent, *(finding.path for finding in kept)} - set(without)):
            text = self._read(path)
            if text is None:
                continue
            own = [allow for one in _allows(path, text) if (allow := _speaking(one, book)) is not None]
            if not own:
                continue
            kept = tuple([_placed(finding, text) if finding.path == path and finding.calls else finding for finding in kept])
            here = [finding for finding in kept if finding.path == path]
            given += [allow for allow in own if allow.wrong or self._is_judged(allow, text, here)]
        return kept, tuple(given)

    def _read(self, path: str) -> str | None:
        """The text of a file that speaks to dbguard."""
        try:
            with open(os.path.join(self._folder, path), "rb") as file:  # noqa: PTH118, PTH123 - as the capture has them
                raw = file.read(MOST_BYTES + 1)
        except (OSError, ValueError):
            return None
        return raw.decode("utf-8", "replace") if b"dbguard:" in raw and len(raw) <= MOST_BYTES else None

    def _is_judged(self, allow: Allow, text: str, findings: list[Finding]) -> bool:
        """Whether it allows something, or could have."""
        if any(allow.first <= finding.start < allow.last for finding in findings):
            return True
        lines = Lines(text)
        first, last = (1, 1 << 60) if allow.whole_file else (lines.at(max(allow.first, 0))[0], lines.at(max(allow.last - 1, 0))[0])
        return any(first <= line <= last and count > 1 for line, count in self._sent.get(allow.path, {}).items())


def _speaking(allow: Allow, book: Rulebook) -> Allow | None:
    """The exception without rules that are about something else than queries that are sent, as one in a migration is."""
    if allow.wrong:
        return allow
    rules = tuple([name for name in allow.rules if (rule := book.find(name)) is None or _SUBJECTS & set(rule.header.wakes)])
    return allow._replace(rules=rules) if rules else None


def _placed(finding: Finding, text: str) -> Finding:
    lines = text.split("\n")
    if not 1 <= finding.line <= len(lines):
        return finding
    line = lines[finding.line - 1]
    return finding._replace(start=sum(len(one) + 1 for one in lines[: finding.line - 1]) + len(line) - len(line.lstrip()))


def _allows(path: str, text: str) -> Iterator[Allow]:
    is_python = path.endswith((".py", ".pyi"))
    script = Script(Source(path, text), ())
    statements = _statements(text) if is_python else ()
    for comment in _comments(text, is_python=is_python):
        if is_python:
            around = _top(statements) if comment.text.lstrip().startswith("allow-file") else _about(comment, statements, text)
        else:
            around = _line_about(comment, text)
        yield from allows(Parsed(script, tuple([Statement(first, last, ()) for first, last in around]), (comment,)))


def _comments(text: str, *, is_python: bool) -> Iterator[Comment]:
    if not is_python:
        for match in _TEMPLATE.finditer(text):
            yield Comment(match.start(), match.end(), match[1].strip())
        return
    for start, words in python_comments(text):
        speaks = _PYTHON.match(words)
        if speaks is not None:
            yield Comment(start, start + len(words), speaks[1].strip())


Span = tuple[int, int]


def _statements(text: str) -> tuple[Span, ...]:
    """Every statement, those that begin first in front and outer ones before inner ones."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    raw = text.encode("utf-8", "replace").split(b"\n")
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + len(raw[line - 1][:column].decode("utf-8", "replace"))

    found = []
    documentation = tree.body[0] if ast.get_docstring(tree, clean=False) is not None else None
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node is not documentation:
            first = min([(node.lineno, node.col_offset), *((one.lineno, one.col_offset - 1) for one in getattr(node, "decorator_list", ()))])
            found.append((offset(*first), offset(node.end_lineno or node.lineno, node.end_col_offset or 0)))
    return tuple(sorted(found, key=lambda span: (span[0], -span[1])))


def _top(statements: tuple[Span, ...]) -> tuple[Span, ...]:
    return statements[:1]


def _about(comment: Comment, statements: tuple[Span, ...], text: str) -> tuple[Span, ...]:
    """The statement that a comment is about: the one on its line, else the outermost one that begins below it."""
    line = text.rfind("\n", 0, comment.start) + 1
    if text[line : comment.start].strip():
        beside = [span for span in statements if span[0] < comment.start and (span[0] >= line or span[1] > line)]
        first = [span for span in beside if span[0] >= line]
        return tuple((first or beside[-1:])[:1])
    below = [span for span in statements if span[0] > comment.start]
    return tuple(below[:1])


def _line_about(comment: Comment, text: str) -> tuple[Span, ...]:
    """In a template the line that a comment stands on, or the next one if it stands alone."""
    first = text.rfind("\n", 0, comment.start) + 1
    last = text.find("\n", comment.end)
    last = len(text) if last < 0 else last
    if not (text[first : comment.start] + text[comment.end : last]).strip():
        first, last = last + 1, text.find("\n", last + 1)
        last = len(text) if last < 0 else last
    return ((first + len(text[first:last]) - len(text[first:last].lstrip()), last),)
