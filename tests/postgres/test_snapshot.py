"""What a snapshot holds of a database: sizes, statistics, settings, counters, statements, applied migrations, and what it lacks."""

from __future__ import annotations

import re
import time

import psycopg
import pytest

from dbguard.errors import ServerError
from dbguard.model.names import Name
from dbguard.model.snapshot import Activity, Applied
from dbguard.parsing.normalize import Normalizer
from dbguard.postgres.embedded import start
from dbguard.postgres.session import open_read_only
from dbguard.postgres.snapshot_activity import difference, plain
from dbguard.postgres.snapshot_applied import _TABLES
from dbguard.postgres.snapshot_settings import with_unit
from tests.postgres.snapshots import by_column, make_role, run, taken

SHOP = """
CREATE EXTENSION pageinspect;
CREATE TABLE orders (id integer PRIMARY KEY, state text, at date, doc jsonb, tags text[], stay daterange) ;
INSERT INTO orders SELECT i, 's' || i % 5, '2026-01-01'::date + i % 90, '{"a": 1}', ARRAY['x', 'y' || i % 3], daterange('2026-01-01', '2026-01-02'::date + i % 9)
    FROM generate_series(1, 60000) i;
CREATE INDEX at ON orders (at DESC NULLS LAST, id); CREATE INDEX low ON orders (lower(state)); CREATE INDEX late ON orders (id DESC, state) WHERE id > 5000;
CREATE INDEX inside ON orders USING gin (doc);
CREATE TABLE parts (id integer, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO parts SELECT i, '2026-05-05' FROM generate_series(1, 1000) i;
CREATE MATERIALIZED VIEW totals AS SELECT state, count(*) FROM orders GROUP BY 1;
ALTER TABLE orders DROP COLUMN doc; ALTER TABLE orders ADD COLUMN doc jsonb;
CREATE STATISTICS both_of (ndistinct, dependencies) ON state, at FROM orders;
ANALYZE;
INSERT INTO orders SELECT i FROM generate_series(60001, 90000) i;
CREATE TABLE fresh (a integer)"""


@pytest.fixture(scope="module")
def shop(server):
    dsn = server.dsn(server.create_database())
    run(dsn, SHOP)
    return dsn


@pytest.fixture(scope="module")
def snapshot(shop):
    return taken(shop, values="full")


def relation(snapshot, name, kind=""):
    return next(one for one in snapshot.relations if one.name.name == name and (not kind or one.kind == kind))


def test_pages_are_those_of_the_file(shop, snapshot):
    with psycopg.connect(shop) as connection:
        for one in snapshot.relations:
            if one.kind in {"r", "i", "m"}:
                pages, old = connection.execute(
                    "SELECT pg_relation_size(oid) / 8192, relpages FROM pg_class WHERE oid = %s::regclass", [str(one.name)]
                ).fetchone()
                assert one.pages == pages
                assert one.name.name != "orders" or pages > old


def test_tables_that_were_never_analyzed_say_so(snapshot):
    assert relation(snapshot, "fresh").tuples == -1


def test_kinds_and_owners_of_relations(snapshot):
    assert relation(snapshot, "parts").kind == "p"
    assert relation(snapshot, "totals").kind == "m"
    assert relation(snapshot, "orders", "t").pages == 0
    index = relation(snapshot, "inside") if any(r.name.name == "inside" for r in snapshot.relations) else None
    assert index is None  # dropped with its column
    assert (relation(snapshot, "low").method, relation(snapshot, "low").table) == ("btree", Name("public", "orders"))
    assert not any(one.name.schema in {"pg_catalog", "information_schema", "pg_toast"} for one in snapshot.relations)


def test_statistics_of_expressions_partitions_elements_and_ranges(snapshot):
    assert by_column(snapshot)["low.lower"].most_common_vals == "{s0,s1,s2,s3,s4}" or len(by_column(snapshot)["low.lower"].most_common_vals) == 16
    inherited = next(one for one in snapshot.columns if one.relation.name == "parts" and one.column == "id")
    assert inherited.inherited
    assert inherited.histogram_bounds
    assert by_column(snapshot)["orders.tags"].most_common_elems == "{x,y0,y1,y2}"
    assert by_column(snapshot)["orders.stay"].range_bounds_histogram.startswith('{"[2026-01-01,')


def test_extended_statistics_count_only_columns_that_exist(snapshot):
    (one,) = snapshot.extended
    assert one.n_distinct.startswith('{"2, 3": ')
    assert set(re.findall(r"\d", one.dependencies.partition(":")[0])) == {"2", "3"}


