"""Where a statement may stand: what PostgreSQL refuses inside, or outside, a transaction block."""

from __future__ import annotations

import psycopg
import pytest

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode, Server
from dbguard.model.state import State
from dbguard.parsing import parse_text
from dbguard.postgres.embedded import start
from dbguard.replay.effects import effects

MAJOR = 18
INSIDE, OUTSIDE = "25001", "25P01"  # active_sql_transaction, no_active_sql_transaction

STATEMENTS = [
    "CREATE INDEX CONCURRENTLY i ON t (a)",
    "DROP INDEX CONCURRENTLY i",
    "REINDEX TABLE CONCURRENTLY t",
    "REINDEX SCHEMA public",
    "REINDEX DATABASE postgres",
    "VACUUM t",
    "CLUSTER",
    "CREATE DATABASE d",
    "DROP DATABASE d",
    "ALTER DATABASE postgres SET TABLESPACE pg_default",
    "CREATE TABLESPACE s LOCATION '/missing'",
    "DROP TABLESPACE s",
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p",
    "ALTER SYSTEM SET work_mem = '4MB'",
    "COMMIT PREPARED 'x'",
    "ROLLBACK PREPARED 'x'",
    "DISCARD ALL",
    "LOCK TABLE t",
    "SAVEPOINT s",
    "RELEASE SAVEPOINT s",
    "ROLLBACK TO SAVEPOINT s",
    "DECLARE c CURSOR FOR SELECT 1",
    "COMMIT AND CHAIN",
    "ROLLBACK AND CHAIN",
    # allowed on both sides
    "CREATE INDEX i ON t (a)",
    "DROP INDEX i",
    "REINDEX TABLE t",
    "ANALYZE t",
    "CLUSTER t",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
    "ALTER DATABASE postgres SET work_mem = '4MB'",
    "ALTER TYPE e ADD VALUE 'x'",
    "CREATE ROLE r",
    "CREATE PUBLICATION p FOR TABLE t",
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)",
    "ALTER SUBSCRIPTION s DISABLE",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    "SET LOCAL work_mem = '4MB'",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET CONSTRAINTS ALL DEFERRED",
    "DISCARD PLANS",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "TRUNCATE t",
]


@pytest.fixture(scope="module")
def connection():
    with start() as server, psycopg.connect(server.dsn(), autocommit=True) as connection:
        yield connection


def _refusal(connection, *statements: str) -> str | None:
    try:
        for statement in statements:
            connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    finally:
        connection.execute("ROLLBACK")
    return None


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_stands_where_the_server_lets_it(connection, statement: str):
    (parsed,) = parse_text(statement)
    predicted = effects(parsed.operations[0], State(), Server(MAJOR)).transaction
    if _refusal(connection, "BEGIN", statement) == INSIDE:
        assert predicted == "forbidden"
    elif _refusal(connection, statement) == OUTSIDE:
        assert predicted == "required"
    else:
        assert predicted == "allowed"


UNSEEN = [
    "CREATE INDEX i ON t (a)",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
    "DROP INDEX i",
    "DROP INDEX CONCURRENTLY i",
    "REINDEX TABLE t",
    "REINDEX INDEX i",
    "ALTER INDEX i RENAME TO j",
    "ALTER INDEX i ATTACH PARTITION j",
    "CLUSTER t USING i",
    "VACUUM FULL t",
    "ANALYZE t",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
    "DROP VIEW v",
    "CREATE OR REPLACE VIEW v AS SELECT * FROM t",
    "DROP MATERIALIZED VIEW m CASCADE",
    "ALTER SEQUENCE s RESTART",
    "DROP SEQUENCE s",
    "ALTER TABLE t OWNER TO r",
    "ALTER VIEW v SET SCHEMA x",
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "DROP TRIGGER g ON t",
    "DROP POLICY p ON t",
    "ALTER POLICY p ON t RENAME TO q",
    "DROP TYPE e",
    "DROP TYPE e CASCADE",
    "DROP FUNCTION f()",
    "DROP SCHEMA x",
    "DROP SCHEMA x CASCADE",
    "DROP OWNED BY r",
    "ALTER TYPE e ADD VALUE 'x'",
    "ALTER TYPE c ADD ATTRIBUTE a int",
    "COMMENT ON TABLE t IS 'x'",
    "GRANT SELECT ON t TO r",
    "SELECT * FROM t FOR UPDATE",
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
    "COPY t TO STDOUT",
    "TRUNCATE t",
    "LOCK TABLE t",
]


@pytest.mark.parametrize("statement", UNSEEN)
def test_nothing_is_refused_for_what_was_not_seen(statement: str):
    (parsed,) = parse_text(statement)
    assert effects(parsed.operations[0], State(), Server(MAJOR)).fails is None


@pytest.mark.parametrize(
    "statement", ["CREATE INDEX i ON t (a)", "UPDATE t SET a = 1", "TRUNCATE t", "VACUUM FULL t", "DROP TRIGGER g ON t", "SELECT * FROM t"]
)
def test_a_table_that_was_not_seen_is_locked_and_said_to_be_assumed(statement: str):
    (parsed,) = parse_text(statement)
    found = effects(parsed.operations[0], State(), Server(MAJOR))
    assert found.mode(Name("public", "t")) is not None
    assert any("public.t" in sentence for sentence in found.unknown)


def test_a_name_is_found_through_the_search_path():
    (parsed,) = parse_text("LOCK TABLE t IN SHARE MODE")
    found = effects(parsed.operations[0], State(settings={"search_path": "shop, public"}), Server(MAJOR))
    assert found.mode(Name("shop", "t")) is LockMode.SHARE
