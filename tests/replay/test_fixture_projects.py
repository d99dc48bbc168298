"""The migrations of `fixtures/`, run on a real server as their tools would: what it refuses, what it has, what it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbguard.model.operations import Begin, Commit, SetParameter, programs
from dbguard.model.postgres import Server
from dbguard.model.schema import Created
from dbguard.model.source import Parsed, Script, Source, Statement
from dbguard.model.state import State
from dbguard.parsing import parse, parse_text
from dbguard.postgres.catalog import read_schema
from dbguard.postgres.observe import observe
from dbguard.replay import final_state, runs_in_transaction
from dbguard.replay.advance import advance
from dbguard.replay.calls import with_calls
from dbguard.replay.describe import compare, describe_schema
from dbguard.replay.effects import effects, merge
from tests.effects.cases_of import Case, differences
from tests.fixture_projects import FIXTURES, PROJECTS, history_of, report_on

MAJOR = 18
ROWS = Path(__file__).parent / "rows"
FACTS = tuple(getattr(programs, name) for name in programs.__all__)  # what no SQL is sent for
PARAMETER = re.compile(r"\$\d")  # sent with values that only the program knows
REFUSED = {"statement-fails", "concurrently-in-transaction", "enum-value-used-in-same-transaction"}

PLATFORM = """
DO $$ BEGIN
    IF to_regrole('anon') IS NULL THEN
        CREATE ROLE anon; CREATE ROLE authenticated;
    END IF;
