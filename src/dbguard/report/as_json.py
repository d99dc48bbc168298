"""The result for programs: `dbguard check --format json`, described in docs/json.md and docs/schemas/check.json."""

from __future__ import annotations

import json
from typing import Any

from dbguard.model.finding import Finding, Result, UnreadPart

VERSION = 1
_line = json.JSONEncoder(ensure_ascii=False).encode


def render(result: Result) -> str:
    """One finding a line: as easy to search as to parse, and four times as fast to write as an indented document."""
    parts = (
        f'  "{key}": {_lines(value) if isinstance(value, list) and key != "postgres" else _line(value)}' for key, value in document(result).items()
    )
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(values: list[Any]) -> str:
    return "[\n    " + ",\n    ".join(map(_line, values)) + "\n  ]" if values else "[]"


def document(result: Result) -> dict[str, Any]:
    """The result as plain values."""
    summary = result.summary._asdict()
    del summary["allowed"]
    summary["seconds"] = round(summary["seconds"], 3)
    return {
        "version": VERSION,
        "postgres": list(result.postgres),
        "findings": [_finding(finding) for finding in result.findings],
        "unread": [_unread(part) for part in result.unread],
        "summary": summary,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "category": finding.category,
        "severity": str(finding.severity),
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "message": finding.message,
        "instead": finding.instead,
        "recipe": finding.recipe,
        "assumes": list(finding.assumes),
        "postgres": None if finding.postgres is None else list(finding.postgres),
        "url": finding.url,
    }


def _unread(part: UnreadPart) -> dict[str, Any]:
    return {"path": part.path, "line": part.line, "reason": part.reason}
