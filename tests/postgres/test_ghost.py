"""A ghost plans as the database of its snapshot does, holds no row, and cannot be written."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from dbguard.errors import ServerError, UsageError
from dbguard.model.names import Name
from dbguard.postgres.ghost import open_ghost
from dbguard.postgres.ghost import roles as ghost_roles
from dbguard.postgres.session import open_read_only
from dbguard.postgres.snapshot import Wishes, take

QUERIES = [
    "SELECT * FROM people WHERE id = 77",
    "SELECT * FROM people WHERE country = 'CC' ORDER BY born DESC LIMIT 5",
    "SELECT * FROM people WHERE lower(mail::text) = 'p17@example.org'",
    "SELECT id FROM people WHERE deleted_at IS NULL AND born < '1955-01-01'",
    "SELECT id FROM people WHERE deleted_at IS NOT NULL AND deleted_at > '2024-01-10'",
    "SELECT id FROM people WHERE tags @> ARRAY['t3']",
    "SELECT id FROM people WHERE data @> '{\"k\": 5}'",
    "SELECT id FROM people WHERE spot <@ box(point(0, 0), point(4, 4))",
    "SELECT id FROM people ORDER BY spot <-> point(3, 3) LIMIT 3",
    "SELECT id FROM people WHERE stay && int4range(10, 12)",
    "SELECT id FROM people WHERE mood = 'sad'",
    "SELECT id FROM people WHERE mail::text ^@ 'p123'",
    "SELECT half, count(*) FROM people GROUP BY half",
    "SELECT c.name, count(*) FROM countries c JOIN people p ON p.country = c.code WHERE p.mood = 'happy' GROUP BY c.name",
    "SELECT * FROM alive a JOIN countries c ON c.code = a.country WHERE a.born = '1970-05-05'",
    "SELECT avg(value) FROM readings WHERE device = 7",
    "SELECT * FROM readings WHERE at >= '2024-01-05' AND at < '2024-01-06'",
    "SELECT device, max(at) FROM readings GROUP BY device",
    "SELECT count(*) FROM log WHERE id < 100",
    "SELECT * FROM by_country WHERE country = 'AB'",
    "SELECT country, city, count(*) FROM places GROUP BY country, city",
    "SELECT * FROM places WHERE country = 'c1' AND city = 'c1-11'",
    "SELECT * FROM never_analyzed WHERE note = 'x'",
    "SELECT * FROM notes WHERE owner = 'o1'",
    "UPDATE people SET mood = 'ok' WHERE country = 'AA'",
    "DELETE FROM readings WHERE at < '2024-01-02'",
    "INSERT INTO countries SELECT 'ZZ', 'z' FROM people WHERE id < 3",
]


def plan(dsn: str, query: str, setup: str = ""):
    with psycopg.connect(dsn, autocommit=True) as connection:
        if setup:
            connection.execute(setup)
        return connection.execute(f"EXPLAIN (FORMAT JSON) {query}").fetchone()[0][0]["Plan"]


def node(found, kind: str):
    """The first node of that kind."""
    if found["Node Type"] == kind:
        return found
    return next((inner for child in found.get("Plans", ()) if (inner := node(child, kind))), None)


@pytest.fixture(scope="module")
def source(server):
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE ROLE ghost_reader")
    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(Path(__file__).with_name("ghost_source.sql").read_text())
        connection.execute("ANALYZE")
        connection.execute("VACUUM people, readings")
        connection.execute("CREATE TABLE fresh (id int)")
    yield server.dsn(name)
    server.drop_database(name)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("DROP ROLE ghost_reader")


@pytest.fixture(scope="module")
def snapshot(source):
    with open_read_only(source) as connection:
        return take(connection, Wishes(values="full"))


@pytest.fixture(scope="module")
def ghost(snapshot):
    with open_ghost(snapshot, cache=False) as opened:
        yield opened


@pytest.mark.parametrize("query", QUERIES)
def test_every_plan_and_cost_is_that_of_the_source(source, ghost, query):
    by_gin = "@>" in query  # what it counts stands in a page that only a superuser may read

    def same(one, other):
        assert one.keys() == other.keys()
        for key, value in one.items():
            if key == "Plans":
                for child, twin in zip(value, other[key], strict=True):
                    same(child, twin)
            elif "Cost" in key:
                assert value == pytest.approx(other[key], rel=0.0005, abs=5 if by_gin else None)
            else:
                assert value == other[key]

    same(plan(ghost.dsn(), query), plan(source, query))


def test_nothing_is_lost_on_the_same_major(ghost):
    assert ghost.lost == ()


def test_another_major_is_said(snapshot):
    with open_ghost(snapshot._replace(major=15), cache=False) as opened:
        assert any("planned by 18" in sentence and "15" in sentence for sentence in opened.lost)


def test_it_holds_no_row(ghost):
    with psycopg.connect(ghost.dsn(), autocommit=True) as connection:
        for table in ("people", "readings", "log", "countries", "by_country", "notes"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        assert connection.execute("SELECT * FROM people WHERE id = 5").fetchall() == []


def test_its_files_take_almost_no_disk(ghost):
    data = ghost._origin.access.server.folder / "data" / "base"
    files = [file.stat() for file in data.rglob("*") if file.is_file()]
    assert sum(file.st_blocks * 512 for file in files) < 60e6


def test_row_security_plans_for_a_role_of_the_policies(source, ghost):
    setup = "SET ROLE ghost_reader"
    assert plan(ghost.dsn(), "SELECT * FROM notes", setup) == plan(source, "SELECT * FROM notes", setup)
    assert "Filter" in plan(ghost.dsn(), "SELECT * FROM notes", setup)


def test_extended_statistics_are_those_of_the_source(source, ghost):
    asked = "SELECT statistics_name, n_distinct::text, dependencies::text FROM pg_stats_ext"
    with psycopg.connect(source) as one, psycopg.connect(ghost._origin.access.superuser("ghost")) as other:
        assert one.execute(asked).fetchall() == other.execute(asked).fetchall()


WRITES = [
    "INSERT INTO countries VALUES ('XX', 'x')",
    "UPDATE people SET mood = 'ok'",
    "DELETE FROM readings",
    "DELETE FROM readings_1",
    "TRUNCATE people",
    "DROP TABLE people",
    "ALTER TABLE people ADD COLUMN x int",
    "ALTER TABLE people DISABLE TRIGGER ALL",
    "CREATE TABLE mine (id int)",
    "CREATE INDEX ON people (born)",
    "REFRESH MATERIALIZED VIEW by_country",
    "CREATE FUNCTION pg_catalog.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER ROLE ghost SUPERUSER",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY countries TO '/tmp/ghost-out'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SET SESSION AUTHORIZATION dbguard",
    "SET ROLE dbguard",
    "SET ROLE postgres",
    "SET session_replication_role = replica",
    "UPDATE pg_class SET relpages = 1",
    "CREATE DATABASE other",
]


@pytest.mark.parametrize("statement", WRITES)
def test_a_caller_cannot_change_it_even_with_read_only_off(ghost, statement):
    with psycopg.connect(ghost.dsn(), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.Error):
            connection.execute(statement)


def test_a_caller_cannot_copy_rows_into_it(ghost):
    with psycopg.connect(ghost.dsn(), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), connection.cursor().copy("COPY countries FROM STDIN") as copy:
            copy.write_row(("XX", "x"))


def test_vacuum_and_analyze_of_a_caller_change_nothing(ghost):
    before = plan(ghost.dsn(), "SELECT * FROM people WHERE id = 77")
    with psycopg.connect(ghost.dsn(), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("VACUUM people")
        connection.execute("ANALYZE people")
    assert plan(ghost.dsn(), "SELECT * FROM people WHERE id = 77") == before


def test_callers_are_read_only_by_default(ghost):
    with psycopg.connect(ghost.dsn(), autocommit=True) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("SELECT nextval('people_id_seq')")


def test_settings_are_those_of_the_snapshot(snapshot):
    given = dict(snapshot.settings) | {
        "work_mem": "77MB",
        "random_page_cost": "1.1",
        "search_path": '"$user", public, pg_temp',
        "enable_hashjoin": "off",
    }
    with open_ghost(snapshot._replace(settings=tuple(given.items())), cache=False) as opened, psycopg.connect(opened.dsn()) as connection:
        for name in ("work_mem", "random_page_cost", "search_path", "enable_hashjoin"):
            assert connection.execute("SELECT current_setting(%s)", (name,)).fetchone() == (given[name],)


def test_a_scaled_ghost_has_more_of_everything_but_lookups(snapshot):
    with open_ghost(snapshot, scale=10, cache=False) as opened:
        assert plan(opened.dsn(), "SELECT * FROM people")["Plan Rows"] == 200_000
        assert plan(opened.dsn(), "SELECT * FROM readings")["Plan Rows"] == 280_001  # the parent counts one row a leaf at least
        assert plan(opened.dsn(), "SELECT * FROM countries")["Plan Rows"] == 50


def test_one_table_can_be_scaled(snapshot):
    with open_ghost(snapshot, scale={"people": 100}, cache=False) as opened:
        assert plan(opened.dsn(), "SELECT * FROM people")["Plan Rows"] == 2_000_000
        assert plan(opened.dsn(), "SELECT * FROM log_old")["Plan Rows"] == 5000


def test_scaling_a_table_that_is_not_there_is_wrong_use(snapshot):
    with pytest.raises(UsageError, match="no table"), open_ghost(snapshot, scale={"nobody": 2}, cache=False):
        pass


def test_a_table_that_has_grown_since_it_was_analyzed_is_planned_as_grown(snapshot):
    relations = [
        one._replace(analyzed_pages=one.pages // 2) if one.name == Name("public", "people") and one.kind == "r" else one for one in snapshot.relations
    ]
    with open_ghost(snapshot._replace(relations=tuple(relations)), cache=False) as opened:
        assert plan(opened.dsn(), "SELECT * FROM people")["Plan Rows"] == pytest.approx(40_000, rel=0.02)


def test_nothing_is_left_behind(snapshot):
    with open_ghost(snapshot, cache=False) as opened:
        folder = opened._origin.access.server.folder
        process = opened._origin.access.server._process
    assert not folder.exists()
    assert process.poll() is not None


def test_a_binary_folder_without_postgresql_is_said(snapshot, tmp_path):
    with pytest.raises(ServerError, match="initdb"), open_ghost(snapshot, bin_dir=tmp_path, cache=False):
        pass


def test_the_guard_needs_no_schema_that_users_see(ghost):
    with psycopg.connect(ghost.dsn()) as connection:
        schemas = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'").fetchall()
    assert schemas == [("public",)]
    assert ghost_roles.CALLER in ghost.uri()
    assert json.dumps(ghost.environment())
