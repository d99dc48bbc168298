"""Findings to verdict: what is allowed goes, severities are decided, the rest is ordered, counted and given an exit code.

In: a `Result` with everything that was found and counted, the written exceptions, the selection of rules, the settings.
Out: the `Result` that is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

from dbguard.config import Config
from dbguard.judgement.allow import Allow, Applied, allows, apply, flags
from dbguard.judgement.severity import decide
from dbguard.model.finding import Finding, Result, Severity
from dbguard.rulebook.select import Selection

if TYPE_CHECKING:
    from dbguard.judgement.baseline import Known

__all__ = ["CLEAN", "COULD_NOT_LOOK", "FINDINGS", "Allow", "allows", "judge"]

CLEAN, FINDINGS, COULD_NOT_LOOK = 0, 1, 3
_REFUSED = "statement-fails"


def judge(
    found: Result,
    given: Iterable[Allow],
    selection: Selection,
    config: Config,
    *,
    today: date | None = None,
    known: Known | None = None,
) -> Result:
    """The verdict.

    `found.summary` brings the counts of files, migrations, statements and seconds; `found.unread` only parts of files that
    were asked for; `known` the findings of a baseline.
    """
    today = today or date.today()  # noqa: DTZ011 - `until=` is a day of the person who wrote it
    given = tuple(given)
    applied = apply(given, found.findings, found.unread, selection.book, today)
    everything = (*applied.findings, *_engine(given, applied, selection, today))
    findings = tuple(sorted(_of_what_runs(tuple(decide(everything, selection, config))), key=_order))
    silent, gone = 0, 0
    if known is not None:
        from dbguard.judgement.baseline import compare

        compared = compare(known, findings, selection, config)
        findings, silent, gone = compared.findings, compared.silent, len(compared.gone)
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    summary = found.summary._replace(
        unread=len(applied.unread),
        errors=counts[Severity.ERROR],
        warnings=counts[Severity.WARNING],
        advice=counts[Severity.ADVICE],
        lowered=sum(finding.lowered for finding in findings),
        allowed=applied.allowed,
        known=silent,
        gone=gone,
    )
    unread = tuple(sorted(applied.unread, key=lambda part: (part.path, part.line)))
    result = found._replace(findings=findings, unread=unread, summary=summary)
    return result._replace(exit_code=exit_code(result, config.fail_on, strict=config.strict))


def _of_what_runs(found: tuple[Finding, ...]) -> Iterable[Finding]:
    """Of a statement that PostgreSQL refuses only that is told, unless it is allowed or off: what it would do on those servers, it does not."""
    refused = {(one.path, one.start): one.postgres for one in found if one.rule == _REFUSED}
    if not refused:
        return found
    return [one for one in found if one.rule == _REFUSED or not _is_refused(one, refused)]


def _is_refused(finding: Finding, refused: Mapping[tuple[str, int], tuple[int, int] | None]) -> bool:
    """Whether its statement is refused on all of its versions."""
    at = finding.path, finding.start
    if at not in refused:
        return False
    low_high, own = refused[at], finding.postgres
    return low_high is None or (own is not None and low_high[0] <= own[0] and own[1] <= low_high[1])


def exit_code(result: Result, fail_on: Severity, *, strict: bool) -> int:
    """0 clean, 1 findings that matter, 3 something that was asked for could not be looked at; 3 wins over 1."""
    if result.crashed or any(part.fatal for part in result.unread):
        return COULD_NOT_LOOK
    if any(finding.severity >= fail_on for finding in result.findings) or (strict and result.unread):
        return FINDINGS
    return CLEAN


def _engine(given: tuple[Allow, ...], applied: Applied, selection: Selection, today: date) -> Iterator[Finding]:
    """What is wrong with the written exceptions themselves, as findings of dbguard's own rules."""
    for name, flag, allow in flags(given, applied, selection.book, selection.rules, today):
        rule = selection.rules.get(name)
        if rule is None:
            continue
        words = rule.wording(flag)
        yield Finding(
            rule=name,
            category=rule.category,
            severity=rule.severity,
            path=allow.path,
            line=allow.line,
            column=allow.column,
            end_line=allow.end_line,
            end_column=allow.end_column,
            message=words.message,
            instead=words.instead,
            recipe=words.recipe,
            excerpt=allow.text,
            start=allow.start,
        )


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.path, finding.line, finding.column, finding.rule, finding.message
