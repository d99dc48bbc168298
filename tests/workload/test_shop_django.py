"""A real application on Django and a real server: what is planted is found at its line with its fix, what looks alike is silent."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbguard.model.calls import Unit
from dbguard.rulebook.select import Selection, select
from dbguard.workload.capture_file import read_capture
from tests.book import BOOK, ROOT
from tests.workload.told import inspect_units
from tests.workload.units import SELECTION

pytest.importorskip("django")
WAYS = Path(__file__).parent / "shops" / "django_ways.py"
TEMPLATE = WAYS.parent / "templates" / "orders.html"


def marks(path: Path) -> dict[str, tuple[str, int, str]]:
    """Of each function the file, line and words of its mark; a function without one is marked in the template, or honest."""
    found = {}
    lines = path.read_text().splitlines()
    for function in ast.parse(path.read_text()).body:
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.decorator_list:
            kind = ast.unparse(function.decorator_list[0])
            at = next((n for n in range(function.lineno, (function.end_lineno or 0) + 1) if "# found: " in lines[n - 1]), 0)
            found[function.name] = (kind, at, lines[at - 1].partition("# found: ")[2].strip() if at else "")
    return found


MARKS = marks(WAYS)


@pytest.fixture(scope="module")
def units(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Unit]]:
    folder = tmp_path_factory.mktemp("capture")
    name = server.create_database()
    run = subprocess.run(
        [sys.executable, "-m", "tests.workload.shops.django_shop", server.dsn(name), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found, notes = read_capture([str(path) for path in folder.glob("*.jsonl")])
    assert list(notes) == []
    yield {unit.name: unit for unit in found}
    server.drop_database(name)


def said(unit: Unit, selection: Selection = SELECTION) -> list[tuple[str, str, int, str]]:
    return [(one.rule, Path(one.path).name, one.line, one.instead or "") for one in inspect_units([unit], selection)]


@pytest.mark.parametrize("name", [name for name, (kind, *_) in MARKS.items() if kind == "planted" and name != "awaited"])
def test_a_planted_one_is_found_at_its_line_with_its_fix(name: str, units: dict[str, Unit]):
    _, line, fix = MARKS[name]
    path = WAYS
    if not line:
        path = TEMPLATE
        line, text = next((n, text) for n, text in enumerate(TEMPLATE.read_text().splitlines(), start=1) if "found: " in text)
        fix = text.partition("found: ")[2].partition(" #}")[0]
    found = said(units[name])
    assert [one[:3] for one in found] == [("query-per-row", path.name, line)]
    assert fix in found[0][3]


@pytest.mark.parametrize("name", [name for name, (kind, *_) in MARKS.items() if kind == "honest"])
def test_an_honest_one_is_silent(name: str, units: dict[str, Unit]):
    assert name not in units or said(units[name], select(BOOK)) == []


def test_what_is_awaited_is_found_though_its_thread_knows_no_line(units: dict[str, Unit]):
    found = said(units["awaited"])
    assert [(one[0], 'annotate(Count("items"))' in one[3]) for one in found] == [("query-per-row", True)]


def test_a_tree_is_advised_on_if_asked_for(units: dict[str, Unit]):
    assert [[one[0] for one in said(units[name])] for name in ("tree_downwards", "tree_upwards")] == [["tree-per-node"], ["tree-per-node"]]
