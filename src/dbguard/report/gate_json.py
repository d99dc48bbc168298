"""A gate for programs: `dbguard gate --format json`, described in docs/json.md and docs/schemas/gate.json."""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import isfinite
from typing import Any

from dbguard.model.plan import Plan
from dbguard.model.verdict import Gate, QueryRisk, Seconds, StepRisk
from dbguard.report.as_json import finding_line

VERSION = 1
_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def render(gate: Gate) -> str:
    """One step, query and finding a line."""
    parts = {
        "version": _line(VERSION),
        "verdict": _line(gate.verdict),
        "reasons": _line(gate.reasons),
        "postgres": _line(gate.postgres),
        "steps": _lines(_line(_step(step)) for step in gate.steps),
        "queries": _lines(_line(_query(query)) for query in gate.queries),
        "findings": _lines(finding_line(finding) for finding in gate.findings),
        "budgets": _lines(_line(_numbers(budget._asdict())) for budget in gate.budgets),
        "unread": _lines(_line({"path": part.path, "line": max(part.line, 1), "reason": part.reason}) for part in gate.unread),
        "assumes": _line(gate.assumes),
        "notes": _line(gate.notes),
        "seconds": _line(round(gate.seconds, 3)),
    }
    return "{\n" + ",\n".join(f'  "{key}": {value}' for key, value in parts.items()) + "\n}\n"


def _lines(values: Iterable[str]) -> str:
    joined = ",\n    ".join(values)
    return f"[\n    {joined}\n  ]" if joined else "[]"


def _step(step: StepRisk) -> dict[str, Any]:
    effects = step.effects
    return {
        "path": step.path,
        "line": step.line,
        "sql": step.sql,
        "locks": [{"relation": str(lock.relation), "mode": str(lock.mode), "blocks": list(lock.mode.blocks)} for lock in effects.locks],
        "rewrites": [str(name) for name in effects.rewrites],
        "scans": [str(name) for name in effects.scans],
        "builds": [str(name) for name in effects.builds],
        "fails": effects.fails,
        "seconds": _seconds(step.seconds),
        "held": _seconds(step.held),
        "to_get_lock": _number(step.to_get_lock),
        "read_bytes": step.read_bytes,
        "written_bytes": step.written_bytes,
        "wal_bytes": step.wal_bytes,
        "replica_lag": _number(step.replica_lag),
        "waiting": [_numbers(waiting._asdict()) | {"places": _places(waiting.places)} for waiting in step.waiting],
        "risk": step.verdict,
        "reasons": list(step.reasons),
        "counterfactual": step.counterfactual or None,
        "transaction": step.transaction,
    }


def _query(query: QueryRisk) -> dict[str, Any]:
    by = None if query.changed_by is None else {"path": query.changed_by[0], "line": query.changed_by[1]}
    return {
        "shape": query.shape,
        "name": query.name or None,
        "sql": query.sql,
        "places": _places(query.places),
        "calls": query.calls,
        "calls_a_day": _number(query.a_day),
        "seconds_a_day": _number(query.seconds_a_day),
        "cost_before": _cost(query.before),
        "cost_after": _cost(query.after),
        "unplanned": query.unplanned or None,
        "breaks": query.breaks or None,
        "broken_by": by if query.breaks else None,
        "changed_by": by,
        "growth": [_numbers(point._asdict()) for point in query.growth],
        "risk": query.verdict,
        "reasons": list(query.reasons),
        "assumes": list(query.assumes),
    }


def _seconds(estimate: Seconds | None) -> dict[str, float | None] | None:
    return None if estimate is None else {"p50": _number(estimate.p50), "p90": _number(estimate.p90)}


def _cost(plan: Plan | None) -> float | None:
    return None if plan is None else _number(plan.cost)


def _places(places: Iterable[tuple[str, int, str]]) -> list[dict[str, Any]]:
    return [{"path": path, "line": line, "function": function} for path, line, function in places]


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    return {key: _number(value) if isinstance(value, float) else value for key, value in values.items()}


def _number(value: float | None) -> float | None:
    """JSON has no infinity: what is not finite is not known."""
    return round(value, 6) if value is not None and isfinite(value) else None
