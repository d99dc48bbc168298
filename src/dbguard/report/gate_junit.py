"""A gate as JUnit XML: a test case for each step, query, budget and finding that is not safe, and for the verdict."""

from __future__ import annotations

from dbguard.model.verdict import Gate
from dbguard.report import gate_words as words
from dbguard.report.gate_findings import as_result
from dbguard.report.junit import document


def render(gate: Gate) -> str:
    """The first test case prints the verdict and why."""
    return document(as_result(gate), "dbguard gate", "\n".join([f"{gate.verdict}: {words.headline(gate)}", *words.reasons(gate)]))
