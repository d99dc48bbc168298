"""Two real applications on a real server: what is planted is found at its line, the fix that is named makes it silent, the rest is silent.

Each is recorded twice: as it is, and with every fix that was named put into its sources.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dbguard.model.calls import Unit
from dbguard.workload.capture_file import read_capture
from tests.workload import fixing
from tests.workload.applications import FIXTURES, Mark, findings, marks, pages, record
from tests.workload.told import inspect_units
from tests.workload.units import SELECTION

pytest.importorskip("sqlalchemy")
pytest.importorskip("django")
pytest.importorskip("asyncpg")

APPLICATIONS = ("bookshop", "clinic")
MARKS = {name: marks(FIXTURES / name) for name in APPLICATIONS}
PLANTED = [(name, page) for name in APPLICATIONS for page in pages(FIXTURES / name) if page in MARKS[name]]
HONEST = [(name, page) for name in APPLICATIONS for page in pages(FIXTURES / name) if page not in MARKS[name]]


class Recorded(NamedTuple):
    as_it_is: dict[str, Unit]
    fixed: dict[str, Unit]
    by_option: set[str]  # pages whose every fix is an option of the ORM, applied as text
    by_hand: set[str]  # functions that were written anew


@pytest.fixture(scope="module")
def recorded(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Recorded]]:
    folder = tmp_path_factory.mktemp("applications")
    databases = [server.create_database() for _ in range(2 * len(APPLICATIONS))]

    def both(name: str, before: str, after: str) -> Recorded:
        copy = Path(shutil.copytree(FIXTURES / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")))
        as_it_is = record(copy, name, server.dsn(before), folder / f"{name}-captures")
        edits = {page: [fixing.edit_of(one) for one in findings(as_it_is[page])] for page in MARKS[name]}
        anew = fixing.names(copy)
        fixing.apply(copy, [edit for page in edits if page not in anew for edit in edits[page] if edit is not None])
        fixing.replace(copy)
        by_option = {page for page in edits if all(edits[page]) and page not in anew}
        return Recorded(as_it_is, record(copy, name, server.dsn(after), folder / f"{name}-fixed"), by_option, anew)

    yield dict(zip(APPLICATIONS, map(both, APPLICATIONS, databases[::2], databases[1::2]), strict=True))
    for database in databases:
        server.drop_database(database)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_applications_are_large_enough(name: str):
    models = (FIXTURES / name / name / "models.py").read_text()
    assert len(re.findall(r"^class \w+\((?:Base|models\.Model|Product|Payment|Person)\):", models, re.MULTILINE)) >= 12
    assert sum(one == name for one, _ in PLANTED) >= 40
    assert sum(one == name for one, _ in HONEST) >= 60


@pytest.mark.parametrize(("name", "page"), PLANTED)
def test_what_is_planted_is_found_at_its_line_with_its_fix(name: str, page: str, recorded: dict[str, Recorded]):
    found = findings(recorded[name].as_it_is[page])
    wanted = sorted(MARKS[name][page])
    assert sorted((one.path, one.line, one.rule) for one in found) == sorted((mark.path, mark.line, mark.rule) for mark in wanted)
    for mark in wanted:
        assert any(_is_of(one, mark) for one in found), [one.instead for one in found]


def _is_of(finding: Any, mark: Mark) -> bool:
    return (finding.path, finding.line, finding.rule) == (mark.path, mark.line, mark.rule) and mark.fix in (finding.instead or "")


@pytest.mark.parametrize(("name", "page"), PLANTED)
def test_the_fix_that_is_named_makes_the_finding_disappear(name: str, page: str, recorded: dict[str, Recorded]):
    assert page in recorded[name].by_option or recorded[name].by_hand & _functions_of(name, page)
    assert findings(recorded[name].fixed[page]) == []


def _functions_of(name: str, page: str) -> set[str]:
    """The page, and the functions of its module that it calls."""
    for path in (FIXTURES / name / name / "pages").glob("*.py"):
        if (match := re.search(rf"^(?:async )?def {page}\(.*?(?=^@page|\Z)", path.read_text(), re.MULTILINE | re.DOTALL)) is not None:
            return {page, *re.findall(r"\b_\w+(?=\()", match[0])}
    raise AssertionError(page)


@pytest.mark.parametrize(("name", "page"), HONEST)
def test_what_only_looks_alike_is_silent(name: str, page: str, recorded: dict[str, Recorded]):
    assert findings(recorded[name].as_it_is.get(page)) == []
    assert findings(recorded[name].fixed.get(page)) == []


@pytest.mark.parametrize(
    ("name", "page"),
    [("bookshop", "category_tree_down"), ("bookshop", "category_path"), ("clinic", "department_tree"), ("clinic", "department_path")],
)
def test_a_tree_is_advised_on_if_asked_for(name: str, page: str, recorded: dict[str, Recorded]):
    assert [one.rule for one in inspect_units([recorded[name].as_it_is[page]], SELECTION)] == ["tree-per-node"]


def test_what_tests_set_up_and_repeat_themselves_is_silent(server: Any, tmp_path: Path):
    database = server.create_database()
    environment = {**os.environ, "BOOKSHOP_DATABASE": server.dsn(database), "PYTHONPATH": "site-packages", "PYTHONDONTWRITEBYTECODE": "1"}
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "--rootdir=.", "--dbguard", f"--dbguard-output={tmp_path}"]
    run = subprocess.run(
        [sys.executable, *arguments, "tests"], cwd=FIXTURES / "bookshop", env=environment, capture_output=True, text=True, check=False
    )
    server.drop_database(database)
    assert run.returncode == 0, run.stdout
    units, notes = read_capture([str(path) for path in tmp_path.glob("*.jsonl")])
    assert list(notes) == []
    assert sum(len(unit.calls) for unit in units if unit.phase == "setup") > 100
    found = inspect_units(units, SELECTION)
    assert [(Path(one.path).name, one.line, one.units) for one in found] == [("orders.py", 21, 1)]
