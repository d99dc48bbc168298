"""The applications in fixtures/: what is planted in them and where, and what dbguard says of a recording of all their pages.

A line that sends a query per row has `# found: what the fix says` behind it, or `# found in PAGE: ...` if it stands outside of the
function of the page (`{# found in PAGE: ... #}` in a template). `# also: RULE` says which other rule speaks of that line, too.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dbguard.model.calls import Unit
from dbguard.model.finding import Finding
from dbguard.rulebook.select import select
from dbguard.workload.capture_file import read_capture
from tests.book import BOOK, ROOT
from tests.workload.told import inspect_units

FIXTURES = ROOT / "fixtures"
SELECTION = select(BOOK)
_MARK = re.compile(r"(?:#|\{#) (found|also)(?: in (\w+))?: (.*?)(?= #\}|  # (?:found|also)|$)")


class Mark(NamedTuple):
    page: str
    path: str  # below the folder of the application
    line: int
    rule: str
    fix: str


def pages(application: Path) -> list[str]:
    """The names of all pages, in the order in which they are served."""
    names = [function.name for path in sources(application) for function in _functions(path) if _is_page(function)]
    assert len(names) == len(set(names))
    return names


def sources(application: Path) -> list[Path]:
    return sorted(path for path in application.rglob("*.py") if not {"fixes", "tests", "site-packages"} & set(path.relative_to(application).parts))


def marks(application: Path) -> dict[str, list[Mark]]:
    """What is planted, by page."""
    found: dict[str, list[Mark]] = {}
    for path in [*sources(application), *sorted(application.rglob("*.html"))]:
        functions = [] if path.suffix == ".html" else list(_functions(path))
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            for kind, page, words in _MARK.findall(line):
                own = next((one.name for one in functions if _is_page(one) and one.lineno <= number <= (one.end_lineno or 0)), "")
                name = page or own
                assert name, f"{path}:{number}: which page?"
                rule = "query-per-row" if kind == "found" else words
                found.setdefault(name, []).append(Mark(name, str(path.relative_to(application)), number, rule, words if kind == "found" else ""))
    return found


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _is_page(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator).split("(")[0] == "page" for decorator in function.decorator_list)


def record(application: Path, name: str, dsn: str, folder: Path) -> dict[str, Unit]:
    """Serve every page of an application once, on an empty database. What each has sent, by page."""
    path = os.pathsep.join([str(application), str(application / "site-packages")])
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": path}
    run = subprocess.run(
        [sys.executable, "-m", name, dsn, str(folder)], cwd=application, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    units, notes = read_capture([str(path) for path in folder.glob("*.jsonl")])
    assert list(notes) == []
    return {unit.name: unit for unit in units if unit.kind == "request"}


def findings(unit: Unit | None) -> list[Finding]:
    """What is said of a page by the rules that are on by default."""
    return [] if unit is None else sorted(inspect_units([unit], SELECTION), key=lambda one: (one.path, one.line, one.instead or ""))
