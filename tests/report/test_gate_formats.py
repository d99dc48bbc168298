"""Every format of a gate against a golden file (`pytest --update` rewrites them), and what its readers rely on."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator
from tests.book import ROOT
from tests.report.gates import CLEAN, GATE, HOSTILE, hostile, large
from tests.report.test_formats import GOLDEN, normal

from dbguard.model.plan import Node, Plan
from dbguard.model.verdict import Gate, Growth, QueryRisk, Seconds, StepRisk
from dbguard.planning.plans import MOST_DEPTH
from dbguard.report import gate_text, gate_words
from dbguard.report.gate_findings import RULES, as_result
from dbguard.report.gate_formats import FORMATS, renderer

FILES = {
    "full": "gate.txt",
    "json": "gate.json",
    "sarif": "gate.sarif",
    "github": "gate-github.txt",
    "gitlab": "gate-gitlab.json",
    "junit": "gate.xml",
    "markdown": "gate.md",
    "summary": "gate-summary.md",
    "html": "gate.html",
}
BY_FORMAT = pytest.mark.parametrize("form", FORMATS)


@BY_FORMAT
def test_format_matches_its_golden_file(form: str, request: pytest.FixtureRequest):
    actual = normal(renderer(form)(GATE))
    path = GOLDEN / FILES[form]
    if request.config.getoption("--update"):
        path.write_text(actual)
    assert actual == path.read_text()


def test_every_format_has_a_golden_file():
    assert FILES.keys() == FORMATS.keys()


@BY_FORMAT
def test_an_empty_gate_is_no_error(form: str):
    renderer(form)(Gate())
    assert "safe" in renderer(form)(CLEAN) or form == "gitlab"


@BY_FORMAT
def test_control_characters_never_reach_a_reader(form: str):
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", renderer(form)(hostile()).replace("\\u001b", "").replace("\x1b", "" if form == "sarif" else "\x1b")
    )


@BY_FORMAT
def test_numbers_that_are_none_are_no_error(form: str):
    """What a planner or a model could give at worst: infinities, nothing, less than nothing."""
    odd = Node("Seq Scan", total_cost=float("inf"), rows=float("nan"), children=(Node("Sort", total_cost=-1.0),))
    steps = tuple(
        StepRisk("a.sql", 0, "", seconds=Seconds(low, high), held=Seconds(high, low))
        for low, high in ((0.0, 0.0), (float("inf"), float("nan")), (-1.0, 1e300))
    )
    growth = (Growth(1, 0, 0, True), Growth(0, 1, 1, True), Growth(10, float("inf"), 1, False), Growth(10, 5, 1, False), Growth(10, 5, 1, True))
    query = QueryRisk(
        "s", "", before=Plan(odd), after=Plan(Node("Result")), growth=growth, verdict="review", a_day=float("inf"), seconds_a_day=float("nan")
    )
    renderer(form)(GATE._replace(steps=(*steps, *(step._replace(verdict="stop") for step in steps)), queries=(query,)))


@BY_FORMAT
def test_the_deepest_plan_that_is_read_is_no_error(form: str):
    deep = Node("Result", total_cost=1)
    for _ in range(MOST_DEPTH - 1):
        deep = Node("Nested Loop", total_cost=deep.total_cost + 1, children=(deep,))
    query = QueryRisk("s", "SELECT 1", before=Plan(Node("Result")), after=Plan(deep), verdict="stop")
    assert len(renderer(form)(Gate("stop", queries=(query,), exit_code=1))) < 100_000


def test_json_follows_its_schema():
    schema = json.loads((ROOT / "docs/schemas/gate.json").read_text())
    Draft202012Validator.check_schema(schema)
    for gate in (GATE, CLEAN, Gate(), hostile(), large(30, 30, 30)):
        Draft202012Validator(schema).validate(json.loads(renderer("json")(gate)))


def test_json_has_what_was_promised():
    document = json.loads(renderer("json")(GATE))

    assert {"version", "verdict", "reasons", "steps", "queries", "findings"} <= document.keys()
    assert {"path", "line", "sql", "locks", "seconds", "waiting", "risk"} <= document["steps"][0].keys()
    assert {"shape", "places", "cost_before", "cost_after", "breaks"} <= document["queries"][0].keys()
    assert document["steps"][2]["seconds"] == {"p50": 38.0, "p90": 71.0}
    assert document["steps"][5]["seconds"] is None


def test_sarif_follows_the_standard():
    schema = json.loads((ROOT / "tests/report/sarif-2.1.0.json").read_text())
    for gate in (GATE, CLEAN, Gate(), hostile()):
        document = json.loads(renderer("sarif")(gate))
        Draft202012Validator(schema).validate(document)
        for one in document["runs"][0]["results"]:
            assert document["runs"][0]["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]


def test_every_rule_of_a_gate_is_described_in_sarif():
    rules = json.loads(renderer("sarif")(GATE))["runs"][0]["tool"]["driver"]["rules"]

    assert all(rule["shortDescription"]["text"] for rule in rules)
    assert RULES.keys() <= {rule["id"] for rule in rules}


def test_a_finding_keeps_its_name_while_estimates_change():
    slower = GATE.steps[2]._replace(
        seconds=Seconds(50, 99), reasons=("252 writes/s to `orders` wait for about 50 s (9.9 GB are read under a SHARE lock)",)
    )
    changed = GATE._replace(steps=(*GATE.steps[:2], slower, *GATE.steps[3:]))

    names = [[one["fingerprint"] for one in json.loads(renderer("gitlab")(gate))] for gate in (GATE, changed)]

    assert names[0] == names[1]


def test_colour_is_the_only_difference_a_terminal_makes():
    plain, colored = gate_text.render(GATE), gate_text.render(GATE, color=True)

    assert "\x1b[1;31mstop\x1b[0m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_the_verdict_comes_first_and_its_reasons_after_it():
    lines = gate_text.render(GATE).splitlines()

    assert lines[0].startswith("stop")
    assert lines[1:4] == [f"  - {reason}" for reason in GATE.reasons]


def test_a_safe_gate_is_four_lines():
    assert len(gate_text.render(CLEAN).splitlines()) == 4


def test_what_is_safe_is_counted_and_not_listed():
    text = gate_text.render(GATE)

    assert "COMMENT ON TABLE" not in text
    assert "2 more are safe" in text


def test_a_verdict_that_nobody_knows_counts_as_the_worst():
    assert gate_words.severity("explode") == 2


def test_github_shows_the_verdict_and_then_the_worst():
    lines = renderer("github")(GATE).splitlines()

    assert lines[0].startswith("::error title=dbguard gate%3A stop::")
    kinds = [line.split(" ")[0] for line in lines[:-1]]
    assert kinds == sorted(kinds, key=["::error", "::warning", "::notice"].index)


def test_github_says_in_its_tenth_annotation_how_many_are_hidden():
    lines = renderer("github")(large(0, 0, 40)._replace(verdict="review", budgets=())).splitlines()
    warnings = [line for line in lines if line.startswith("::warning ")]

    assert warnings[9] == "::warning title=dbguard::32 more warnings are in the log of this step"
    assert len(warnings) == 42


def test_github_does_not_count_ten_as_too_many():
    assert "more warnings" not in renderer("github")(large(0, 0, 9)._replace(verdict="review", budgets=()))
    assert "more warnings" not in renderer("github")(large(0, 0, 10)._replace(verdict="safe", budgets=()))


def test_a_name_cannot_write_a_workflow_command():
    for line in renderer("github")(hostile()).rstrip("\n").split("\n"):
        assert re.match(r"::(error|warning|notice) |stop: ", line)


def test_findings_at_the_place_of_a_step_come_after_it():
    findings = as_result(GATE).findings
    errors = [finding.rule for finding in findings if str(finding.severity) == "error"]

    assert errors[:2] == ["migration-step-risk", "migration-step-risk"]
    assert errors[-1] == "create-index-blocking"


def test_a_query_without_a_place_stands_at_what_is_pending():
    nowhere = GATE.queries[0]._replace(places=())

    finding = next(one for one in as_result(GATE._replace(queries=(nowhere,))).findings if one.rule == "query-plan-worse")

    assert (finding.path, finding.line) == (GATE.steps[0].path, 1)


def test_a_long_gate_is_written_quickly_and_stays_small():
    gate = large()
    for form, most in (("full", 3_000_000), ("markdown", 65_536), ("summary", 1_048_576), ("html", 4_000_000)):
        assert len(renderer(form)(gate).encode()) < most


@pytest.mark.parametrize("form", ["full", "github", "markdown"])
def test_a_name_with_a_line_end_stays_on_its_line(form: str):
    step = GATE.steps[2]._replace(path="x\n.sql", reasons=("a\nb", "c\u2028d"))

    assert not re.search(r"^(\.sql|b|d)", renderer(form)(Gate("stop", steps=(step,))), re.MULTILINE)


def test_the_hostile_name_is_hostile():
    assert "<script>" in HOSTILE
    assert "\x1b" in HOSTILE


def test_the_example_in_the_documentation_follows_the_schema():
    schema = json.loads((ROOT / "docs/schemas/gate.json").read_text())
    page = (ROOT / "docs/json.md").read_text()
    example = re.search(r"## gate\n\n```json\n(.*?)```", page, re.DOTALL)
    assert example is not None
    Draft202012Validator(schema).validate(json.loads(example[1]))
