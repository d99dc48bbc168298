"""Snapshots of other majors of PostgreSQL: set DBGUARD_POSTGRES_BINS to their `bin` folders, separated as in PATH.

DBGUARD_POSTGRES_BINS=/usr/lib/postgresql/13/bin:/usr/lib/postgresql/15/bin python -m pytest tests/postgres/test_snapshot_majors.py
"""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from dbguard.postgres import snapshot_schema
from dbguard.postgres.catalog import read_schema
from dbguard.postgres.embedded import start
from dbguard.reading.snapshots import load, save
from tests.majors import link
from tests.postgres.snapshots import by_column, index_order, make_role, run, taken

BINS = [Path(text) for text in os.environ.get("DBGUARD_POSTGRES_BINS", "").split(os.pathsep) if text]
EVERYTHING = (Path(__file__).parent / "snapshot_everything.sql").read_text(encoding="utf-8")
ROWS = """
SET session_replication_role = replica;
INSERT INTO app.customers (email, name, mood, addr, span, price)
    SELECT 'secret' || i || '@x', 'secret' || i % 90, 'ok', ROW('secret', 'z')::app.addr, app.span(i, i + 10), i FROM generate_series(1, 10000) i;
INSERT INTO app.orders (customer_id, no, status, doc, created)
    SELECT i, i, (ARRAY['new', 'done'])[1 + i % 2], '{"k": "secret"}', '2024-02-02'::date + i % 400 FROM generate_series(1, 10000) i;
CREATE EXTENSION pg_stat_statements; REFRESH MATERIALIZED VIEW app.mv; ANALYZE; SELECT count(*) FROM app.orders"""

pytestmark = pytest.mark.skipif(not BINS, reason="needs DBGUARD_POSTGRES_BINS: the `bin` folders of other majors")


@pytest.fixture(scope="module", params=BINS, ids=lambda path: next((part for part in path.parts if part.isdigit()), path.parent.name))
def old(request):
    link(request.param)
    with start(request.param, settings={"shared_preload_libraries": "pg_stat_statements"}) as server:
        for role in ("dbg_reader", "sees_all", "sees_little"):
            make_role(server, role)
        source = server.dsn(server.create_database())
        run(source, EVERYTHING, ROWS, "GRANT pg_read_all_stats TO sees_all")
        for schema in ("app", '"Odd Name"', "public"):
            run(source, f"GRANT USAGE ON SCHEMA {schema} TO sees_all; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO sees_all")
        yield server, source


@pytest.mark.parametrize("way", ["pg_dump", "own"])
def test_the_schema_makes_the_same_catalog(old, way, monkeypatch):
    server, source = old
    if way == "own":
        monkeypatch.setattr(snapshot_schema, "find_pg_dump", lambda _: None)
    snapshot = taken(source)
    assert snapshot.major == server.major
    again = server.dsn(server.create_database())
    run(again, snapshot.schema)
    with psycopg.connect(source) as one, psycopg.connect(again) as other:
        assert read_schema(one) == read_schema(other)
        assert index_order(one) == index_order(other)


def test_statistics_are_those_of_the_server(old, tmp_path):
    _, source = old
    snapshot = taken(source, values="full")
    with psycopg.connect(source) as connection:
        query = "SELECT count(*) FROM pg_stats WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        assert connection.execute(query).fetchone()[0] == len(snapshot.columns)
    assert by_column(snapshot)["app.customers.span"].range_bounds_histogram
    assert any(one.inherited for one in snapshot.columns)
    assert any("app.orders" in one.sql for one in snapshot.statements)
    assert {name for name, _ in snapshot.settings} >= {"work_mem", "random_page_cost", "search_path", "enable_hashjoin"}
    assert snapshot.extended[0].n_distinct
    save(snapshot, tmp_path / "s")
    assert load(tmp_path / "s") == snapshot


def test_no_secret_is_in_a_masked_snapshot(old, tmp_path):
    _, source = old
    snapshot = taken(source)
    save(snapshot, tmp_path / "s")
    assert "secret" not in (tmp_path / "s").read_text()
    assert by_column(snapshot)["app.customers.name"].most_common_vals


def test_roles_without_superuser_see_what_they_may_and_are_told_the_rest(old):
    server, source = old
    seen = taken(source, "sees_all")
    assert by_column(seen)["app.orders_1.doc"].most_common_vals
    sentences = "\n".join(seen.hidden)
    assert "app.customers: no statistics of id, email, name" in sentences
    assert ("app.customers: no histograms of span" in sentences) == (server.major < 17)
    little = taken(source, "sees_little")
    assert not little.columns
    assert little.schema.count("CREATE TABLE") == seen.schema.count("CREATE TABLE")
