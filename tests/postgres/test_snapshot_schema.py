"""The schema of a snapshot, written by pg_dump and by dbguard itself, makes the same schema again."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from dbguard.postgres import snapshot_schema
from dbguard.postgres.catalog import read_schema
from dbguard.postgres.snapshot_schema import find_pg_dump, tidy
from tests.postgres.snapshots import index_order, make_role, run, taken

EVERYTHING = (Path(__file__).parent / "snapshot_everything.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def source(server):
    make_role(server, "dbg_reader")
    dsn = server.dsn(server.create_database())
    run(dsn, EVERYTHING)
    return dsn


def made_again(server, ddl):
    """The catalog and the order of indexes of a new database in which the DDL ran."""
    name = server.create_database()
    try:
        with psycopg.connect(server.dsn(name), autocommit=True) as connection:
            connection.execute(ddl)
        with psycopg.connect(server.dsn(name), autocommit=True) as connection:
            return read_schema(connection), index_order(connection), connection.execute("SELECT pg_get_viewdef('app.v')").fetchone()
    finally:
        server.drop_database(name)


@pytest.mark.parametrize("way", ["pg_dump", "own"])
def test_the_schema_makes_the_same_catalog_with_indexes_in_the_same_order(server, source, way, monkeypatch):
    if way == "own":
        monkeypatch.setattr(snapshot_schema, "find_pg_dump", lambda _: None)
    snapshot = taken(source)
    with psycopg.connect(source) as connection:
        wanted = (read_schema(connection), index_order(connection), connection.execute("SELECT pg_get_viewdef('app.v')").fetchone())
    assert made_again(server, snapshot.schema) == wanted
    assert snapshot.roles == ("dbg_reader",)
    assert not snapshot.hidden


def test_without_rights_on_a_table_the_schema_is_complete(server, source):
    make_role(server, "sees_nothing")
    snapshot = taken(source, "sees_nothing")
    with psycopg.connect(source) as connection:
        assert made_again(server, snapshot.schema)[0] == read_schema(connection)


def test_what_only_pg_dump_can_write_is_named(database, monkeypatch):
    monkeypatch.setattr(snapshot_schema, "find_pg_dump", lambda _: None)
    run(
        database,
        "CREATE AGGREGATE public.mul(int) (sfunc = int4mul, stype = int); CREATE TABLE t (a int)",
        "CREATE RULE r AS ON INSERT TO t DO NOTHING; CREATE TEXT SEARCH CONFIGURATION public.c (COPY = simple)",
    )
    sentences = " ".join(taken(database).hidden)
    for words in ("aggregate public.mul", "rule public.t", "text search configuration public.c", "pip install"):
        assert words in sentences


def test_passwords_of_foreign_servers_and_subscriptions_are_not_in_the_schema(server, database):
    run(
        database,
        "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'secret-host', dbname 'd')",
        "CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'u', password 'hunter2')",
        "CREATE FOREIGN TABLE away (a int) SERVER far OPTIONS (table_name 'x')",
        "CREATE SUBSCRIPTION s CONNECTION 'host=secret-host password=hunter2' PUBLICATION p WITH (connect = false)",
        "COMMENT ON FOREIGN TABLE away IS 'ask Maria'",
    )
    schema = taken(database).schema
    run(database, "ALTER SUBSCRIPTION s DISABLE", "ALTER SUBSCRIPTION s SET (slot_name = NONE)", "DROP SUBSCRIPTION s")
    assert "CREATE FOREIGN TABLE public.away" in schema
    for secret in ("hunter2", "secret-host", "Maria"):
        assert secret not in schema


def test_nothing_of_the_program_that_wrote_it_is_in_the_schema(source):
    schema = taken(source).schema
    for word in ("\\restrict", "Dumped", "transaction_timeout", "\nSET lock_timeout", "-- Name:"):
        assert word not in schema


def test_indexes_do_not_pass_what_they_may_need():
    def entry(name, kind, body):
        return f"--\n-- Name: {name}; Type: {kind}; Schema: public; Owner: -\n--\n\n{body};\n\n"

    dump = entry("t b", "CONSTRAINT", "B") + entry("c", "INDEX", "C") + entry("v", "VIEW", "V") + entry("a", "INDEX", "A")
    order = {("public", "a"): 1, ("public", "c"): 2, ("public", "t b"): 3}
    assert tidy(dump + "--\n-- PostgreSQL database dump complete\n--\n", order).split("\n\n")[1:] == ["C;", "B;", "V;", "A;\n"]


def test_a_pg_dump_that_is_too_old_is_not_used():
    assert find_pg_dump(18) is not None
    assert find_pg_dump(99) is None
