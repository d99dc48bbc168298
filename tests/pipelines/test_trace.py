"""`dbguard trace`: what really happens is seen, compared and judged, and nothing is silent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest
from tests.fixture_projects import config_of
from tests.interrupts import hear_interrupts

from dbguard.config import Config
from dbguard.errors import ServerError, UsageError
from dbguard.pipelines import trace as hallway
from dbguard.pipelines.trace import asked, exit_code, traced
from dbguard.pipelines.trace_database import trace_database
from dbguard.pipelines.traced import Options, Trace
from dbguard.postgres.embedded import start
from dbguard.postgres.roles import without_superuser
from dbguard.postgres.trace import NO_SQL
from dbguard.report.trace_json import render as render_json
from dbguard.report.trace_text import render as render_text

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/trace.json").read_text())
QUIET = {"select": ["down-does-not-restore"]}


@pytest.fixture(scope="module")
def access():
    with start(settings=hallway.SETTINGS) as server:
        yield without_superuser(server)


@pytest.fixture
def run(access, tmp_path):
    """Traces migrations given as texts by file name, on one server for all tests."""

    def run(files: dict[str, str], *paths: str, config: dict[str, object] | None = None, options: Options = Options()) -> Trace:  # noqa: B008
        for name, text in files.items():
            path = tmp_path / "migrations" / name
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(text)
        settings = Config.load(tmp_path, {**QUIET, **(config or {})})
        reading = asked(settings, [f"migrations/{path}" for path in paths], stdin=None, since=None, staged=False)
        found = traced(reading, settings, options, major=18, run=lambda one: one.on_throw_away(access), began=time.perf_counter())
        jsonschema.validate(json.loads(render_json(found)), SCHEMA)
        return found

    return run


def only(found: Trace, words: str):
    return next(one for one in found.statements if words in one.predicted.sql)


BASE = "CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE orders (id int PRIMARY KEY, customer_id int, note text);"


def test_every_statement_is_watched_and_as_predicted(run):
    found = run({"001.sql": BASE, "002.sql": "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\nCREATE INDEX i ON orders (note);"})
    assert [one.differences for one in found.statements] == [()] * 4
    assert only(found, "SET NOT NULL").observed.scans == ("public.orders",)
    assert only(found, "CREATE INDEX").observed.builds == ("public.i",)
    assert found.exit_code == 0


def test_only_what_is_asked_for_is_told(run):
    found = run({"001.sql": BASE, "002.sql": "ALTER TABLE orders ADD COLUMN a int;"}, "002.sql")
    assert [one.predicted.path for one in found.statements] == ["migrations/002.sql"]


def test_a_lock_that_the_transaction_holds_is_told_as_held(run):
    found = run({"001.sql": BASE, "002.sql": "ALTER TABLE orders ADD COLUMN a int; CREATE INDEX i ON orders (a);"}, "002.sql")
    index = only(found, "CREATE INDEX")
    assert [lock.mode for lock in index.observed.locks] == ["SHARE"]
    assert [(lock.relation, lock.mode) for lock in index.held] == [("public.orders", "ACCESS EXCLUSIVE")]
    assert index.differences == ()


def test_two_foreign_keys_of_one_name_are_told_apart_in_a_transaction(run):
    key = "ADD CONSTRAINT k FOREIGN KEY (customer_id) REFERENCES customers;"
    found = run(
        {"001.sql": BASE + "CREATE TABLE bills (customer_id int);", "002.sql": f"ALTER TABLE orders {key} ALTER TABLE bills {key}"}, "002.sql"
    )
    assert [one.observed.scans for one in found.statements] == [("public.orders",), ("public.bills",)]


def test_an_error_stands_where_it_is_in_the_users_file(run):
    found = run({"001.sql": BASE, "002.sql": "-- é\nSELECT 1;\nALTER TABLE orders\n    ADD COLUMN a int,\n    DROP COLUMN missing;"}, "002.sql")
    wrong = only(found, "DROP COLUMN missing").error
    assert (wrong.line, wrong.sqlstate) == (3, "42703")
    found = run({"002.sql": "-- é\nSELECT 1;\nSELECT *\nFROM ordres;"}, "002.sql")
    wrong = only(found, "ordres").error
    assert (wrong.line, wrong.column, wrong.exact) == (4, 6, True)
    assert found.exit_code == 1
    assert "FROM ordres" in render_text(found)


def test_after_an_error_nothing_else_runs_and_it_is_said(run):
    found = run({"001.sql": BASE, "002.sql": "SELECT 1/0; SELECT 2;", "003.sql": "SELECT 3;"})
    assert only(found, "SELECT 2").skipped == "not reached"
    assert found.notes == ("1 later migration of migrations not run",)


def test_an_error_at_commit_is_told(run):
    deferred = "CREATE TABLE c (id int REFERENCES customers DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1);"
    found = run({"001.sql": BASE, "002.sql": deferred}, "002.sql")
    assert found.statements[-1].error.at_end
    assert found.statements[-1].error.sqlstate == "23503"


def test_an_earlier_migration_that_fails_names_its_place(run):
    with pytest.raises(ServerError, match=r"(?s)migrations/001.sql:2:8: .*--schema"):
        run({"001.sql": "SELECT 1;\nSELECT nothing();", "002.sql": "SELECT 1;"}, "002.sql")


def test_a_schema_comes_first_and_its_settings_stay_with_it(run, tmp_path):
    (tmp_path / "schema.sql").write_text("SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.t (id int);")
    found = run({"001.sql": "ALTER TABLE t ADD COLUMN a int;"}, config={"schema": "schema.sql"})
    assert found.statements[0].error is None


def test_concurrently_is_watched_from_another_session(run):
    found = run({"001.sql": BASE, "002.sql": "CREATE INDEX CONCURRENTLY i ON orders (note);"}, "002.sql")
    seen = found.statements[0].observed
    assert (seen.transaction, seen.builds) == ("forbidden", ("public.i",))
    assert [lock.mode for lock in seen.locks] == ["SHARE UPDATE EXCLUSIVE"]
    assert found.statements[0].differences == ()


def test_concurrently_in_a_transaction_fails_as_predicted(run):
    found = run({"001.sql": BASE, "002.sql": "CREATE INDEX CONCURRENTLY i ON orders (note);"}, "002.sql", config={"transaction": "one"})
    assert found.statements[0].error.sqlstate == "25001"
    assert found.statements[0].differences == ()


def test_transactions_in_the_text_are_the_ones_that_run(run):
    text = "BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; ALTER TABLE orders ADD COLUMN a int; COMMIT; VACUUM orders;"
    found = run({"001.sql": BASE, "002.sql": text}, "002.sql")
    assert [one.error for one in found.statements] == [None] * 5
    assert only(found, "VACUUM").observed.transaction == "forbidden"


KEYED = BASE + "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE;"


def test_a_row_is_made_up_where_it_decides(run):
    found = run({"001.sql": KEYED, "002.sql": "DELETE FROM customers;"}, "002.sql")
    modes = {lock.relation: lock.mode for lock in found.statements[0].observed.locks}
    assert modes == {"public.customers": "ROW EXCLUSIVE", "public.orders": "ROW EXCLUSIVE"}
    assert "made-up rows" in found.statements[0].notes[0]


def test_made_up_rows_leave_nothing_behind(run):
    text = (
        "UPDATE orders SET note = '' WHERE note IS NULL; CREATE TABLE counted AS SELECT count(*) AS n FROM orders; SELECT 1 / (1 - n) FROM counted;"
    )
    found = run({"001.sql": KEYED, "002.sql": text}, "002.sql")
    assert [one.error for one in found.statements] == [None] * 3
    found = run(
        {
            "001.sql": "CREATE TABLE t (id serial, a int); CREATE TABLE s (a int);",
            "002.sql": "INSERT INTO t (a) SELECT a FROM s;",
            "003.sql": "INSERT INTO t (a) VALUES (1); SELECT 1 / (id - 2) FROM t;",
        }
    )
    assert [one.error for one in found.statements if one.error] == []


def test_what_fails_only_on_rows_is_seen_to_and_goes_on(run):
    found = run(
        {"001.sql": BASE, "002.sql": "ALTER TABLE orders ADD COLUMN a int NOT NULL; ALTER TABLE orders ADD COLUMN b int NOT NULL;"}, "002.sql"
    )
    assert [one.observed.fails for one in found.statements] == [f'column "{name}" of relation "orders" contains null values' for name in "ab"]
    assert [(one.error, one.differences) for one in found.statements] == [(None, ())] * 2


def test_not_null_on_a_table_that_is_new_verifies_it_as_predicted(run):
    found = run({"001.sql": "CREATE TABLE t (id int); ALTER TABLE t ADD COLUMN n int NOT NULL;"})
    assert found.statements[1].predicted.scans == found.statements[1].observed.scans == ("public.t",)


def test_truncating_an_empty_table_is_no_rewrite(run):
    assert run({"001.sql": BASE, "002.sql": "TRUNCATE orders;"}, "002.sql").statements[0].differences == ()


def test_a_wrong_prediction_is_a_difference_and_exits_with_1(run, tmp_path):
    hidden = "CREATE FUNCTION grow() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'ALTER TABLE orders ADD COLUMN x int'; END $$;"
    found = run({"001.sql": BASE + hidden, "002.sql": "SELECT grow();"}, "002.sql")
    assert found.statements[0].differences or found.statements[0].notes
    assert found.exit_code == int(bool(found.statements[0].differences))


def test_what_no_server_can_run_is_listed_not_run(run):
    found = run({"001.sql": "\\connect other\nSELECT 1;\nCREATE TABLE {{ name }} (id int);"})
    assert [one.skipped for one in found.statements] == ["psql meta-command \\connect", "", "template placeholder {{ name }}"]


def test_copy_from_stdin_waits_for_nobody(run):
    found = run({"001.sql": "CREATE TABLE t (id int);", "002.sql": "COPY t FROM STDIN;"}, "002.sql")
    assert found.statements[0].error is None


def test_a_statement_that_takes_too_long_is_stopped(run):
    slow = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;"
    began = time.monotonic()
    found = run({"001.sql": f"SET statement_timeout = 0; {slow}"}, options=Options(time_limit=0.3))
    assert found.statements[-1].error.message == "it ran for longer than 0.3 s and was stopped"
    assert time.monotonic() - began < 20


def test_an_extension_that_is_not_there_has_stand_ins(run):
    found = run(
        {"001.sql": "CREATE EXTENSION IF NOT EXISTS pgcrypto; CREATE EXTENSION \"uuid-ossp\"; SELECT digest('a', 'sha256'), uuid_generate_v4();"}
    )
    assert [one.error for one in found.statements] == [None] * 3
    assert "stand-ins" in found.statements[0].skipped


def test_an_extension_that_nobody_has_is_named_and_the_rest_goes_on(run):
    found = run({"001.sql": "CREATE EXTENSION postgis; COMMENT ON EXTENSION postgis IS 'x'; CREATE TABLE t (id int);"})
    assert [bool(one.skipped) for one in found.statements] == [True, True, False]


def test_the_same_checks_judge_it(run):
    found = run({"001.sql": BASE, "002.sql": "CREATE INDEX i ON orders (note);"}, "002.sql", config={"select": ["create-index-blocking"]})
    assert [finding.rule for finding in found.result.findings] == ["create-index-blocking"]
    assert found.exit_code == 1


def test_a_down_migration_that_restores_is_no_finding(run):
    files = {"1_a.up.sql": BASE, "1_a.down.sql": "DROP TABLE orders; DROP TABLE customers;"}
    found = run(files, options=Options(down=True))
    assert [one.direction for one in found.statements] == ["up", "up", "down", "down", "again", "again"]
    assert found.result.findings == ()


@pytest.mark.parametrize(
    ("up", "down", "words"),
    [
        ("CREATE VIEW v AS SELECT 1 AS a; CREATE TABLE t (id int);", "DROP TABLE t;", "view public.v is left"),
        ("CREATE TABLE t (id int);", "DROP TABLE tt;", 'the down migration fails: table "tt" does not exist'),
        ("CREATE TABLE t (id int DEFAULT 1);", "SELECT 1;", "going up again fails"),
    ],
)
def test_a_down_migration_that_does_not_restore_is_a_finding(run, up, down, words):
    found = run({"1_a.up.sql": up, "1_a.down.sql": down}, options=Options(down=True))
    assert any(words in finding.message for finding in found.result.findings), found.result.findings


def test_the_order_of_columns_and_dead_rows_are_no_difference(run):
    up = "ALTER TABLE t DROP COLUMN a; INSERT INTO t VALUES (1);"
    files = {"1_a.up.sql": "CREATE TABLE t (a int, b int);", "1_a.down.sql": "DROP TABLE t;", "2_b.up.sql": up}
    found = run({**files, "2_b.down.sql": "ALTER TABLE t ADD COLUMN a int; DELETE FROM t;"}, options=Options(down=True))
    assert found.result.findings == ()


def test_queries_that_wait_and_queries_that_break_are_told(run, tmp_path):
    (tmp_path / "queries.sql").write_text("-- name: a\nSELECT note FROM orders WHERE id = :id;\n-- name: b\nSELECT id FROM customers;\n")
    options = Options(workload=("queries.sql",))
    steps = "CREATE INDEX i ON orders (note); ALTER TABLE orders RENAME COLUMN note TO remark; SELECT 1;"
    found = run({"001.sql": BASE, "002.sql": steps}, "migrations/002.sql".removeprefix("migrations/"), options=options)
    index, rename, last = found.statements
    assert (index.waits, index.breaks) == ((), ())
    assert [query.sql for query in rename.waits] == ["SELECT note FROM orders WHERE id = ?"]
    assert [query.error for query in rename.breaks] == ['column "note" does not exist']
    assert last.breaks == ()
    assert found.exit_code == 1


def test_a_query_that_only_the_new_schema_knows_does_not_break(run, tmp_path):
    (tmp_path / "queries.sql").write_text("-- name: a\nSELECT remark FROM orders;\n")
    found = run(
        {"001.sql": BASE, "002.sql": "ALTER TABLE orders RENAME COLUMN note TO remark;"}, "002.sql", options=Options(workload=("queries.sql",))
    )
    assert found.statements[0].breaks == ()


@pytest.mark.parametrize("project", ["prisma", "drizzle", "django-shop", "hasura"])
def test_fixture_projects_are_as_predicted(project, access):
    config = config_of(project)
    reading = asked(config, (), stdin=None, since=None, staged=False)
    found = traced(reading, config, Options(), major=18, run=lambda one: one.on_throw_away(access), began=0.0)
    assert [(one.predicted.path, one.predicted.line, one.differences, one.error) for one in found.statements if one.differences or one.error] == []


def test_programs_of_python_migrations_are_listed_not_run(access):
    config = config_of("django-shop")
    reading = asked(config, (), stdin=None, since=None, staged=False)
    found = traced(reading, config, Options(), major=18, run=lambda one: one.on_throw_away(access), began=0.0)
    assert [one.skipped for one in found.statements if one.skipped not in {"", NO_SQL}] == ["a program, not SQL"] * 2


@contextmanager
def copy(access, sql: str):
    """A database with data, and its connection string as a user would give it."""
    import psycopg

    name = access.create_database()
    with psycopg.connect(access.dsn(name), autocommit=True) as connection:
        connection.execute(sql)
        yield connection, access.dsn(name)
    access.drop_database(name)


def migration(folder: Path, text: str) -> Config:
    (folder / "001.sql").write_text(text)
    return Config.load(folder, QUIET)


FULL = BASE + "INSERT INTO customers VALUES (1); INSERT INTO orders VALUES (1, 1, 'secret');"


def test_a_copy_with_data_is_measured_and_left_as_it_was(access, tmp_path):
    with copy(access, FULL) as (connection, dsn):
        config = migration(tmp_path, "UPDATE orders SET note = 'x'; ALTER TABLE orders DROP COLUMN customer_id;")
        found = trace_database(config, ("001.sql",), Options(), dsn=dsn, disposable=True)
        assert [one.error for one in found.statements] == [None, None]
        assert "rolled back" in " ".join(found.notes)
        assert connection.execute("SELECT note, customer_id FROM orders").fetchone() == ("secret", 1)


def test_a_database_is_not_touched_unless_it_is_disposable(tmp_path):
    with pytest.raises(UsageError, match="--disposable"):
        trace_database(migration(tmp_path, "SELECT 1;"), ("001.sql",), Options(), dsn="host=nowhere.invalid", disposable=False)


@pytest.mark.parametrize("text", ["CREATE INDEX CONCURRENTLY i ON orders (note);", "BEGIN; SELECT 1; COMMIT;", "VACUUM orders;"])
def test_what_cannot_be_rolled_back_is_refused_unless_it_may_stay(text, access, tmp_path):
    with copy(access, FULL) as (_, dsn):
        config = migration(tmp_path, text)
        with pytest.raises(UsageError, match=r"001.sql:1: .*--keep"):
            trace_database(config, ("001.sql",), Options(), dsn=dsn, disposable=True)
        found = trace_database(config, ("001.sql",), Options(), dsn=dsn, disposable=True, keep=True)
        assert [one.error for one in found.statements if one.error] == []


def test_values_taken_from_sequences_are_named(access, tmp_path):
    with copy(access, "CREATE TABLE t (id serial, a int);") as (_, dsn):
        found = trace_database(migration(tmp_path, "INSERT INTO t (a) VALUES (1);"), ("001.sql",), Options(), dsn=dsn, disposable=True)
        assert "values taken from sequences stay taken: public.t_id_seq" in found.notes


def test_values_of_rows_are_not_told(access, tmp_path):
    with copy(access, FULL) as (_, dsn):
        text = "ALTER TABLE orders ALTER COLUMN note TYPE int USING note::int;"
        found = trace_database(migration(tmp_path, text), ("001.sql",), Options(), dsn=dsn, disposable=True)
        assert found.statements[0].error.sqlstate == "22P02"
        assert "secret" not in render_json(found) + render_text(found)


def test_a_lock_is_not_waited_for_longer_than_said(access, tmp_path):
    with copy(access, FULL) as (connection, dsn):
        connection.execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        found = trace_database(
            migration(tmp_path, "ALTER TABLE orders ADD COLUMN a int;"), ("001.sql",), Options(), dsn=dsn, disposable=True, lock_timeout="100ms"
        )
        assert found.statements[0].error.sqlstate == "55P03"
        connection.execute("ROLLBACK")


def test_a_password_is_in_no_message(tmp_path):
    for dsn in ("host=127.0.0.1 port=1 user=u password=hunter2 dbname=d", "postgresql://u:hunter2@127.0.0.1:1/d", "postgresql://u:hunter2@[bad/d"):
        with pytest.raises((ServerError, UsageError)) as told:
            trace_database(migration(tmp_path, "SELECT 1;"), ("001.sql",), Options(), dsn=dsn, disposable=True)
        assert "hunter2" not in str(told.value)


def command(folder: Path, *arguments: str, temporary: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)}
    line = [sys.executable, "-m", "dbguard", "trace", *arguments]
    return subprocess.Popen(
        line,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_interrupts,  # noqa: PLW1509 - the tests have one thread
    )


def until_it_sleeps(folder: Path, seconds: float = 30) -> Path:
    """Waits until the trace runs its slow statement; the folder of its server."""
    import psycopg

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for socket in folder.glob("dbguard-*/.s.PGSQL.5432"):
            try:
                with psycopg.connect(f"host='{socket.parent}' port=5432 user=dbguard dbname=template1", autocommit=True) as connection:
                    if connection.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
                    ).fetchone() == (1,):
                        return socket.parent
            except psycopg.Error:
                pass
        time.sleep(0.05)
    raise AssertionError("the statement did not run")


@pytest.fixture
def slow(tmp_path):
    (tmp_path / "001.sql").write_text("SELECT pg_sleep(50);")
    temporary = Path(tempfile.mkdtemp(prefix="t"))
    temporary.chmod(0o755)
    with command(tmp_path, "001.sql", temporary=temporary) as process:
        yield process, temporary
        process.kill()
    temporary.rmdir()


def test_an_interrupt_ends_with_130_and_leaves_nothing(slow):
    process, temporary = slow
    until_it_sleeps(temporary)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (130, "", "dbguard: interrupted")
    assert list(temporary.iterdir()) == []


def test_a_server_that_dies_is_told_with_3_and_leaves_nothing(slow):
    process, temporary = slow
    folder = until_it_sleeps(temporary)
    os.kill(int((folder / "data" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGQUIT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (3, "")
    assert "server" in err
    assert "Traceback" not in err
    assert list(temporary.iterdir()) == []


def test_a_full_disk_is_told_with_3(tmp_path):
    disk = Path(tempfile.mkdtemp(prefix="t"))
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", disk], capture_output=True, check=False).returncode:
        pytest.skip("only root mounts a small disk")
    try:
        (tmp_path / "001.sql").write_text("CREATE TABLE t AS SELECT repeat('x', 1000) AS a FROM generate_series(1, 200000);")
        with command(tmp_path, "001.sql", temporary=disk) as process:
            _, err = process.communicate(timeout=60)
        assert process.returncode == 3
        assert "room" in err or "No space left" in err
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)
        disk.rmdir()


def test_a_difference_alone_exits_with_1(run):
    found = run({"001.sql": BASE})
    worse = found.statements[0]._replace(differences=("lock on t: predicted none, observed SHARE",))
    assert exit_code(found.result, [worse]) == 1
    assert "1 statement not as predicted" in render_text(found._replace(statements=(worse,)))
