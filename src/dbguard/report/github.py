"""Annotations for GitHub Actions: workflow commands on standard output, worst first, because GitHub shows only ten of a kind."""

from __future__ import annotations

from dbguard.model.finding import Finding, Result, Severity
from dbguard.report.words import last_line, visible

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}


MOST_SHOWN = 10  # of a kind, in one step; the rest stands in its log only


def render(result: Result) -> str:
    return "".join(f"{line}\n" for line in [*commands(result), _data(last_line(result))])


def commands(result: Result, first: str = "") -> list[str]:
    """Workflow commands, the worst first, `first` before all. Of more than ten of a kind, the tenth tells how many follow."""
    lines = [first] if first else []
    lines += [_finding(finding) for finding in sorted(result.findings, key=lambda finding: -finding.severity)]
    for part in result.unread:
        command, title = ("error", "dbguard could not read this file") if part.fatal else ("notice", "dbguard could not read this part")
        lines.append(f"::{command} file={_property(part.path)},line={part.line},title={_property(title)}::{_data(part.reason)}")
    lines += [f"::error title=dbguard check crashed::{_data(crash)}" for crash in result.crashed]
    for command in _COMMANDS.values():
        of_kind = [position for position, line in enumerate(lines) if line.startswith(f"::{command} ")]
        if (hidden := len(of_kind) - MOST_SHOWN + 1) > 1:
            lines.insert(of_kind[MOST_SHOWN - 1], annotation(command, "dbguard", f"{hidden:,} more {command}s are in the log of this step"))
    return lines


def annotation(command: str, title: str, text: str) -> str:
    """One that stands at no file. `command` is error, warning or notice."""
    return f"::{command} title={_property(title)}::{_data(text)}"


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
