"""JUnit XML, held against the elements and attributes that GitLab, Jenkins and GitHub's readers know."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from tests.report.gates import CLEAN as CLEAN_GATE
from tests.report.gates import GATE, hostile
from tests.report.results import CLEAN, FINDINGS, RESULT

from dbguard.model.finding import Result, Severity
from dbguard.report import junit
from dbguard.report.gate_formats import renderer

# The JUnit format as Jenkins' junit plugin and GitLab's parser read it: children, required attributes, optional ones.
COUNTS = {"tests", "failures", "errors", "skipped", "time"}
KNOWN = {
    "testsuites": ({"testsuite"}, {"name"} | COUNTS, set()),
    "testsuite": ({"testcase"}, {"name"} | COUNTS, set()),
    "testcase": ({"failure", "error", "skipped", "system-out"}, {"classname", "name", "time"}, {"file", "line"}),
    "failure": (set(), {"message", "type"}, set()),
    "error": (set(), {"message", "type"}, set()),
    "skipped": (set(), {"message"}, set()),
    "system-out": (set(), set(), set()),
}
REPORTS = [
    junit.render(RESULT),
    junit.render(CLEAN),
    junit.render(Result()),
    renderer("junit")(GATE),
    renderer("junit")(CLEAN_GATE),
    renderer("junit")(hostile()),
]


def cases(report: str) -> list[ET.Element]:
    return list(ET.fromstring(report).iter("testcase"))


def outcomes(result: Result) -> dict[str, str]:
    """Test cases to what became of them."""
    return {case.get("name", ""): next((child.tag for child in case if child.tag != "system-out"), "passed") for case in cases(junit.render(result))}


@pytest.mark.parametrize("report", REPORTS, ids=range(len(REPORTS)))
def test_a_report_holds_only_what_readers_know(report: str):
    for element in ET.fromstring(report.encode()).iter():
        children, required, optional = KNOWN[element.tag]
        assert {child.tag for child in element} <= children
        assert required <= set(element.keys()) <= required | optional
        assert sum(child.tag != "system-out" for child in element) <= 1 or element.tag.startswith("testsuite")


@pytest.mark.parametrize("report", REPORTS, ids=range(len(REPORTS)))
def test_counts_are_those_of_the_test_cases(report: str):
    root = ET.fromstring(report)
    for element in (root, root[0]):
        counted = {
            "tests": len(cases(report)),
            **{f"{tag}s": len(list(root.iter(tag))) for tag in ("failure", "error")},
            "skipped": len(list(root.iter("skipped"))),
        }
        assert {key: int(element.get(key, "")) for key in counted} == counted


def test_there_is_a_test_case_for_each_file_and_rule():
    twice = (FINDINGS[0], FINDINGS[0]._replace(line=9), FINDINGS[0]._replace(path="other.sql"))

    told = [(case.get("classname"), case.get("name")) for case in cases(junit.render(Result(twice, exit_code=1)))[1:]]

    assert told == [("migrations/0043_index.sql", "create-index-blocking"), ("other.sql", "create-index-blocking")]
    assert "(and 1 more)" in junit.render(Result(twice, exit_code=1))


def test_nothing_fails_in_a_run_that_passes():
    warning = FINDINGS[1]
    assert outcomes(Result((warning, FINDINGS[2]), exit_code=0)) == {"check": "passed", "vacuum-full": "skipped", "unlogged-table": "skipped"}


def test_what_makes_the_run_fail_fails():
    assert outcomes(Result(FINDINGS, exit_code=1)) == {
        "check": "passed",
        "create-index-blocking": "failure",
        "vacuum-full": "skipped",
        "unlogged-table": "skipped",
    }
    assert outcomes(Result(FINDINGS[1:], exit_code=1)) == {"check": "passed", "vacuum-full": "failure", "unlogged-table": "skipped"}
    assert outcomes(Result((FINDINGS[0]._replace(severity=Severity.ADVICE),), exit_code=1))["create-index-blocking"] == "failure"


def test_what_could_not_be_looked_at_is_an_error():
    told = outcomes(RESULT)
    assert told["check"] == "error"
    assert told["unreadable at line 1"] == "error"
    assert told["unread at line 2"] == "skipped"


def test_a_clean_run_has_a_test_case_that_passes():
    assert outcomes(CLEAN) == {"check": "passed"}
    assert outcomes(Result()) == {"check": "passed"}


def test_what_xml_cannot_hold_is_left_out():
    odd = FINDINGS[0]._replace(message="a\x00b\x0bc\ufffed\udcffe]]>f<g>", path="\ud800.sql", excerpt="\x1b[31m\uffff")

    case = cases(junit.render(Result((odd,), exit_code=1)).encode("utf-8"))[1]

    assert case[0].get("message") == "a\ufffdb c\ufffdd\\udcffe]]>f<g>"
