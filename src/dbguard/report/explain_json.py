"""An explanation for programs (docs/schemas/explain.json)."""

from __future__ import annotations

import json
from typing import Any

from dbguard.model.explained import Advised, Explained, Explanation
from dbguard.model.finding import Finding
from dbguard.planning.plans import json_of

VERSION = 1


def render(explanation: Explanation) -> str:
    """One entry per query, in the order in which they were given."""
    found = {
        "version": VERSION,
        "queries": [_query(one) for one in explanation.queries],
        "advice": [_advised(one) for one in explanation.advice],
        "notes": list(explanation.notes),
        "unread": [{"path": part.path, "line": part.line, "reason": part.reason} for part in explanation.unread],
    }
    return json.dumps(found, indent=2, ensure_ascii=False, default=str) + "\n"


def _query(one: Explained) -> dict[str, Any]:
    plan = one.plan
    return {
        "name": one.asked.name,
        "sql": one.asked.sql,
        "path": one.asked.path,
        "line": one.asked.line,
        "plan": None if plan is None else json_of(plan),
        "cost": None if plan is None else plan.cost,
        "rows": None if plan is None else plan.rows,
        "executed": plan is not None and plan.executed,
        "sentence": one.sentence,
        "findings": [_finding(finding) for finding in one.findings],
        "growth": [{"scale": each.scale, "cost": each.cost, "rows": each.rows, "same_shape": each.same_shape} for each in one.growth],
        "parameters": _parameters(one),
        "seconds": None if one.seconds is None else {"p50": one.seconds[0], "p90": one.seconds[1]},
        "advice": [_advised(each) for each in one.advice],
        "verdict": one.verdict,
        "reasons": list(one.reasons),
        "assumes": list(one.assumes),
        "unread": one.unread,
    }


def _parameters(one: Explained) -> list[dict[str, Any]]:
    """Plans are numbered by their shape: equal numbers are equal plans."""
    shapes: dict[str, int] = {}
    return [
        {
            "values": list(each.values),
            "generic": each.generic,
            "cost": each.cost,
            "rows": each.rows,
            "plan": shapes.setdefault(each.shape, len(shapes) + 1),
        }
        for each in one.samples
    ]


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": finding.message,
        "instead": finding.instead,
        "recipe": finding.recipe,
        "table": finding.table,
        "assumes": list(finding.assumes),
    }


def _advised(one: Advised) -> dict[str, Any]:
    return {
        "index": one.statement,
        "table": one.table,
        "cost_before": one.cost_before,
        "cost_after": one.cost_after,
        "bytes": one.bytes,
        "writes_a_second": one.writes_a_second,
        "redundant": list(one.redundant),
        "migration": one.migration,
        "queries": list(one.queries),
    }
