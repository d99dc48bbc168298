"""The result of a check as one HTML file."""

from __future__ import annotations

from dbguard.model.finding import Result, Severity
from dbguard.report.html_findings import findings, is_repeated, repeated, unseen
from dbguard.report.html_page import Part, document
from dbguard.report.html_parts import el, prose, sign
from dbguard.report.words import counted, last_line, versions

_COULD_NOT_LOOK = 3


def render(result: Result) -> str:
    """A page that needs nothing beside it."""
    stacks = [finding for finding in result.findings if is_repeated(finding)]
    others = [finding for finding in result.findings if not is_repeated(finding)]
    worst = max((finding.severity for finding in result.findings), default=Severity.OFF)
    level = 2 if worst is Severity.ERROR or result.exit_code == _COULD_NOT_LOOK else 1 if worst is Severity.WARNING else 0
    title = counted(len(result.findings), "finding") if result.findings else "nothing found"
    head = el(
        "div",
        el("p", "dbguard check", class_="kicker"),
        el("h1", sign(level), title),
        el("p", prose(last_line(result), 3_000)),
        class_=f"banner level{level}",
    )
    parts = (
        Part("findings", "Findings", findings(others), f"{len(others):,}"),
        Part("repeated", "Repeated queries", repeated(stacks), f"{len(stacks):,}"),
        Part("unseen", "Not seen, or assumed", unseen(result.unread, (), (*result.recognised, *result.notes), result.crashed)),
    )
    return document(f"dbguard check: {title}", head, parts, f"{versions(result.postgres)}.")
