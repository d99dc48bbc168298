"""GitLab Code Quality, held against what GitLab's manual asks of a report."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from tests.report.gates import GATE, hostile
from tests.report.results import CLEAN, FINDINGS, RESULT

from dbguard.model.finding import Result
from dbguard.report import gitlab
from dbguard.report.gate_formats import renderer

SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "not": {"pattern": r"^(\./|\\)"}},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}
REPORTS = [gitlab.render(RESULT), gitlab.render(CLEAN), gitlab.render(Result()), renderer("gitlab")(GATE), renderer("gitlab")(hostile())]


@pytest.mark.parametrize("report", REPORTS, ids=range(len(REPORTS)))
def test_a_report_has_what_the_manual_asks_for(report: str):
    Draft202012Validator(SCHEMA).validate(json.loads(report))


@pytest.mark.parametrize("report", REPORTS, ids=range(len(REPORTS)))
def test_no_two_entries_have_the_same_fingerprint(report: str):
    names = [one["fingerprint"] for one in json.loads(report)]
    assert len(names) == len(set(names))


def fingerprint(**changes: object) -> str:
    return json.loads(gitlab.render(Result((FINDINGS[0]._replace(**changes),))))[0]["fingerprint"]


def test_a_fingerprint_survives_moved_lines_and_other_numbers():
    assert fingerprint() == fingerprint(line=30, end_line=30)
    assert fingerprint(message="10 calls at a.py:3") == fingerprint(message="1,200 calls at a.py:5")


def test_a_fingerprint_of_a_query_is_its_shape_and_function():
    place = (("a.py", 3, "f"), ("b.py", 9, "g"))
    asked = {"shape": "0f", "places": place}
    assert fingerprint(**asked) == fingerprint(**asked | {"message": "another", "excerpt": "", "places": (("a.py", 7, "f"),)})
    assert fingerprint(**asked) != fingerprint(**asked | {"shape": "10"})
    assert fingerprint(**asked) != fingerprint(**asked | {"places": (("a.py", 3, "h"),)})


def test_another_file_is_another_finding():
    assert fingerprint() != fingerprint(path="other.sql")


def test_a_file_that_could_not_be_read_is_the_worst():
    worst = {one["check_name"]: one["severity"] for one in json.loads(gitlab.render(RESULT))}
    assert worst == {
        "create-index-blocking": "critical",
        "vacuum-full": "major",
        "unlogged-table": "minor",
        "unread": "info",
        "unreadable": "blocker",
    }


def test_a_path_below_the_working_directory_is_one_of_the_repository():
    assert json.loads(gitlab.render(Result((FINDINGS[0]._replace(path="./db\\a.sql"),))))[0]["location"]["path"] == "db/a.sql"
