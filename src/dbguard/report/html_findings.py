"""Findings, call stacks, and what was not seen, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbguard.model.finding import Finding, Severity, UnreadPart
from dbguard.report.html_parts import ADVICE, Html, block, code, el, join, labelled, listed, prose, sign
from dbguard.report.words import counted, versions

MOST_FINDINGS = 400
MOST_OPEN = 20
_LEVEL = {Severity.ERROR: 2, Severity.WARNING: 1, Severity.ADVICE: 0, Severity.OFF: 0}


def findings(found: Sequence[Finding]) -> Html:
    """A block each, the worst first and open."""
    ordered = sorted(found, key=lambda finding: -finding.severity)
    shown = [
        _finding(finding, opened=finding.severity is Severity.ERROR and position < MOST_OPEN)
        for position, finding in enumerate(ordered[:MOST_FINDINGS])
    ]
    return join([*shown, more(len(ordered) - MOST_FINDINGS, "finding")])


def repeated(found: Sequence[Finding]) -> Html:
    """Queries that one place sends again and again, as call stacks: the line that sends them, then what led there."""
    ordered = sorted(found, key=lambda finding: -finding.calls)
    return join([*map(_stack, ordered[:MOST_FINDINGS]), more(len(ordered) - MOST_FINDINGS, "query", "queries")])


def is_repeated(finding: Finding) -> bool:
    return bool(finding.calls > 1 and finding.places)


def more(hidden: int, one: str, many: str = "") -> Html:
    return el("p", f"and {counted(hidden, f'more {one}', f'more {many}' if many else '')}", class_="muted") if hidden > 0 else Html("")


def _finding(finding: Finding, *, opened: bool) -> Html:
    level = _LEVEL[finding.severity]
    summary = el(
        "summary",
        el("span", sign(level or ADVICE), el("span", str(finding.severity)), class_=f"severity level{level}"),
        el("span", prose(finding.message), class_="what"),
        el("span", code(f"{finding.path}:{finding.line}", 200), " ", finding.rule, class_="where"),
    )
    return el("details", summary, el("div", *_body(finding), class_="inside"), open=opened, class_="finding")


def _body(finding: Finding) -> Iterable[Html]:
    if finding.excerpt:
        yield block(finding.excerpt)
    because = [*finding.because, *(f"assumed: {sentence}" for sentence in finding.assumes)]
    if finding.postgres is not None:
        because.append(f"on {versions(finding.postgres)}")
    yield labelled((("because", listed(because)), ("instead", finding.instead or "")))
    if finding.recipe:
        yield block(finding.recipe)
    yield el("p", "more: ", code(f"dbguard rule {finding.rule}"), class_="muted")


def _stack(finding: Finding) -> Html:
    frames = [el("li", code(f"{path}:{line}", 200), " ", el("span", function, class_="function")) for path, line, function in finding.places[:12]]
    units = f" at most, in {counted(finding.units, 'unit')} of work" if finding.units > 1 else ""
    title = el("h3", el("span", f"{finding.calls:,} calls", class_="calls"), units, class_="stack-title")
    told = labelled((("because", listed(finding.because)), ("instead", finding.instead or ""), ("rule", code(finding.rule))))
    return el("article", title, el("p", prose(finding.message)), el("ol", *frames, class_="stack"), block(finding.excerpt), told, class_="card")


def unseen(unread: Sequence[UnreadPart], assumes: Iterable[str], notes: Iterable[str], crashed: Iterable[str] = ()) -> Html:
    """What was not read, assumed, or worth a remark: silence elsewhere means safe only with this."""
    parts = [
        join([code(f"{part.path}:{part.line}", 200), " could not be opened: " if part.fatal else " ", prose(part.reason)])
        for part in unread[:MOST_FINDINGS]
    ]
    groups = (
        ("Not read", [*parts, *(join(["a check crashed: ", prose(crash)]) for crash in crashed)]),
        ("Assumed", list(dict.fromkeys(assumes))),
        ("Noted", list(notes)),
    )
    return join(join([el("h3", title), listed(items)]) for title, items in groups if items)
