"""Plans that auto_explain writes into a log: the text of the statement, its parameters and how many rows it returned.

In: what stands behind `duration: 1.2 ms  plan:`. Out: a `Plan`. Text and JSON; the parameters are there from 16 on.
"""

from __future__ import annotations

import json
import re
from typing import Any

from dbguard.model.record import Record

_TEXT = re.compile(r"\s*Query Text: ", re.DOTALL)
_NODE = re.compile(r"\n(?:Query Parameters: (?P<parameters>\$1 = .*?)\n)?(?P<node>[A-Z][^\n]*  \(cost=[^\n]*)", re.DOTALL)
_ROWS = re.compile(r"\(actual (?:time=[\d.]+ *)?(?:\.\.[\d.]+ )?rows=([\d.]+) loops=(\d+)\)")


class Plan(Record):
    sql: str
    parameters: str = ""  # as DETAIL shows them
    rows: int | None = None
    plan: Any = None  # the tree, if the log has JSON


def read_plan(text: str) -> Plan | None:
    """None if this is no plan that can be read."""
    stripped = text.lstrip()
    return _from_json(stripped) if stripped.startswith(("{", "[")) else _from_text(text)


def _from_json(text: str) -> Plan | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, dict) or not isinstance(found.get("Query Text"), str):
        return None
    plan = found.get("Plan")
    parameters = found.get("Query Parameters")
    rows = _product(plan.get("Actual Rows"), plan.get("Actual Loops")) if isinstance(plan, dict) else None
    return Plan(found["Query Text"], parameters if isinstance(parameters, str) else "", _changed_or(plan, rows), plan)


def _from_text(text: str) -> Plan | None:
    head = _TEXT.match(text)
    if head is None:
        return None
    body = text[head.end() :]
    node = _NODE.search(body)
    if node is None:
        return None
    rows = _ROWS.search(node["node"])
    counted = _product(rows[1], rows[2]) if rows is not None else None
    if node["node"].startswith(("Insert on", "Update on", "Delete on", "Merge on")) and not counted:
        counted = None
    return Plan(body[: node.start()], node["parameters"] or "", counted)


def _changed_or(plan: Any, rows: int | None) -> int | None:
    """A statement that changes rows without RETURNING shows 0 rows at its root, which says nothing."""
    return None if isinstance(plan, dict) and plan.get("Node Type") == "ModifyTable" and not rows else rows


def _product(rows: Any, loops: Any) -> int | None:
    try:
        return round(float(rows) * float(loops))
    except (TypeError, ValueError, OverflowError):
        return None
