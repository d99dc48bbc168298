"""What must hold for every rule page before its examples run: format, pairing with checks, names, wording."""

from __future__ import annotations

import inspect
import re
import types
from importlib import import_module

import pytest

from dbguard.model import operations
from dbguard.rulebook import Rule
from dbguard.rulebook.page import TOOLS, body
from dbguard.rulebook.render import index
from tests.book import BOOK, ROOT

RULES = list(BOOK.rules.values())
CHECKED = [rule for rule in RULES if not rule.header.engine]
CASES = sorted((ROOT / "tests" / "cases").glob("*.md"))
OTHER_TOOLS = ROOT / "docs" / "other-tools.md"
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", OTHER_TOOLS.read_text(), re.MULTILINE | re.DOTALL))
ROWS = {tool: dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", text, re.MULTILINE)) for tool, text in SECTIONS.items()}


def by_name(rule: Rule) -> str:
    return rule.name


def test_every_check_has_a_page():
    modules = {path.stem.replace("_", "-") for path in (ROOT / "src/dbguard/checks").glob("[a-z]*.py")}
    assert modules == {rule.name for rule in CHECKED}


def test_every_case_file_belongs_to_a_rule():
    assert [path.stem for path in CASES if path.stem not in BOOK.rules] == []
    assert [path.stem for path in CASES if path.read_text().partition("\n")[0] != f"# {path.stem}"] == []


@pytest.mark.parametrize("rule", RULES, ids=by_name)
def test_page_is_complete(rule: Rule):
    one = body(rule.text())
    kinds = [example.kind for example in one.examples]
    assert "bad" in kinds
    assert "good" in kinds
    assert all(example.output is not None for example in one.examples if example.kind == "bad"), "a `text output` fence must follow each bad one"
    assert bool(one.recipes) != bool(one.no_recipe)
    assert set(one.recipes) - {""} <= set(rule.header.variants), "a recipe is named after a variant"
    assert all(text for title, text in one.sections if title != "There is no safe recipe")


@pytest.mark.parametrize("rule", RULES, ids=by_name)
def test_names_of_other_tools_exist(rule: Rule):
    for tool, names in rule.header.known_as.items():
        assert set(names) <= ROWS[tool].keys(), tool


@pytest.mark.parametrize("tool", TOOLS)
def test_every_rule_of_another_tool_has_its_name_here_or_a_reason(tool: str, request: pytest.FixtureRequest):
    for name, cell in ROWS[tool].items():
        here = ", ".join(f"`{rule.name}`" for rule in sorted(RULES, key=by_name) if name in rule.header.known_as.get(tool, ()))
        if request.config.getoption("--update") and here and cell != here:
            OTHER_TOOLS.write_text(OTHER_TOOLS.read_text().replace(f"| `{name}` | {cell} |", f"| `{name}` | {here} |"))
        else:
            assert cell == here if here else cell.startswith("none: "), name


def test_the_page_on_other_tools_names_rules_that_exist():
    for tool, rows in ROWS.items():
        assert rows, tool
        for name, cell in rows.items():
            named = set() if cell.startswith("none: ") else set(re.findall(r"`([a-z-]+)`", cell))
            assert cell.startswith("none: ") or (named and named <= BOOK.rules.keys()), name


@pytest.mark.parametrize("rule", RULES, ids=by_name)
def test_name_reads_well_after_allow(rule: Rule):
    assert not re.match(r"(ban|no|prefer|require|disallow|avoid|use)-", rule.name)
    assert not re.search(r"\b(error|warning|advice|dangerous|bad)\b", rule.name)


@pytest.mark.parametrize("rule", RULES, ids=by_name)
def test_wording_follows_the_guide(rule: Rule):
    assert not any(re.search(r"\.$|please", text) for text in rule.header.instead_in.values())
    for words in (rule.header.wording(), *rule.header.variants.values()):
        for text in words:
            assert not re.search(r"\b((?<!who )(?<!whoever )may|dangerous|bad practice|please|potentially)\b", text, re.IGNORECASE), text
            assert not text.endswith("."), text
        assert not re.match(r"(?!PostgreSQL)[A-Z][a-z]", words.message), "a message starts in lower case"


@pytest.mark.parametrize("rule", CHECKED, ids=by_name)
def test_wakes_are_what_the_check_takes(rule: Rule):
    module = import_module(rule.module)
    known = {*operations.__all__, "EndOfTransaction", "EndOfScript", "Merged", "RoundTrip", "Query", "Unit", "Totals", "Plan", "*"}
    assert set(rule.header.wakes) <= known
    assert rule.header.when <= known
    assert not rule.header.when or all(name.startswith("EndOf") for name in rule.header.wakes)
    first, *rest = inspect.signature(module.check).parameters.values()
    assert len(rest) == (2 if rule.header.options else 1), "a rule with [options] takes them as third parameter"
    annotation = eval(first.annotation, vars(module))
    kinds = annotation.__args__ if isinstance(annotation, types.UnionType) else (annotation,)
    names = {getattr(kind, "__name__", str(kind)) for kind in kinds}
    assert "*" in rule.header.wakes or names == set(rule.header.wakes) or names <= {"Any", "Operation", "object"}


def test_the_index_in_docs_is_up_to_date(request: pytest.FixtureRequest):
    path = ROOT / "docs" / "rules.md"
    actual = f"# Rules\n\nGenerated from the pages in `rules/` by `pytest --update`. `dbguard rule NAME` shows a page.\n\n{index(RULES)}"
    if request.config.getoption("--update"):
        path.write_text(actual)
    assert path.read_text() == actual
