"""Exports of pg_stat_statements from real servers, and differences of two."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from dbguard.model.calls import Total
from dbguard.postgres.embedded import start
from dbguard.workload import Workload, read_workload
from dbguard.workload.followers import difference
from tests.workload.conftest import programs_of

VIEW = "SELECT s.*, rolname, datname FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid JOIN pg_database d ON d.oid = s.dbid"


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    import psycopg

    with (
        start(settings={"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "all"}) as server,
        psycopg.connect(server.dsn(), autocommit=True) as found,
    ):
        found.execute("CREATE EXTENSION pg_stat_statements")
        found.execute("CREATE TABLE orders (id int, name text)")
        found.execute("CREATE FUNCTION nested() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM orders); END $$")
        found.execute("INSERT INTO orders SELECT n, 'name ' || n FROM generate_series(1, 50) n")
        yield found


def work(connection: Any) -> None:
    for number in range(7):
        connection.execute("SELECT *\nFROM orders WHERE id = %s OR name = 'x, \"y\"'", (number,))
    connection.execute("SELECT nested()")


def as_csv(connection: Any) -> bytes:
    with connection.cursor().copy(f"COPY ({VIEW}) TO STDOUT (FORMAT csv, HEADER)") as copy:
        return b"".join(bytes(part) for part in copy)


def as_json(connection: Any, form: str) -> bytes:
    rows = [row[0] for row in connection.execute(f"SELECT to_jsonb(x) FROM ({VIEW}) x").fetchall()]
    if form == "array":
        return json.dumps(rows, indent=2).encode()
    return b"\n".join(json.dumps(row).encode() for row in rows)


def read(raw: bytes) -> Workload:
    workload = read_workload(["-"], io.BytesIO(raw))
    assert not list(workload.units)
    return workload


@pytest.mark.parametrize("form", ["csv", "array", "lines"])
def test_an_export_gives_totals_of_what_the_application_sent(connection: Any, form: str):
    connection.execute("SELECT pg_stat_statements_reset()")
    work(connection)
    workload = read(as_csv(connection) if form == "csv" else as_json(connection, form))
    totals = {total.sql: total for total in workload.totals}
    total = totals["SELECT *\nFROM orders WHERE id = $1 OR name = $2"]
    assert (total.calls, total.rows, total.user, total.database) == (7, 6, "postgres", "postgres")
    assert 0 < total.seconds < 1
    assert workload.skipped == {"statements that a function ran": 1}
    assert total.line > 0


def test_the_difference_of_two_exports_is_what_happened_between_them(connection: Any):
    connection.execute("SELECT pg_stat_statements_reset()")
    work(connection)
    before = read(as_csv(connection)).totals
    work(connection)
    after = read(as_json(connection, "lines")).totals
    found = {total.sql: total for total in difference(before, after)}
    assert found["SELECT *\nFROM orders WHERE id = $1 OR name = $2"].calls == 7
    assert found["SELECT *\nFROM orders WHERE id = $1 OR name = $2"].rows == 6
    assert not [total for total in difference(after, after) if total.calls]


def test_totals_are_read_from_the_server_itself(connection: Any):
    from dbguard.postgres.session import open_read_only
    from dbguard.postgres.statements import read_totals

    connection.execute("SELECT pg_stat_statements_reset()")
    work(connection)
    with open_read_only(connection.info.dsn) as reader:
        found, notes = read_totals(reader)
    total = {one.sql: one for one in found}["SELECT *\nFROM orders WHERE id = $1 OR name = $2"]
    assert (total.calls, total.rows, total.user, total.database, total.source) == (7, 6, "postgres", "postgres", "pg_stat_statements")
    assert any("a function ran" in note for note in notes)


def test_a_database_without_the_extension_says_what_to_do(connection: Any):
    from dbguard.errors import ServerError
    from dbguard.postgres.session import open_read_only
    from dbguard.postgres.statements import read_totals

    connection.execute("CREATE DATABASE bare")
    with pytest.raises(ServerError, match="CREATE EXTENSION"), open_read_only(f"{connection.info.dsn} dbname=bare") as reader:
        read_totals(reader)


def test_texts_of_other_users_are_counted_not_listed(connection: Any):
    from dbguard.postgres.session import open_read_only
    from dbguard.postgres.statements import read_totals

    connection.execute("CREATE ROLE stranger LOGIN")
    work(connection)
    with open_read_only(f"{connection.info.dsn} user=stranger") as reader:
        found, notes = read_totals(reader)
    assert [one.sql for one in found if "orders" in one.sql] == []
    assert any("pg_read_all_stats" in note for note in notes)


def test_a_statement_that_was_reset_counts_whole():
    before, after = Total("SELECT 1", 100, 100, 1.0), Total("SELECT 1", 4, 4, 0.1)
    assert difference([before], [after]) == (after,)


def test_names_of_older_versions_are_understood():
    text = 'userid,dbid,queryid,query,calls,total_time,rows\n10,5,77,"select a, ""b"" from t where x = $1",12,2500.5,24\n'
    assert read(text.encode()).totals == [Total('select a, "b" from t where x = $1', 12, 24, 2.5005, "10", "5", "<stdin>", 2)]


def test_what_is_no_row_is_counted_and_the_rest_is_used():
    text = (
        "query,calls,rows,total_exec_time\nselect 1,2,3,4.5\n<insufficient privilege>,1,1,1\nbroken\nselect b from t,x,1,1\nselect a from t,5,5,5\n"
    )
    workload = read(text.encode())
    assert [total.sql for total in workload.totals] == ["select 1", "select a from t"]
    assert sum(workload.skipped.values()) == 3
    assert workload.notes


@pytest.mark.parametrize("major", ["13", "16"])
def test_exports_of_every_version_are_understood(major: str):
    """psql of that server writes them; only where these servers are installed."""
    programs = programs_of(major)
    psql = shutil.which("psql")
    import psycopg

    with (
        start(programs, settings={"shared_preload_libraries": "pg_stat_statements"}) as server,
        psycopg.connect(server.dsn(), autocommit=True) as found,
    ):
        found.execute("CREATE EXTENSION pg_stat_statements")
        found.execute("CREATE TABLE orders (id int, name text)")
        found.execute("CREATE FUNCTION nested() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM orders); END $$")
        work(found)
        exports = [as_csv(found), as_json(found, "array")]
        if psql:
            exports.append(subprocess.run([psql, "--csv", "-c", VIEW, server.dsn()], capture_output=True, check=True).stdout)
    for raw in exports:
        total = {total.sql: total for total in read(raw).totals}["SELECT *\nFROM orders WHERE id = $1 OR name = $2"]
        assert total.calls == 7
        assert total.seconds > 0
