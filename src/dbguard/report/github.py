"""Annotations for GitHub Actions: workflow commands on standard output, worst first, because GitHub shows only ten of a kind."""

from __future__ import annotations

from dbguard.model.finding import Finding, Result, Severity
from dbguard.report.words import last_line, visible

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}


def render(result: Result) -> str:
    lines = [_finding(finding) for finding in sorted(result.findings, key=lambda finding: -finding.severity)]
    for part in result.unread:
        command, title = ("error", "dbguard could not read this file") if part.fatal else ("notice", "dbguard could not read this part")
        lines.append(f"::{command} file={_property(part.path)},line={part.line},title={_property(title)}::{_data(part.reason)}")
    lines += [f"::error title=dbguard check crashed::{_data(crash)}" for crash in result.crashed]
    return "".join(f"{line}\n" for line in [*lines, _data(last_line(result))])


def _finding(finding: Finding) -> str:
    place = {"file": finding.path, "line": finding.line, "col": finding.column, "endLine": finding.end_line}
    if finding.line == finding.end_line:
        place["endColumn"] = finding.end_column
    place["title"] = finding.rule
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items())
    details = [finding.message, *finding.because, f"instead: {finding.instead}" if finding.instead else "", finding.recipe or ""]
    return f"::{_COMMANDS[finding.severity]} {properties}::{_data(chr(10).join(filter(None, details)))}"


def _data(text: str) -> str:
    """A message, escaped as the runner unescapes it (actions/toolkit, packages/core/src/command.ts)."""
    return visible(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
