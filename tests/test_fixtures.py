"""The reports on whole projects, which were read line by line; `pytest --update` rewrites them."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from dbguard.report import as_json, concise
from tests.fixture_projects import FIXTURES, PROJECTS, RECOGNISED, history_of, report_on

SCHEMA = Draft202012Validator(json.loads((FIXTURES.parent / "docs/schemas/check.json").read_text()))


@pytest.fixture(scope="module")
def results():
    return {project: report_on(project) for project in PROJECTS}


@pytest.mark.parametrize("project", PROJECTS)
def test_the_report_is_the_expected_one(project: str, results, request: pytest.FixtureRequest):
    golden = FIXTURES / project / "expected.txt"
    text = concise.render(results[project])
    if request.config.getoption("--update"):
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("project", PROJECTS)
def test_the_tool_is_recognised(project: str, results):
    assert results[project].recognised == (RECOGNISED[project],)


@pytest.mark.parametrize("project", PROJECTS)
def test_the_json_report_follows_its_schema(project: str, results):
    SCHEMA.validate(json.loads(as_json.render(results[project])))


@pytest.mark.parametrize("project", PROJECTS)
def test_one_file_at_a_time_gives_the_findings_of_all_at_once(project: str, results):
    paths = dict.fromkeys(script.source.path for script in history_of(project).scripts)
    alone = [report_on(project, [str(FIXTURES / project / path)]) for path in paths]
    assert sorted(map(str, (finding for result in alone for finding in result.findings))) == sorted(map(str, results[project].findings))
    assert sorted(part for result in alone for part in result.unread) == sorted(results[project].unread)


def test_a_team_that_does_everything_right_hears_nothing(results):
    careful = results["careful"]
    assert careful.findings == ()
    assert careful.unread == ()
    assert careful.summary.migrations >= 12


def test_nothing_but_programs_is_unread(results):
    unread = {(project, part.reason.partition("`")[0]) for project, result in results.items() for part in result.unread}
    assert unread == {("django-shop", "RunPython "), ("alembic-shop", "a program that works on rows: it runs once for each row that was read")}