def test_heights_of_trees_are_the_same_from_the_planner_and_from_the_pages(server, shop, snapshot):
    make_role(server, "planner_only")
    run(shop, "GRANT SELECT ON orders TO planner_only")
    seen = taken(shop, "planner_only")
    known = {one.name.name: one.height for one in snapshot.relations if one.height is not None}
    assert known["orders_pkey"] == 1
    asked = {one.name.name: one.height for one in seen.relations if one.height is not None}
    assert {"at", "late"} <= set(asked)
    assert all(known[name] == height for name, height in asked.items())


def test_settings_are_those_of_a_new_session_and_not_of_dbguard(server, shop):
    make_role(server, "tuned")
    run(
        shop,
        "ALTER ROLE tuned SET work_mem = '64MB'",
        "ALTER ROLE tuned SET search_path = a, public",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO tuned",
    )
    settings = dict(taken(shop, "tuned").settings)
    assert settings["work_mem"] == "64MB"
    assert settings["search_path"] == "a, public"
    assert settings["DateStyle"] == "ISO, MDY"
    assert settings["jit"] == "on"
    assert "application_name" not in settings
    assert ("tuned", "work_mem", "64MB") in taken(shop).role_settings
    run(shop, "ALTER ROLE tuned RESET ALL")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("4096", "kB", "4MB"),
        ("100", "kB", "100kB"),
        ("16384", "8kB", "128MB"),
        ("1", "8kB", "8kB"),
        ("0", "ms", "0"),
        ("-1", "kB", "-1"),
        ("1.5", None, "1.5"),
    ],
)
def test_settings_have_units_that_set_takes(value, unit, text):
    assert with_unit(value, unit) == text


APPLIED = {
    "alembic": ("CREATE TABLE alembic_version (version_num text); INSERT INTO {t} VALUES ('ab12')", ("ab12",)),
    "django": (
        "CREATE TABLE {t} (id serial, app text, name text, applied timestamptz); INSERT INTO {t}(app, name) VALUES ('b', '1'), ('a', '2')",
        ("b.1", "a.2"),
    ),
    "supabase": (
        "CREATE SCHEMA supabase_migrations; CREATE TABLE {t} (version text, statements text[], name text); INSERT INTO {t} VALUES ('2'), ('1')",
        ("1", "2"),
    ),
    "golang-migrate": ("CREATE TABLE {t} (version bigint, dirty boolean); INSERT INTO {t} VALUES (42, false)", ("42",)),
    "dbmate": ("CREATE TABLE {t} (version varchar PRIMARY KEY); INSERT INTO {t} VALUES ('2024'), ('2023')", ("2023", "2024")),
    "goose": (
        "CREATE TABLE {t} (id serial, version_id bigint, is_applied boolean); INSERT INTO {t}(version_id, is_applied) VALUES (0, true), (1, true), (2, true), (2, false)",
        ("1",),
    ),
    "flyway": (
        "CREATE TABLE {t} (installed_rank int, version text, type text, script text, success boolean); INSERT INTO {t} VALUES (1, '1', 'SQL', 'V1.sql', true), (2, NULL, 'SQL', 'R__v.sql', true), (3, '2', 'SQL', 'V2.sql', false)",
        ("1", "R__v.sql"),
    ),
    "sqlx": ("CREATE TABLE {t} (version bigint, success boolean); INSERT INTO {t} VALUES (1, true), (2, false)", ("1",)),
    "diesel": ("CREATE TABLE {t} (version varchar, run_on timestamp); INSERT INTO {t} VALUES ('001')", ("001",)),
    "refinery": ("CREATE TABLE {t} (version int4, name text, applied_on text, checksum text); INSERT INTO {t} VALUES (1, 'a')", ("1",)),
    "prisma": (
        "CREATE TABLE {t} (migration_name text, finished_at timestamptz, rolled_back_at timestamptz); INSERT INTO {t} VALUES ('1_a', now(), NULL), ('2_b', NULL, NULL), ('3_c', now(), now())",
        ("1_a",),
    ),
    "drizzle": (
        "CREATE SCHEMA drizzle; CREATE TABLE {t} (id serial, hash text, created_at bigint); INSERT INTO {t}(hash, created_at) VALUES ('x', 17)",
        ("17",),
    ),
    "sqitch": (
        "CREATE SCHEMA sqitch; CREATE TABLE {t} (change text, project text, committed_at timestamptz); INSERT INTO {t} VALUES ('c', 'p', now())",
        ("p:c",),
    ),
    "node-pg-migrate": ("CREATE TABLE {t} (id serial, name varchar, run_on timestamp); INSERT INTO {t}(name) VALUES ('1_x')", ("1_x",)),
    "atlas": (
        "CREATE SCHEMA atlas_schema_revisions; CREATE TABLE {t} (version text, applied int, total int); INSERT INTO {t} VALUES ('1', 2, 2), ('2', 1, 3)",
        ("1",),
    ),
    "tern": ("CREATE TABLE {t} (version int4); INSERT INTO {t} VALUES (7)", ("7",)),
    "liquibase": (
        "CREATE TABLE {t} (id text, author text, filename text, orderexecuted int); INSERT INTO {t} VALUES ('1', 'a', 'f.sql', 1)",
        ("f.sql::1::a",),
    ),
    "pop": ("CREATE TABLE {t} (version varchar); INSERT INTO {t} VALUES ('2020')", ("2020",)),
    "ecto": ("CREATE TABLE {t} (version bigint, inserted_at timestamp); INSERT INTO {t} VALUES (5)", ("5",)),
    "hasura": (
        'CREATE SCHEMA hdb_catalog; CREATE TABLE {t} (cli_state jsonb); INSERT INTO {t} VALUES (\'{{"migrations": {{"default": {{"17": false}}}}}}\')',
        ("default.17",),
    ),
    "rails": ("CREATE TABLE ar_internal_metadata (key text); CREATE TABLE {t} (version varchar); INSERT INTO {t} VALUES ('1')", ("1",)),
}
HOMES = {"drizzle": "drizzle", "sqitch": "sqitch", "atlas": "atlas_schema_revisions", "supabase": "supabase_migrations", "hasura": "hdb_catalog"}


