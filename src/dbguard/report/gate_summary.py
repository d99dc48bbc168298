"""A gate as the summary of a step of GitHub Actions: the Markdown of a comment, with sixteen times its room."""

from __future__ import annotations

from dbguard.model.verdict import Gate
from dbguard.report.gate_markdown import limited
from dbguard.report.markdown_parts import SUMMARY_LIMIT


def render(gate: Gate) -> str:
    """Fewer than 1 MiB, which is what GitHub takes."""
    return limited(gate, SUMMARY_LIMIT)
