"""A gate as GitLab Code Quality."""

from __future__ import annotations

from dbguard.model.verdict import Gate
from dbguard.report import gitlab
from dbguard.report.gate_findings import as_result


def render(gate: Gate) -> str:
    """Steps, queries and budgets that are not safe, then the findings."""
    return gitlab.render(as_result(gate))