def test_every_tool_has_an_example():
    assert {table.tool for table in _TABLES} <= set(APPLIED)


@pytest.fixture(scope="module")
def scratch(server):
    return server.dsn(server.create_database())


@pytest.mark.parametrize("tool", APPLIED)
def test_applied_migrations_are_read_from_the_table_of(tool, scratch):
    from dbguard.postgres.snapshot_applied import read_applied

    ddl, versions = APPLIED[tool]
    name = "hdb_version" if tool == "hasura" else next(table.name for table in _TABLES if table.tool == ("dbmate" if tool == "rails" else tool))
    place = Name(HOMES.get(tool, "public"), name)
    with psycopg.connect(scratch) as connection:  # closed without a commit
        connection.execute(ddl.format(t=place))
        assert read_applied(connection) == ([Applied(tool, place, versions)], [])
        connection.rollback()


def test_a_table_that_only_shares_its_name_with_a_tool_s_is_no_migration_table(scratch):
    from dbguard.postgres.snapshot_applied import read_applied

    with psycopg.connect(scratch) as connection:
        connection.execute("CREATE TABLE changes (id int); CREATE TABLE schema_version (number int); CREATE TABLE django_migrations (x int)")
        connection.execute(
            "CREATE SCHEMA hdb_catalog; CREATE TABLE hdb_catalog.hdb_version (cli_state text); INSERT INTO hdb_catalog.hdb_version VALUES ('no')"
        )
        found, hidden = read_applied(connection)
        assert found == []
        assert hidden == [
            "hdb_catalog.hdb_version: which migrations of hasura are applied is not known: the table does not look as that tool makes it"
        ]
        connection.rollback()


def test_every_column_has_statistics_or_is_named_as_hidden(server, shop, snapshot):
    make_role(server, "sees_little")
    run(
        shop,
        "GRANT SELECT (id, at) ON orders TO sees_little; GRANT SELECT ON parts_1 TO sees_little",
        "CREATE TABLE IF NOT EXISTS alembic_version (version_num text)",
    )
    seen = taken(shop, "sees_little", values="full")
    known, all_of_them = by_column(seen), by_column(snapshot)
    assert {"orders.id", "orders.at", "parts_1.id"} <= set(known)
    assert "orders.state" not in known
    sentences = {sentence.partition(":")[0]: sentence for sentence in seen.hidden}
    for name in set(all_of_them) - set(known):
        table, _, column = name.partition(".")
        assert column in sentences[f"public.{table}"], name
    assert "which migrations of alembic are applied is not known" in sentences["public.alembic_version"]
    assert "public.both_of" in sentences
    run(shop, "DROP TABLE alembic_version")


