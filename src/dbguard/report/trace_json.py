"""A trace for programs: `dbguard trace --format json`, described in docs/trace.md and docs/schemas/trace.json."""

from __future__ import annotations

import json
from typing import Any

from dbguard.report import as_json
from dbguard.report.locks_json import fields

VERSION = 1
_WHERE = {"path", "line", "column", "sql"}


def render(trace: Any) -> str:
    """`trace` is the `Trace` of `pipelines.trace`."""
    checked = json.loads(as_json.render(trace.result))
    document = {
        "version": VERSION,
        "postgres": trace.postgres,
        "statements": [_statement(one) for one in trace.statements],
        "findings": checked["findings"],
        "unread": checked["unread"],
        "notes": [*trace.result.notes, *trace.notes],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _statement(one: Any) -> dict[str, Any]:
    observed = None if one.observed is None else {key: value for key, value in fields(one.observed).items() if key not in _WHERE}
    return {
        **fields(one.predicted),
        "direction": one.direction,
        "observed": observed,
        "held": [{"relation": lock.relation, "mode": lock.mode, "blocks": list(lock.blocks)} for lock in one.held],
        "differences": list(one.differences),
        "seconds": one.seconds,
        "error": None if one.error is None else _error(one.error),
        "skipped": one.skipped or None,
        "notes": list(one.notes),
        "waits": [{"shape": query.shape, "sql": query.sql} for query in one.waits],
        "breaks": [{"shape": query.shape, "sql": query.sql, "error": query.error} for query in one.breaks],
    }


def _error(error: Any) -> dict[str, Any]:
    return {
        "message": error.message,
        "sqlstate": error.sqlstate or None,
        "line": error.line,
        "column": error.column,
        "exact": error.exact,
        "at_commit": error.at_end,
        "hint": error.hint or None,
        "context": error.context or None,
    }
