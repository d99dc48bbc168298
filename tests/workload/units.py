"""Short ways to write calls and ask for findings."""

from __future__ import annotations

import json
from typing import Any

from dbguard.model.finding import Finding
from dbguard.rulebook.select import select
from tests.book import BOOK
from tests.workload.told import inspect_units
from tests.written_calls import unit_of

SELECTION = select(BOOK, selected=["all"])
UNIT_RULES = {rule.name for rule in BOOK.rules.values() if "Unit" in rule.header.wakes}


def call(sql: str, *parameters: str, at: str = "", loop: str = "", **more: Any) -> dict[str, Any]:
    more |= {"at": at} if at else {}
    more |= {"loop": loop} if loop else {}
    return {"sql": sql, "parameters": list(parameters), **more}


def rounds(times: int, *calls: dict[str, Any]) -> dict[str, Any]:
    return {"times": times, "calls": list(calls)}


def findings(*calls: dict[str, Any], **unit: str) -> list[Finding]:
    return inspect_units([unit_of("\n".join(map(json.dumps, calls)), **unit)], SELECTION)


def rules(*calls: dict[str, Any], **unit: str) -> list[str]:
    """Names of the rules that fire, with their lines."""
    return [f"{one.rule} {one.path}:{one.line}" for one in findings(*calls, **unit)]
