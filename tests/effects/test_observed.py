"""Every prediction is held against a real server: locks, rewrites, scans, builds, transaction, failure."""

from __future__ import annotations

import pytest

from dbguard.postgres.embedded import start
from tests.effects.cases_of import Case, differences, predict, read_cases, watch

MAJOR = 18


@pytest.fixture(scope="session")
def connection():
    import psycopg

    with start(settings={"timezone": "Europe/Berlin"}) as server, psycopg.connect(server.dsn(), autocommit=True) as connection:
        assert server.major == MAJOR
        yield connection


@pytest.mark.parametrize("case", [case for case in read_cases() if case.holds_on(MAJOR)], ids=str)
def test_prediction_agrees_with_postgresql(case: Case, connection):
    observed = watch(case, connection)
    found = differences(case, predict(case, MAJOR), observed)
    assert not found, "\n".join([case.statement, *found])
