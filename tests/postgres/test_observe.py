"""What the observer tells of one statement, beyond what `tests/effects` holds it to."""

from __future__ import annotations

import pytest

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.postgres.embedded import start
from dbguard.postgres.observe import observe


@pytest.fixture(scope="module")
def server():
    with start() as server:
        yield server


@pytest.fixture
def connection(server):
    import psycopg

    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1); CREATE INDEX t_n ON t (n)")
        yield connection
    server.drop_database(name)


def test_a_statement_is_kept(connection):
    assert observe(connection, "ALTER TABLE t ADD COLUMN m int").sqlstate is None
    connection.execute("SELECT m FROM t")


def test_a_statement_is_rolled_back_on_request(connection):
    assert observe(connection, "DROP TABLE t", keep=False).effects.mode(Name("public", "t")) == LockMode.ACCESS_EXCLUSIVE
    connection.execute("SELECT id FROM t")


def test_an_error_is_an_observation_and_leaves_the_connection_usable(connection):
    seen = observe(connection, "ALTER TABLE t ADD COLUMN n int")
    assert seen.sqlstate == "42701"
    assert seen.effects.fails == 'column "n" of relation "t" already exists'
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_a_syntax_error_is_an_observation(connection):
    assert observe(connection, "ALTER TABEL t").sqlstate == "42601"


def test_truncate_writes_no_row_again_and_builds_nothing(connection):
    effects = observe(connection, "TRUNCATE t").effects
    assert (effects.rewrites, effects.builds) == ((), ())


def test_a_concurrent_build_is_seen_whole_and_said_to_forbid_a_transaction(connection):
    effects = observe(connection, "CREATE INDEX CONCURRENTLY t_n2 ON t (n)").effects
    assert effects.transaction == "forbidden"
    assert effects.mode(Name("public", "t")) == LockMode.SHARE_UPDATE_EXCLUSIVE
    assert effects.builds == (Name("public", "t_n2"),)


@pytest.mark.parametrize("attempt", range(5))
def test_the_last_lock_of_a_concurrent_drop_is_never_missed(connection, attempt):
    effects = observe(connection, "DROP INDEX CONCURRENTLY t_n").effects
    assert effects.mode(Name("public", "t_n")) == LockMode.ACCESS_EXCLUSIVE


def test_reindexing_the_catalog_does_not_stop_the_observer(connection):
    database = connection.info.dbname
    assert observe(connection, f"REINDEX SYSTEM {database}").effects.fails is None


def test_messages_level_and_listeners_are_put_back(connection):
    observe(connection, "ALTER TABLE t ALTER COLUMN n SET NOT NULL")
    assert connection.execute("SHOW client_min_messages").fetchone() == ("notice",)


def test_two_tables_of_one_name_are_told_apart(connection):
    connection.execute("CREATE SCHEMA s; CREATE TABLE s.t (n int)")
    assert observe(connection, "ALTER TABLE s.t ALTER COLUMN n SET NOT NULL").effects.scans == (Name("s", "t"),)


def test_a_lock_of_the_session_itself_is_not_the_statements(connection):
    connection.execute("SELECT pg_advisory_lock(1)")
    assert observe(connection, "SELECT 1").effects.locks == ()
