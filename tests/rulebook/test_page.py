"""The format of a rule page: what is read, and what is refused."""

from __future__ import annotations

import pytest
from tests.book import ROOT

from dbguard.errors import ConfigError
from dbguard.model.finding import Severity
from dbguard.rulebook.page import body, fill, header, recipe_files, split_files

PAGE = (ROOT / "rules" / "create-index-blocking.md").read_text()


def test_braces_that_are_no_facts_survive():
    template = """INSERT INTO {table} VALUES ('{}', '{"a":1}', '{1,2}', {unknown}, {{table}})"""
    assert fill(template, {"table": "orders"}) == """INSERT INTO orders VALUES ('{}', '{"a":1}', '{1,2}', {unknown}, {orders})"""


def test_facts_are_not_filled_twice():
    assert fill("{a} {b}", {"a": "{b}", "b": "x"}) == "{b} x"


def test_category_decides_severity_unless_the_page_differs():
    assert header(PAGE).severity is Severity.ERROR
    assert header(PAGE.replace('category = "locks"', 'category = "queries"')).severity is Severity.WARNING
    advice = header(PAGE.replace('category = "locks"', 'category = "locks"\nseverity = "advice"'))
    assert (advice.severity, advice.default) == (Severity.ADVICE, False)


def test_preview_is_off():
    assert not header(PAGE.replace('category = "locks"', 'category = "locks"\nstatus = "preview"')).default


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("# create-index-blocking", "create-index-blocking", "must start with"),
        ("# create-index-blocking", "# Create Index", "must start with"),
        ('since = "0.1"', 'sinse = "0.1"', "`since` is missing"),
        ('since = "0.1"', 'since = "0.1"\ncolour = "red"', "unknown key `colour`"),
        ('category = "locks"', 'category = "lock"', "unknown category"),
        ('category = "locks"', 'category = "locks"\nstatus = "new"', "unknown status"),
        ('category = "locks"', 'category = "locks"\nseverity = "fatal"', "FATAL"),
        ('category = "locks"', "category = ", "Invalid value"),
        ("pgfence = ", "flyway = ", "unknown tool"),
        ("builds = ", "index = ", "unknown claim"),
        ("```toml", "```yaml", "fenced `toml` block"),
    ],
)
def test_metadata_that_is_wrong_is_refused(old: str, new: str, words: str):
    with pytest.raises(ConfigError, match=words):
        header(PAGE.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("## Good", "## Fine", "unknown section `Fine`"),
        ("## Recipe", "## Bad", "in this order"),
        ("## References", "", "in this order"),
        ("```sql good", "```sql ugly", "unknown fence"),
        ("(no transaction)", "(somehow)", "somehow"),
        ("`CREATE INDEX` takes", "Another.\n\n`CREATE INDEX` takes", "one paragraph"),
    ],
)
def test_a_body_that_is_wrong_is_refused(old: str, new: str, words: str):
    with pytest.raises(ConfigError, match=words):
        body(PAGE.replace(old, new, 1))


def test_a_marker_starts_the_next_migration():
    files = split_files("-- 001_a.sql\nSELECT 1;\n-- a comment\n-- 002_b.sql (no transaction)\nVACUUM;\n")
    assert [tuple(file) for file in files] == [("001_a.sql", "SELECT 1;\n-- a comment\n", "auto"), ("002_b.sql", "VACUUM;\n", "none")]


def test_output_belongs_to_the_example_above_it():
    text = "# a-rule\n\n```sql bad\nSELECT 1;\n```\n\n```text output\nx\n```\n\n```sql good\nSELECT 2;\n```\n"
    bad, good = body(text, complete=False).examples
    assert (bad.output, good.output) == ("x\n", None)
    assert text[slice(*bad.output_span)] == "x\n"


def test_configuration_holds_for_the_examples_below_it():
    text = "# a-rule\n\n```sql good\nSELECT 1;\n```\n\n```toml config\nstrict = true\n```\n\n```sql good\nSELECT 2;\n```\n"
    assert [example.config for example in body(text, complete=False).examples] == ["", "strict = true\n"]


def test_a_recipe_is_cut_where_the_next_migration_begins():
    recipe = "ALTER TABLE a ADD b int;\n-- outside a transaction\nCREATE INDEX CONCURRENTLY i ON a (b);\n-- in the next migration\nDROP TABLE c;"
    assert [(file.transaction, file.text.splitlines()[-1]) for file in recipe_files(recipe)] == [
        ("auto", "ALTER TABLE a ADD b int;"),
        ("none", "CREATE INDEX CONCURRENTLY i ON a (b);"),
        ("auto", "DROP TABLE c;"),
    ]
