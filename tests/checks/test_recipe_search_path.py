"""A recipe has names as the user wrote them: in the sessions of later migrations they have to mean the same."""

from __future__ import annotations

import pytest

from dbguard.model.source import Script, Source
from dbguard.model.state import State
from dbguard.parsing import parse
from dbguard.pipelines.inspect import Inspection
from dbguard.replay import replay
from dbguard.rulebook import Rulebook
from dbguard.rulebook.select import select

SCHEMA = 'CREATE SCHEMA shop; CREATE SCHEMA "Old Shop"; CREATE TABLE shop.orders (id bigint PRIMARY KEY, a int); CREATE TABLE customers (id bigint PRIMARY KEY);'
INDEX = "CREATE INDEX i ON orders (a);"
CHECK = "ALTER TABLE orders ADD CONSTRAINT c CHECK (a > 0);"


def recipe(text: str, rule: str) -> str:
    scripts = [Script(Source(f"{number}.sql", sql), ((0, len(sql)),), "one") for number, sql in enumerate((SCHEMA, text))]
    steps = replay([parse(script) for script in scripts], State(), 18, lambda script: script.source.path == "1.sql")
    found = Inspection(select(Rulebook.load(), selected=(rule,)), (18, 18)).findings(steps)
    return next(str(finding.recipe) for finding in found)


def test_a_recipe_for_another_session_begins_with_the_search_path_of_the_file() -> None:
    assert recipe(f"SET search_path TO shop, public; {INDEX}", "create-index-blocking") == (
        "-- outside a transaction\nSET search_path = shop, public;\nCREATE INDEX CONCURRENTLY i ON orders (a);"
    )


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("SET LOCAL search_path = shop", "SET search_path = shop;"),
        ('SET search_path = shop, "Old Shop"', 'SET search_path = shop, "Old Shop";'),
        ("SELECT set_config('search_path', 'shop,public', false)", "SET search_path = shop, public;"),
    ],
)
def test_what_follows_in_the_same_migration_needs_none(setting: str, said: str) -> None:
    lines = recipe(f"{setting}; {CHECK}", "add-check-validating").splitlines()
    assert lines == [
        "ALTER TABLE orders ADD CONSTRAINT c CHECK (a > 0) NOT VALID;",
        "-- next migration",
        said,
        "ALTER TABLE orders VALIDATE CONSTRAINT c;",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE INDEX i ON shop.orders (a);",
        "SET search_path = shop; CREATE INDEX i ON shop.orders (a);",
        "SET search_path = public; CREATE INDEX i ON customers (id);",
        "SET search_path = shop; RESET search_path; CREATE INDEX i ON customers (id);",
        "CREATE INDEX i ON customers (id); SET search_path = shop;",
    ],
)
def test_names_that_resolve_without_it_get_none(text: str) -> None:
    assert "search_path" not in recipe(text, "create-index-blocking")
