"""A gate as SARIF 2.1.0: its steps, queries and budgets are results beside the findings."""

from __future__ import annotations

import json

from dbguard.model.verdict import Gate
from dbguard.report import gate_words as words
from dbguard.report.gate_findings import RULES, as_result
from dbguard.report.sarif import document


def render(gate: Gate) -> str:
    """What the gate itself says has no page in the rulebook; its rules are described here."""
    sarif = document(as_result(gate))
    for rule in sarif["runs"][0]["tool"]["driver"]["rules"]:
        if meaning := RULES.get(rule["id"]):
            rule.update({key: {"text": meaning} for key in ("shortDescription", "fullDescription", "help")})
            rule["properties"] = {"tags": ["gate", "postgresql"]}
    told = "\n".join([f"{gate.verdict}: {words.headline(gate)}", *words.reasons(gate)])
    verdict = {"level": "note", "message": {"text": told}, "descriptor": {"id": "verdict"}}
    sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"].insert(0, verdict)
    return json.dumps(sarif, indent=2, ensure_ascii=False) + "\n"
