"""The replayed schema is the one that a real server has after the same statements."""

from __future__ import annotations

import psycopg
import pytest

from tests.replay.against_server import Case, differences, read_cases


@pytest.fixture(scope="module")
def connection(server):
    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        yield connection
    server.drop_database(name)


@pytest.fixture
def clean(connection):
    yield connection
    connection.execute("ROLLBACK")
    connection.execute("DISCARD ALL")
    rows = connection.execute("SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'").fetchall()
    connection.execute("DROP SCHEMA " + ", ".join(row[0] for row in rows) + " CASCADE; CREATE SCHEMA public")


@pytest.mark.parametrize("case", list(read_cases()), ids=str)
def test_replay_agrees_with_the_server(case: Case, clean):
    assert differences(clean, case.text) == []
