"""Findings for people: what happens, where, why, what to do instead. Colour only when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dbguard.model.finding import Finding, Result, Severity
from dbguard.report.words import last_line, one_line, versions, visible

Painter = Callable[[str, str], str]
"""Puts a text in a colour, or leaves it."""

LONGEST_EXCERPT = 8
MOST_HISTORIES = 6
MANY = 20  # migrations with findings: more than one release has
WIDEST = 160

_COLORS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.ADVICE: "1;36"}
_DIM, _BOLD, _ODD = "2", "1", "1;35"
_ADOPTED = "most of these have run already? --since main tells only what changed, and start-after in the configuration leaves out what has run"
_FIRST_WORDS = r"\w+(?: \w+)?"


def render(result: Result, *, color: bool = False) -> str:
    """The report; with `color`, escape sequences for a terminal."""
    paint = painter(color=color)
    blocks = ["\n".join(finding_lines(finding, paint)) for finding in result.findings]
    if result.unread:
        kinds = {False: "not read", True: "unreadable"}
        blocks.append("\n".join(f"{paint(kinds[part.fatal], _ODD)}  {one_line(f'{part.path}:{part.line}  {part.reason}')}" for part in result.unread))
    if result.crashed:
        blocks.append("\n".join(f"{paint('crashed', _ODD)}  {one_line(crash)}" for crash in result.crashed))
    told = [*result.recognised[:MOST_HISTORIES], *result.notes]
    if len(result.recognised) > MOST_HISTORIES:
        told.insert(MOST_HISTORIES, f"and {len(result.recognised) - MOST_HISTORIES:,} more histories")
    last = [paint(visible(line), _DIM) for line in told]
    if not told or blocks or result.summary.files or result.summary.skipped_files:  # else the note says it: nothing is staged, or changed
        last.append(last_line(result))
    if len({finding.path for finding in result.findings}) >= MANY and result.summary.migrations >= MANY:
        last.append(paint(_ADOPTED, _DIM))
    return "\n\n".join([*blocks, "\n".join(last)]) + "\n"


def finding_lines(finding: Finding, paint: Painter) -> Iterator[str]:
    """A finding as a block of lines."""
    severity = "" if finding.severity is Severity.ERROR else f" ({finding.severity})"
    yield f"{paint(f'{one_line(finding.path)}:{finding.line}', _BOLD)}  {paint(finding.rule, _COLORS[finding.severity])}{severity}"
    yield f"  {one_line(finding.message)}"
    yield from _excerpt(finding, paint)
    because = [*finding.because, *(f"assumed: {sentence}" for sentence in finding.assumes)]
    if finding.postgres is not None:
        because.append(f"on {versions(finding.postgres)}")
    if finding.lowered:
        because.append("the table is known to be small, so this is advice")
    for number, sentence in enumerate(because):
        yield f"  {paint('because', _DIM) if number == 0 else ' ' * 7}  {one_line(sentence)}"
    if finding.instead:
        yield f"  {paint('instead', _DIM)}  {one_line(finding.instead)}"
    for line in (finding.recipe or "").splitlines():
        yield f"             {visible(line)}".rstrip()
    yield f"  {paint('more', _DIM)}     dbguard rule {finding.rule}"


def _excerpt(finding: Finding, paint: Painter) -> Iterator[str]:
    lines = visible(finding.excerpt).splitlines()
    if not lines:
        return
    if finding.calls:  # it stands at a line of the program, and what was sent there is no line of a file
        sql = one_line(" ".join(finding.excerpt.split()))
        yield f"  {paint('query', _DIM)}    {sql[:WIDEST]}{'...' if len(sql) > WIDEST else ''}"
        return
    width = max(3, len(str(finding.line + min(len(lines), LONGEST_EXCERPT) - 1)))
    for number, line in enumerate(lines[:LONGEST_EXCERPT], start=finding.line):
        shown = line.expandtabs(4)
        yield f" {paint(f'{number:>{width}} |', _DIM)} {shown[:WIDEST]}{'...' if len(shown) > WIDEST else ''}".rstrip()
        if number == finding.line and (words := re.match(_FIRST_WORDS, shown)):
            yield f" {' ' * width}   {paint('^' * len(words[0]), _COLORS[finding.severity])}"
    if len(lines) > LONGEST_EXCERPT:
        yield f" {paint(f'{chr(46) * 3:>{width}} |', _DIM)} {len(lines) - LONGEST_EXCERPT} more lines"


def painter(*, color: bool) -> Painter:
    return _painted if color else _plain


def _plain(text: str, _code: str) -> str:
    return text


def _painted(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"
