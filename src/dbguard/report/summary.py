"""A result as the summary of a step of GitHub Actions: the Markdown of a comment, with sixteen times its room."""

from __future__ import annotations

from dbguard.model.finding import Result
from dbguard.report.markdown import limited
from dbguard.report.markdown_parts import SUMMARY_LIMIT


def render(result: Result) -> str:
    return limited(result, SUMMARY_LIMIT)
