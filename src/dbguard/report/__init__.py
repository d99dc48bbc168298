"""Results to text: one module per format, each with `render(result) -> str`, imported when it is asked for.

To add a format, add a module and a line to `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from dbguard.model.finding import Result

FORMATS = {
    "full": "dbguard.report.full",
    "concise": "dbguard.report.concise",
    "json": "dbguard.report.as_json",
    "sarif": "dbguard.report.sarif",
    "github": "dbguard.report.github",
    "gitlab": "dbguard.report.gitlab",
    "junit": "dbguard.report.junit",
    "markdown": "dbguard.report.markdown",
    "summary": "dbguard.report.summary",
    "html": "dbguard.report.html",
}


def renderer(name: str) -> Callable[[Result], str]:
    """The function `render` of a format."""
    render: Callable[[Result], str] = import_module(FORMATS[name]).render
    return render
