"""A result as Markdown, for a comment on a pull request: one table, and the details folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbguard.model.finding import Finding, Result, Severity, UnreadPart
from dbguard.report.markdown_parts import COMMENT_LIMIT, Section, code, code_html, fence, fold, page, plain_html, row, sentence
from dbguard.report.words import counted, last_line, versions

REST = "The whole report is in the log of the job."
MARKS = {Severity.ERROR: "⛔", Severity.WARNING: "⚠️", Severity.ADVICE: "ℹ️", Severity.OFF: ""}
_COULD_NOT_LOOK = 3


def render(result: Result) -> str:
    return limited(result, COMMENT_LIMIT)


def limited(result: Result, limit: int) -> str:
    """The page in fewer than `limit` bytes: the worst first, whole findings only."""
    findings = sorted(result.findings, key=lambda finding: -finding.severity)
    opening = f"## dbguard: {_verdict(result)}\n\n{sentence(last_line(result), 2_000)}"
    details = Section("finding in full", findings, finding_details, share=0.6, between="\n\n", many="findings in full")
    return page(opening, [findings_table(findings), details, unread(result)], limit, REST)


def _verdict(result: Result) -> str:
    if result.exit_code == _COULD_NOT_LOOK:
        return "⛔ not everything could be looked at"
    if not result.findings:
        return "✅ nothing found"
    return f"{MARKS[max(finding.severity for finding in result.findings)]} {counted(len(result.findings), 'finding')}"


def findings_table(findings: Sequence[Finding]) -> Section:
    head = "| | where | rule | what happens |\n|---|---|---|---|\n"
    return Section("row of the table of findings", findings, _row, head, share=0.4, many="rows of the table of findings")


def _row(finding: Finding) -> str:
    where = code(f"{finding.path}:{finding.line}")
    return row(f"{MARKS[finding.severity]} {finding.severity}", where, code(finding.rule), sentence(finding.message, 300))


def finding_details(finding: Finding) -> str:
    """One finding, folded."""
    return fold(
        f"{MARKS[finding.severity]} {code_html(f'{finding.path}:{finding.line}')} {plain_html(finding.rule)}",
        "\n\n".join(_details(finding)),
    )


def _details(finding: Finding) -> Iterator[str]:
    yield f"**What happens:** {sentence(finding.message)}"
    if finding.excerpt:
        yield fence(finding.excerpt, "sql", 1_500)
    because = [*finding.because, *(f"assumed: {one}" for one in finding.assumes)]
    if finding.postgres is not None:
        because.append(f"on {versions(finding.postgres)}")
    if because:
        yield "\n".join(f"- because {sentence(one)}" for one in because)
    if len(finding.places) > 1:
        frames = (code(f"{path}:{line} {function}") for path, line, function in finding.places)
        yield "\n".join(["called from", *(f"{number}. {frame}" for number, frame in enumerate(frames, 1))])
    if finding.instead:
        yield f"**Instead:** {sentence(finding.instead)}"
    if finding.recipe:
        yield fence(finding.recipe, "sql" if finding.path.endswith(".sql") else "")
    yield f"More: {code(f'dbguard rule {finding.rule}')}"


def unread(result: Result) -> Section:
    """What was not seen, so that silence is not taken for safety."""
    return Section("part that was not read", [*result.unread, *result.crashed], _unread, "**Not read**\n\n", many="parts that were not read")


def _unread(part: UnreadPart | str) -> str:
    if isinstance(part, str):
        return f"- a check crashed: {code(part)}"
    return f"- {code(f'{part.path}:{part.line}')} {'could not be opened: ' if part.fatal else ''}{sentence(part.reason)}"
