"""A gate to text: one module per format, each with `render(gate) -> str`, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from dbguard.model.verdict import Gate

FORMATS = {
    "full": "dbguard.report.gate_text",
    "json": "dbguard.report.gate_json",
    "sarif": "dbguard.report.gate_sarif",
    "github": "dbguard.report.gate_github",
    "gitlab": "dbguard.report.gate_gitlab",
    "junit": "dbguard.report.gate_junit",
    "markdown": "dbguard.report.gate_markdown",
    "summary": "dbguard.report.gate_summary",
    "html": "dbguard.report.gate_html",
}


def renderer(name: str) -> Callable[[Gate], str]:
    """The function `render` of a format. That of `full` also takes `color`."""
    render: Callable[[Gate], str] = import_module(FORMATS[name]).render
    return render
