"""SARIF 2.1.0 for code scanning. Regions are counted in code points; fingerprints survive moved lines."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from dbguard.model.finding import Finding, Result, Severity, UnreadPart
from dbguard.report.fingerprints import fingerprints
from dbguard.rulebook import Rulebook
from dbguard.rulebook.render import as_markdown
from dbguard.version import __version__

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "note", Severity.OFF: "none"}


def render(result: Result) -> str:
    return json.dumps(document(result), indent=2, ensure_ascii=False) + "\n"


def document(result: Result) -> dict[str, Any]:
    rules = sorted({finding.rule for finding in result.findings})
    run = {
        "tool": {"driver": _driver(rules)},
        "invocations": [_invocation(result)],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"ROOT": {"description": {"text": "the folder in which dbguard was run"}}},
        "results": _results(result.findings, {rule: index for index, rule in enumerate(rules)}),
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _driver(names: list[str]) -> dict[str, Any]:
    book = Rulebook.load() if names else None
    return {"name": "dbguard", "version": __version__, "semanticVersion": __version__, "rules": [_rule(name, book) for name in names]}


def _rule(name: str, book: Rulebook | None) -> dict[str, Any]:
    rule = book.find(name) if book is not None else None
    if rule is None:
        return {"id": name}
    header = rule.header
    return {
        "id": name,
        "shortDescription": {"text": header.message},
        "fullDescription": {"text": rule.body().paragraph},
        "help": {"text": header.instead, "markdown": as_markdown(rule)},
        "defaultConfiguration": {"level": _LEVELS[header.severity], "enabled": header.default},
        "properties": {"tags": [header.category, "postgresql"]},
    }


def _results(findings: tuple[Finding, ...], indexes: dict[str, int]) -> list[dict[str, Any]]:
    results = []
    for finding, fingerprint in zip(findings, fingerprints(findings), strict=True):
        results.append(
            {
                "ruleId": finding.rule,
                "ruleIndex": indexes[finding.rule],
                "level": _LEVELS[finding.severity],
                "message": {"text": _message(finding)},
                "locations": [{"physicalLocation": {"artifactLocation": _artifact(finding.path), "region": _region(finding)}}],
                "partialFingerprints": {"dbguard/v1": fingerprint},
            }
        )
    return results


def _message(finding: Finding) -> str:
    parts = [finding.message, *finding.because, *(f"assumed: {sentence}" for sentence in finding.assumes)]
    if finding.instead:
        parts.append(f"instead: {finding.instead}")
    return "\n".join(part for part in (*parts, finding.recipe) if part)


def _region(finding: Finding) -> dict[str, int]:
    return {"startLine": finding.line, "startColumn": finding.column, "endLine": finding.end_line, "endColumn": finding.end_column}


def _artifact(path: str) -> dict[str, str]:
    """A relative path is relative to where dbguard was run; an absolute one becomes a file URI."""
    encoded = quote(path.replace("\\", "/").encode(errors="surrogateescape"), safe="/-._~!$&'()*+,;=@")
    if encoded.startswith("/"):
        return {"uri": f"file://{encoded}"}
    return {"uri": encoded.removeprefix("./"), "uriBaseId": "ROOT"}


def _invocation(result: Result) -> dict[str, Any]:
    notifications = [_unread(part) for part in result.unread]
    notifications += [
        {"level": "error", "message": {"text": f"a check crashed: {crash}"}, "descriptor": {"id": "check-crashed"}} for crash in result.crashed
    ]
    return {
        "executionSuccessful": result.exit_code in {0, 1},
        "exitCode": result.exit_code,
        "toolExecutionNotifications": notifications,
    }


def _unread(part: UnreadPart) -> dict[str, Any]:
    return {
        "level": "error" if part.fatal else "note",
        "message": {"text": part.reason},
        "descriptor": {"id": "unreadable" if part.fatal else "unread"},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(part.path), "region": {"startLine": max(part.line, 1)}}}],
    }