END $$;
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text, raw_user_meta_data jsonb);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT NULL::uuid';
"""
BEFORE = {"supabase": PLATFORM}
"""What exists before the first migration and is no part of the project."""


def ups(project: str) -> list[Parsed]:
    return [parse(script) for script in history_of(project).scripts if script.direction != "down"]


def base_of(project: str) -> str:
    base = history_of(project).base
    return BEFORE.get(project, "") + ("" if base is None else base.text)


def start_of(project: str) -> State:
    text = base_of(project)
    script = Script(Source("base", text), ((0, len(text)),), transaction="none")
    state = final_state([parse(script)], State(), MAJOR)
    return State(schema=state.schema._replace(complete=True), now=state.now)


def texts(one: Parsed) -> list[str]:
    """The statements of the script as they are sent, without those that dbguard sees inside of others."""
    return [text_of(one, statement) for statement in outer(one)]


def text_of(one: Parsed, statement: Statement) -> str:
    return statement.sql or one.script.source.text[statement.start : statement.end]


def outer(one: Parsed) -> list[Statement]:
    found: list[Statement] = []
    for statement in one.statements:
        is_sql = any(not isinstance(operation, FACTS) for operation in statement.operations)
        if is_sql and not PARAMETER.search(statement.sql) and (statement.sql or not found or statement.start >= found[-1].end):
            found.append(statement)
    return found


def run_as_its_tool_does(connection: Any, one: Parsed) -> None:
    if one.script.transaction == "single":
        connection.execute(";\n".join(texts(one)).encode())
        return
    wrapped = runs_in_transaction(one)
    if wrapped:
        connection.execute("BEGIN")
    for statement in outer(one):
        if wrapped and statement.alone:
            connection.execute("COMMIT")
        connection.execute(text_of(one, statement).encode())
        if wrapped and statement.alone:
            connection.execute("BEGIN")
    if wrapped:
        connection.execute("COMMIT")


def run_by_hand(connection: Any, one: Parsed) -> None:
    for text in texts(one):
        connection.execute(text.encode())


@pytest.fixture
def connection(server: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        yield connection
    server.drop_database(name)


@pytest.mark.parametrize("project", PROJECTS)
def test_the_schema_after_every_migration_is_the_servers_and_refusals_were_told(project: str, connection):
    told = {
        (finding.path, finding.line)
        for finding in report_on(project).findings
        if finding.rule in REFUSED and (finding.postgres is None or finding.postgres[0] <= MAJOR <= finding.postgres[1])
    }
    connection.execute(base_of(project).encode())
    connection.execute("RESET ALL")
    state = start_of(project)
    refused = set()
    for one in ups(project):
        try:
            run_as_its_tool_does(connection, one)
        except psycopg.Error:
            refused.add(one.script.version)
            connection.execute("ROLLBACK")
            run_by_hand(connection, one)
        state = final_state([one], state, MAJOR)
        found = compare(read_schema(connection), describe_schema(state.schema))
        assert not found, "\n".join([one.script.source.path, *found])
    assert refused == {one.script.version for one in ups(project) for line in lines_of(one) if (one.script.source.path, line) in told}


def lines_of(one: Parsed) -> set[int]:
    return {one.script.source.text.count("\n", 0, statement.start) + 1 for statement in one.statements}


@pytest.mark.parametrize("project", PROJECTS)
def test_every_down_script_runs_after_its_up_script(project: str, connection):
    """Where it can be undone: those that run in a transaction."""
    connection.execute(base_of(project).encode())
    connection.execute("RESET ALL")
    for script in history_of(project).scripts:
        one = parse(script)
        if script.direction != "down":
            run_by_hand(connection, one)
        elif runs_in_transaction(one) and not any(statement.alone for statement in one.statements):
            connection.execute("BEGIN")
            for text in texts(one):
                connection.execute(text.encode())
            connection.execute("ROLLBACK")


@pytest.mark.parametrize("project", PROJECTS)
def test_every_prediction_is_what_the_server_does(project: str, connection):
    """Each statement in a transaction of its own, so that the server shows the locks of that statement alone."""
    connection.execute(base_of(project).encode())
    connection.execute("RESET ALL")
    state = start_of(project)
    rows = rows_of(project)
    found = []
    for number, one in enumerate(ups(project), start=1):
        for text in map(as_alone, texts(one)):
            state = state._replace(now=Created(number, state.now.transaction + 1))
            if not text:
                continue
            predicted, state = predict(text, state)
            observed = observe(connection, text).effects
            if (predicted.fails or "").endswith("contains null values"):  # dbguard takes every table to hold rows
                assert (observed.fails or "").endswith("contains null values")
                run_on_empty_tables(connection, text)
            unseen = {"locks"} if text.startswith("DO") and observed.transaction == "forbidden" else set()  # given back at its COMMIT
            case = Case("", "", "", text, ignore=frozenset(unseen))
            found += [f"{one.script.source.path}: {text.splitlines()[0]}: {line}" for line in differences(case, predicted, observed)]
        connection.execute("RESET ALL")
        state = state._replace(settings={})
        connection.execute(rows.get(one.script.version, "").encode())
    assert not found, "\n".join(found)


def run_on_empty_tables(connection: Any, text: str) -> None:
    names = "SELECT schemaname || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    connection.execute("TRUNCATE " + ", ".join(name for (name,) in connection.execute(names)) + " CASCADE")
    connection.execute(text.encode())


def as_alone(text: str) -> str:
    """The statement as it means the same outside its transaction; empty for BEGIN and COMMIT."""
    match parse_text(text)[0].operations[:1]:
        case (Begin() | Commit(),):
            return ""
        case (SetParameter(local=True),):
            return text.replace("LOCAL ", "", 1).replace("local ", "", 1)
    return text


def predict(text: str, state: State) -> tuple[Any, State]:
    parts = []
    before = last = state
    for statement in parse_text(text):
        assert not statement.unread, statement.unread
        for operation in (inner for one in statement.operations for inner in with_calls(one, state)):
            parts.append(effects(operation, state, Server(MAJOR)))
            last = state
            state = advance(state, operation)
    return merge(parts, before, last), state


def rows_of(project: str) -> dict[str, str]:
    """Rows to insert after a migration, by its version: `-- after 00001` begins a part."""
    file = ROWS / f"{project}.sql"
    parts = file.read_text().split("-- after ")[1:] if file.is_file() else []
    return {version.strip(): text for version, _, text in (part.partition("\n") for part in parts)}


def test_rows_are_for_projects_and_migrations_that_exist():
    for file in ROWS.glob("*.sql"):
        assert set(rows_of(file.stem)) <= {one.script.version for one in ups(file.stem)}
    assert {file.stem for file in ROWS.glob("*.sql")} <= {path.name for path in FIXTURES.iterdir()}