def test_row_security_that_applies_hides_and_is_named(server, database):
    make_role(server, "one_row")
    run(database, "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 500); ANALYZE t; ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    run(database, "GRANT SELECT ON t TO one_row")
    seen = taken(database, "one_row")
    assert not seen.columns
    assert "public.t: no statistics of a: row security applies to this role" in seen.hidden
    assert len(taken(database).columns) == 1


def test_counters_and_what_happens_between_two_samples(database):
    run(database, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100); SELECT pg_stat_force_next_flush()")
    seen = taken(database)
    assert next(one for one in seen.activity if one.relation.name == "t").inserts == 100
    assert seen.seconds is None
    sampled = taken(database, sample=0.3)
    assert not sampled.activity
    assert 0.3 <= sampled.seconds < 30


def test_a_difference_of_counters_that_were_reset_counts_from_zero():
    name = Name("public", "t")
    assert difference([Activity(name, inserts=100, deletes=5)], [Activity(name, inserts=7, deletes=9)]) == [Activity(name, inserts=7, deletes=4)]
    assert difference([], [Activity(name, updates=3)]) == [Activity(name, updates=3)]


def test_open_transactions_longest_first(database):
    with psycopg.connect(database) as one, psycopg.connect(database) as other:
        one.execute("SELECT 1")
        time.sleep(0.2)
        other.execute("SELECT 1")
        longest = taken(database).longest_transactions
    assert len(longest) == 2
    assert longest[0] - 0.15 > longest[1] > 0


@pytest.fixture(scope="module")
def watched():
    with start(settings={"shared_preload_libraries": "pg_stat_statements"}) as server:
        yield server


def test_statements_without_comments_literals_and_utility_commands(watched):
    dsn = watched.dsn(watched.create_database())
    run(
        dsn,
        "CREATE SCHEMA ext; CREATE EXTENSION pg_stat_statements SCHEMA ext; CREATE TABLE people (name text)",
        *["SELECT /* by maria@x.example */ name FROM people -- secret1\n WHERE name = 'secret2'"] * 3,
        "INSERT INTO people VALUES ('secret3')",
        "ALTER ROLE postgres PASSWORD 'secret4'",
    )
    seen = taken(dsn)
    assert {one.sql: (one.calls, one.rows) for one in seen.statements if "people" in one.sql} == {
        "SELECT name FROM people WHERE name = $1": (3, 0),
        "INSERT INTO people VALUES ($1)": (1, 1),
    }
    assert not any("secret" in one.sql or "maria" in one.sql or "pg_" in one.sql for one in seen.statements)
    assert seen.statements_seconds > 0
    assert len(taken(dsn, statements=1).statements) == 1
    assert not taken(dsn, statements=0).statements


def test_statements_of_others_are_counted_where_their_text_is_not_shown(watched):
    make_role(watched, "curious")
    dsn = watched.dsn(watched.create_database())
    run(dsn, "CREATE EXTENSION pg_stat_statements; CREATE TABLE t (a int)", "SELECT a FROM t")
    with psycopg.connect(dsn):
        seen = taken(dsn, "curious")
    assert not any("FROM t" in one.sql for one in seen.statements)
    assert any("statements of others" in sentence for sentence in seen.hidden)
    assert any("sessions of others" in sentence for sentence in seen.hidden)


def test_statements_that_nobody_counts_are_no_error(database):
    run(database, "CREATE EXTENSION pg_stat_statements")
    assert "pg_stat_statements is installed and not in shared_preload_libraries: no statements" in taken(database).hidden


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("SELECT a FROM t WHERE b IN ($1 /*, ... */) -- x", "SELECT a FROM t WHERE b IN ($1)"),
        ("/* c */ select 'it''s', $$body$$, 12.5 from t", None),
        ("SELECT\n  1\tFROM t", "SELECT 1 FROM t"),
        ("SELECT '/* no comment */' FROM t", "SELECT $1 FROM t"),
        ("SELECT 1 FROM pg_catalog.pg_class c JOIN pg_namespace n ON true", None),
        ("VACUUM t", None),
        ("COPY t FROM '/etc/passwd'", None),
        ("SET work_mem = '1GB'", None),
        ("CREATE ROLE a PASSWORD 'x'", None),
        ("SELECT" + " x" * 20_000, None),
    ],
)
def test_texts_of_statements(text, sql):
    found = plain(text, Normalizer())
    if sql is None and text.startswith("/* c */"):
        assert found is not None
        assert "it" not in found.split("from")[0].replace("select", "")
        assert "body" not in found
    else:
        assert found == sql


def test_a_table_that_is_locked_is_not_waited_for(database):
    run(database, "CREATE TABLE t (a int); CREATE TABLE u (a int)")
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        seen = taken(database)
    assert time.monotonic() - began < 8
    assert any("public.t: locked" in sentence for sentence in seen.hidden)
    assert "CREATE TABLE public.t" in seen.schema


def test_nothing_can_be_written_through_the_connection(database):
    run(database, "CREATE TABLE t (a int)")
    with open_read_only(database) as connection:
        for statement in ("INSERT INTO public.t VALUES (1)", "CREATE TABLE public.u ()", "SELECT pg_catalog.nextval('x')", "TRUNCATE public.t"):
            with pytest.raises(psycopg.Error):
                connection.execute(statement)
            connection.rollback()
    with pytest.raises(ServerError, match="read-only transaction"), open_read_only(database) as connection:
        connection.execute("DELETE FROM public.t")
