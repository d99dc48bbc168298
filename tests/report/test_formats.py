"""Every format against a golden file (`pytest --update` rewrites them), and what the formats' readers rely on."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator
from tests.book import ROOT
from tests.report.results import CLEAN, FINDINGS, RESULT

from dbguard.model.finding import Finding, Result, Severity
from dbguard.report import FORMATS, as_json, full, github, renderer, sarif

GOLDEN = ROOT / "tests" / "report" / "golden"
FILES = {"full": "full.txt", "concise": "concise.txt", "json": "check.json", "sarif": "dbguard.sarif", "github": "github.txt"}
FILES |= {"gitlab": "gitlab.json", "junit": "junit.xml", "markdown": "comment.md", "summary": "summary.md", "html": "check.html"}


def normal(text: str) -> str:
    """Pages in a SARIF report and the style of an HTML report are tested on their own, and the version changes."""
    text = re.sub(r"<style>.*?</style>|<svg[^>]*class=.signs.*?</svg>", "", text, flags=re.DOTALL)
    text = re.sub(r"sha256-[\w+/=]+|dbguard \d[\w.]*", "...", text)
    text = re.sub(r'("(?:markdown|version|semanticVersion)": )"(?:[^"\\]|\\.)*"', r'\1"..."', text)
    return re.sub(r'"(shortDescription|fullDescription|help)": \{\n\s*"text": "(?:[^"\\]|\\.)*"', r'"\1": {"text": "..."', text)


@pytest.mark.parametrize("form", FORMATS)
def test_format_matches_its_golden_file(form: str, request: pytest.FixtureRequest):
    actual = normal(renderer(form)(RESULT))
    path = GOLDEN / FILES[form]
    if request.config.getoption("--update"):
        path.write_text(actual)
    assert actual == path.read_text()


def test_every_format_has_a_golden_file():
    assert FILES.keys() == FORMATS.keys()


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_result_is_no_error(form: str):
    renderer(form)(Result())
    renderer(form)(CLEAN)


@pytest.mark.parametrize("form", FORMATS)
def test_control_characters_of_a_file_never_reach_the_terminal(form: str):
    assert "\x1b" not in renderer(form)(RESULT)


def test_a_name_with_a_line_end_stays_on_its_line():
    finding = FINDINGS[0]._replace(message="`a\nb`", path="x\n.sql", excerpt="", instead=None, recipe=None, because=())
    assert renderer("concise")(Result((finding,))).count("\n") == 1
    assert full.render(Result((finding,))).splitlines()[1] == "  `a b`"


def test_json_follows_its_schema():
    schema = json.loads((ROOT / "docs/schemas/check.json").read_text())
    Draft202012Validator.check_schema(schema)
    for result in (RESULT, CLEAN, Result()):
        Draft202012Validator(schema).validate(json.loads(as_json.render(result)))


def test_colour_is_the_only_difference_a_terminal_makes():
    plain, colored = full.render(RESULT), full.render(RESULT, color=True)
    assert "\x1b[1;31mcreate-index-blocking\x1b[0m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_a_clean_run_says_what_it_looked_at():
    assert full.render(CLEAN) == "nothing found in 1 migration (PostgreSQL 14 to 18).\n"


def test_github_shows_the_worst_first():
    lines = github.render(RESULT).splitlines()
    assert [line.split(" ")[0] for line in lines[:3]] == ["::error", "::warning", "::notice"]


def test_github_escapes_what_would_end_a_command():
    line = github.render(RESULT).splitlines()[1]
    assert "file=migrations/50%25 größer%2C ☃.sql,line=1,col=3" in line
    assert "::100%25 of `größe`: all" in line


def test_github_annotations_are_one_line_each():
    finding = FINDINGS[0]._replace(message="two\r\nlines")
    assert github.render(Result((finding,))).splitlines()[0].count("two%0D%0Alines") == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("migrations/a b.sql", {"uri": "migrations/a%20b.sql", "uriBaseId": "ROOT"}),
        ("./a.sql", {"uri": "a.sql", "uriBaseId": "ROOT"}),
        ("../up/a.sql", {"uri": "../up/a.sql", "uriBaseId": "ROOT"}),
        ("/tmp/ü#?.sql", {"uri": "file:///tmp/%C3%BC%23%3F.sql"}),
        ("caf\udce9.sql", {"uri": "caf%E9.sql", "uriBaseId": "ROOT"}),
        ("a:b.sql", {"uri": "a%3Ab.sql", "uriBaseId": "ROOT"}),
    ],
)
def test_sarif_encodes_paths(path: str, expected: dict[str, str]):
    run = json.loads(sarif.render(Result((FINDINGS[0]._replace(path=path),))))["runs"][0]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == expected


def fingerprints(*findings: Finding) -> list[str]:
    run = json.loads(sarif.render(Result(findings)))["runs"][0]
    return [one["partialFingerprints"]["dbguard/v1"] for one in run["results"]]


def test_a_fingerprint_survives_moved_lines_and_white_space():
    moved = FINDINGS[0]._replace(line=30, end_line=31, excerpt=FINDINGS[0].excerpt.replace(" ON", "\n  ON"))
    assert fingerprints(FINDINGS[0]) == fingerprints(moved)


def test_two_equal_statements_have_two_fingerprints():
    assert len(set(fingerprints(FINDINGS[0], FINDINGS[0]._replace(line=9)))) == 2


def test_sarif_follows_the_standard():
    schema = json.loads((ROOT / "tests/report/sarif-2.1.0.json").read_text())
    Draft202012Validator.check_schema(schema)
    for result in (RESULT, CLEAN, Result()):
        document = json.loads(sarif.render(result))
        Draft202012Validator(schema).validate(document)
        for one in document["runs"][0]["results"]:
            assert document["runs"][0]["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]


def test_sarif_tells_what_was_not_seen():
    invocation = json.loads(sarif.render(RESULT))["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert [one["level"] for one in invocation["toolExecutionNotifications"]] == ["note", "error", "error"]


def test_advice_is_a_note():
    advice = FINDINGS[0]._replace(severity=Severity.ADVICE)
    assert json.loads(sarif.render(Result((advice,))))["runs"][0]["results"][0]["level"] == "note"
