"""Predicted effects for programs: `dbguard locks --format json`, described in docs/json.md and docs/schemas/locks.json."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

VERSION = 1


def render(statements: Iterable[Any], postgres: int) -> str:
    """`statements` are `StatementEffects` of `dbguard.predict`."""
    document = {"version": VERSION, "postgres": postgres, "statements": [fields(statement) for statement in statements]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def fields(statement: Any) -> dict[str, Any]:
    """One statement, as a value for JSON."""
    return {
        "path": statement.path,
        "line": statement.line,
        "column": statement.column,
        "sql": statement.sql,
        "transaction": statement.transaction,
        "fails": statement.fails,
        "locks": [{"relation": str(lock.relation), "mode": str(lock.mode), "blocks": list(lock.blocks)} for lock in statement.locks],
        "rewrites": [str(name) for name in statement.rewrites],
        "scans": [str(name) for name in statement.scans],
        "builds": [str(name) for name in statement.builds],
        "unknown": list(statement.unknown),
    }
