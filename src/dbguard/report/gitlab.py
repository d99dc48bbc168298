"""GitLab Code Quality: findings in the diff and the widget of a merge request (GitLab's manual, "Code Quality report format")."""

from __future__ import annotations

import json
from typing import Any

from dbguard.model.finding import Finding, Result, Severity, UnreadPart
from dbguard.report.fingerprints import fingerprints
from dbguard.report.words import one_line

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.ADVICE: "minor", Severity.OFF: "info"}


def render(result: Result) -> str:
    """One entry a line. GitLab leaves out an entry whose path starts with `./` or `/`, and all but one of those with the same fingerprint."""
    unread = [_unread(part) for part in result.unread]
    issues = [
        *(_issue(finding, fingerprint) for finding, fingerprint in zip(result.findings, fingerprints(result.findings), strict=True)),
        *(
            _entry(finding, "unreadable" if part.fatal else "unread", "blocker" if part.fatal else "info", fingerprint)
            for part, finding, fingerprint in zip(result.unread, unread, fingerprints(unread), strict=True)
        ),
    ]
    lines = ",\n  ".join(json.dumps(issue, ensure_ascii=False) for issue in issues)
    return f"[\n  {lines}\n]\n" if lines else "[]\n"


def _issue(finding: Finding, fingerprint: str) -> dict[str, Any]:
    return _entry(finding, finding.rule, _SEVERITIES[finding.severity], fingerprint)


def _entry(finding: Finding, name: str, severity: str, fingerprint: str) -> dict[str, Any]:
    """`description` is one line of the widget: what happens, why, and what to do."""
    because = f" ({finding.because[0]})" if finding.because else ""
    instead = f"; {finding.instead}" if finding.instead else ""
    return {
        "description": one_line(f"{finding.message}{because}{instead}"),
        "check_name": one_line(name),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": _path(finding.path), "lines": {"begin": max(finding.line, 1), "end": max(finding.end_line, finding.line, 1)}},
    }


def _unread(part: UnreadPart) -> Finding:
    return Finding("unread", "exceptions", Severity.OFF, part.path, part.line, 1, part.line, 1, part.reason)


def _path(path: str) -> str:
    """Relative to the root of the repository, where dbguard is run in CI."""
    return path.replace("\\", "/").removeprefix("./").encode(errors="backslashreplace").decode()
