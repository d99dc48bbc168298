"""A snapshot changes nothing, tells no password, and ends well whatever happens: on the command line, as users start it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from dbguard import cli
from dbguard.errors import UsageError
from dbguard.postgres.connect import parameters
from dbguard.postgres.embedded import start
from dbguard.postgres.session import is_pooled, open_read_only
from dbguard.reading.snapshots import load
from tests.interrupts import hear_interrupts
from tests.postgres.snapshots import make_role, run, taken

PASSWORD = "hunter2-%/secret"
READING = re.compile(
    r"SELECT\b|BEGIN$|BEGIN READ ONLY$|BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY$|ROLLBACK$|SET LOCAL |SET \w+|set client_encoding |WITH locked"
    r"|EXPLAIN \(FORMAT JSON\)|PREPARE dump|PREPARE get|EXECUTE dump|EXECUTE get|LOCK TABLE .* IN ACCESS SHARE MODE$|COPY .* TO stdout|SAVEPOINT |RELEASE |ROLLBACK TO ",
    re.IGNORECASE,
)
SCHEMA = (
    "CREATE TABLE t (id int PRIMARY KEY, name text DEFAULT 'x'); INSERT INTO t SELECT i, 'n' || i FROM generate_series(1, 40000) i; ANALYZE;"
    " CREATE VIEW v AS SELECT * FROM t; CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('a')"
)


@pytest.fixture(scope="module")
def guarded():
    """A server that logs every statement and wants passwords of everybody but `postgres`."""
    settings = {"log_statement": "all", "log_min_messages": "warning", "log_line_prefix": "%a|", "shared_preload_libraries": "pg_stat_statements"}
    with start(settings=settings) as server:
        make_role(server, "reader")
        run(server.dsn(), f"ALTER ROLE reader PASSWORD '{PASSWORD}'", "GRANT pg_read_all_data, pg_read_all_stats TO reader")
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        run(server.dsn(), "SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="module")
def shop(guarded):
    name = guarded.create_database()
    run(guarded.dsn(name), SCHEMA, "CREATE EXTENSION pg_stat_statements")
    return name


def environment(guarded, shop, **more):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return kept | {"PGHOST": str(guarded.folder), "PGPORT": "5432", "PGDATABASE": shop, "PGUSER": "reader", "PGPASSWORD": PASSWORD} | more


@pytest.fixture
def around(guarded, shop):
    return environment(guarded, shop)


def apart(*arguments, env, **more):
    """In a process of its own."""
    return subprocess.run([sys.executable, "-m", "dbguard", *map(str, arguments)], env=env, capture_output=True, text=True, check=False, **more)


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def dbguard(monkeypatch, capfd):
    """The command line in this process, in the environment that is given."""

    def called(*arguments, env):
        for key in list(os.environ):
            if key.startswith(("PG", "DBGUARD")) and key not in env:
                monkeypatch.delenv(key)
        for key, value in env.items():
            monkeypatch.setenv(key, value)
        code = cli.run(list(map(str, arguments)))
        return Done(code, *capfd.readouterr())

    return called


@pytest.mark.parametrize("user", ["postgres", "reader"])
def test_only_reading_statements_reach_the_server_and_no_transaction_gets_a_number(dbguard, guarded, shop, tmp_path, user):
    with psycopg.connect(guarded.dsn(shop), autocommit=True) as connection:
        before = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()
        log = (guarded.folder / "log").stat().st_size
        done = dbguard("snapshot", "-o", tmp_path / "s", "--sample", "0.2", env=environment(guarded, shop, PGUSER=user))
        assert done.returncode == 0, done.stderr
        assert connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone() == before
    written = (guarded.folder / "log").read_bytes()[log:].decode()
    statements = re.findall(r"^dbguard[^|]*\|LOG:  (?:statement|execute [^:]*): (.*)", written, re.MULTILINE)
    assert len(statements) > 30
    assert [text for text in statements if text.strip() and not READING.match(text.strip())] == []
    assert PASSWORD not in written


def test_the_password_is_nowhere_while_it_runs_and_afterwards(guarded, shop, tmp_path):
    command = [sys.executable, "-m", "dbguard", "snapshot", "-o", str(tmp_path / "s"), "--sample", "0.5"]
    seen = []
    with subprocess.Popen(command, env=environment(guarded, shop), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.append(path.read_bytes())
                except OSError:
                    continue
        output = "".join(process.communicate())
    assert process.returncode == 0, output
    assert any(b"pg_dump" in line for line in seen)
    assert not any(PASSWORD.encode() in line for line in seen)
    assert PASSWORD not in output
    assert PASSWORD not in (tmp_path / "s").read_text()


def test_every_way_to_name_a_database_leads_there(dbguard, guarded, shop, tmp_path):
    (tmp_path / "services").write_text(f"[shop]\nhost={guarded.folder}\nport=5432\ndbname={shop}\nuser=reader\n")
    (tmp_path / "pass").write_text(f"*:*:*:reader:{PASSWORD}\n")
    (tmp_path / "pass").chmod(0o600)
    base = environment(guarded, shop)
    bare = {key: value for key, value in base.items() if not key.startswith("PG")}
    quoted = "hunter2-%25%2Fsecret"
    uri = f"postgresql+psycopg://reader:{quoted}@/{shop}?host={guarded.folder}&port=5432"
    for number, (arguments, env) in enumerate(
        [
            ([], base),
            ([shop], {**base, "PGDATABASE": "wrong"}),
            ([], {**bare, "PGSERVICE": "shop", "PGSERVICEFILE": str(tmp_path / "services"), "PGPASSFILE": str(tmp_path / "pass")}),
            (["service=shop"], {**bare, "PGSERVICEFILE": str(tmp_path / "services"), "PGPASSWORD": PASSWORD}),
            ([], {**bare, "DBGUARD_DATABASE": uri}),
        ]
    ):
        output = tmp_path / f"s{number}"
        done = dbguard("snapshot", *arguments, "-o", output, env=env)
        assert done.returncode == 0, (arguments, done.stderr)
        assert load(output).database == shop
        assert load(output).schema.count("CREATE TABLE") == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"PGPASSWORD": "wrong-one"}, ("password authentication failed", "PGPASSWORD or in ~/.pgpass")),
        ({"PGPASSWORD": ""}, ("no password supplied", "PGPASSWORD or in ~/.pgpass")),
        ({"PGDATABASE": "nowhere"}, ("nowhere", "is the name right?")),
        ({"PGHOST": "/nonexistent"}, ("No such file or directory", "does a server listen there?")),
        ({"PGHOST": "127.0.0.1", "PGPORT": "1"}, ("Connection refused", "does a server listen there?")),
        ({"PGSERVICE": "none", "PGSERVICEFILE": "/nonexistent"}, ("service",)),
    ],
)
def test_a_server_that_does_not_let_us_in(dbguard, around, tmp_path, change, words):
    done = dbguard("snapshot", "-o", tmp_path / "s", env=around | change)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    for word in words:
        assert word in done.stderr
    assert PASSWORD not in done.stderr
    assert "wrong-one" not in done.stderr
    assert "Is the server running" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dsn", ["postgresql://u:p@w0rd@host/db", "host=x password='sesame", "postgresql://u:se/same@h/db?x=1", "password=sesame x"])
def test_a_connection_string_that_cannot_be_read_is_not_repeated(dsn):
    with pytest.raises(UsageError) as error:
        parameters(dsn)
    for part in ("sesame", "w0rd", "same@"):
        assert part not in str(error.value)


def test_no_database_is_named(dbguard, tmp_path):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "DBGUARD"))}
    done = dbguard("snapshot", "-o", tmp_path / "s", env=kept)
    assert done.returncode == 2
    assert "DBGUARD_DATABASE" in done.stderr


def test_a_role_without_rights_gets_what_everybody_may_see(dbguard, guarded, shop, tmp_path):
    make_role(guarded, "nobody_here")
    run(guarded.dsn(), f"ALTER ROLE nobody_here PASSWORD '{PASSWORD}'")
    done = dbguard("snapshot", "-o", tmp_path / "s", env=environment(guarded, shop, PGUSER="nobody_here"))
    assert done.returncode == 0
    assert "public.t: no statistics of id, name: this role has no SELECT right" in done.stderr
    snapshot = load(tmp_path / "s")
    assert not snapshot.columns
    assert snapshot.schema.count("CREATE TABLE") == 2


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_server_that_dies_midway(tmp_path):
    with start() as server:
        env = {**os.environ, "PGHOST": str(server.folder), "PGPORT": "5432", "PGUSER": "postgres", "PGDATABASE": "postgres"}
        command = [sys.executable, "-m", "dbguard", "snapshot", "-o", str(tmp_path / "s"), "--sample", "2"]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                query = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'dbguard snapshot'"
                wait_for(lambda: connection.execute(query).fetchone() is not None)
                pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGQUIT)
            _, said = process.communicate(timeout=30)
    assert process.returncode == 3, said
    assert "Traceback" not in said
    assert said.startswith("dbguard: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", [0.25, 0.45, 0.7, 1.2])
def test_an_interrupt_at_any_point_leaves_nothing(guarded, shop, tmp_path, seconds):
    command = [sys.executable, "-m", "dbguard", "snapshot", "-o", str(tmp_path / "s"), "--sample", "30"]
    with subprocess.Popen(
        command,
        env=environment(guarded, shop),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,  # noqa: PLW1509 - the tests have one thread
    ) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
    assert process.returncode in {130, -signal.SIGINT}, said  # the latter while Python itself still starts
    assert process.returncode != 130 or said == "dbguard: interrupted\n"
    assert list(tmp_path.iterdir()) == []
    with psycopg.connect(guarded.dsn(shop), autocommit=True) as connection:
        query = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'dbguard%'"
        wait_for(lambda: connection.execute(query).fetchone() is None)


def test_a_full_disk_ends_it_and_keeps_what_was_there(guarded, shop, tmp_path):
    (tmp_path / "s").write_text("old")

    def small():
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    done = apart("snapshot", "-o", tmp_path / "s", env=environment(guarded, shop), preexec_fn=small)
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    assert (tmp_path / "s").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_to_is_said_before_anything_is_read(dbguard, guarded, shop, tmp_path):
    done = dbguard("snapshot", "-o", tmp_path / "none" / "s", env=environment(guarded, shop, PGHOST="/nonexistent"))
    assert done.returncode == 3
    assert "is no folder" in done.stderr


def test_standard_output_and_names_for_compressed_files(dbguard, guarded, shop, tmp_path):
    done = dbguard("snapshot", "-o", "-", env=environment(guarded, shop))
    (tmp_path / "s").write_text(done.stdout)
    assert load(tmp_path / "s").applied[0].versions == ("a",)
    assert dbguard("snapshot", "-o", tmp_path / "s.gz", env=environment(guarded, shop)).returncode == 0
    assert (tmp_path / "s.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert load(tmp_path / "s.gz").columns == load(tmp_path / "s").columns


def test_masked_columns_with_few_values_are_named_to_be_kept(dbguard, around, guarded, shop, tmp_path):
    run(
        guarded.dsn(shop),
        "CREATE TABLE u (state text, name text); INSERT INTO u SELECT 's' || i % 3, 'n' || i FROM generate_series(1, 99) i; ANALYZE u",
    )
    done = dbguard("snapshot", "-o", tmp_path / "s", env=around)
    assert "masked, with few values: u.state\n" in done.stderr
    assert "with few values" not in dbguard("snapshot", "-o", tmp_path / "s", "--keep", "u.state", env=around).stderr
    run(guarded.dsn(shop), "DROP TABLE u")


@pytest.fixture(scope="module")
def pooler(guarded):
    """PgBouncer in transaction mode with one connection to the server, on a socket in the server's folder."""
    program = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("pgbouncer is missing")
        pytest.skip("needs pgbouncer: `apt-get install pgbouncer`")
    folder = guarded.folder
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={folder} port=5432 user=postgres\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {folder}\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 1\n"
    )
    who = {"user": folder.stat().st_uid, "group": folder.stat().st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    process = subprocess.Popen([program, "-q", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **who)
    try:
        wait_for((folder / ".s.PGSQL.6432").exists)
        yield f"host='{folder}' port=6432 user=postgres"
    finally:
        process.kill()
        process.wait()


def test_through_a_pooler_everything_is_read_and_nothing_is_left_behind(guarded, shop, pooler):
    dsn = f"{pooler} dbname='{shop}'"
    names = ("search_path", "statement_timeout", "lock_timeout", "default_transaction_read_only", "idle_in_transaction_session_timeout", "jit")
    ask = "SELECT pg_backend_pid(), " + ", ".join(f"current_setting('{name}')" for name in names)
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as application:
        before = application.execute(ask).fetchone()
        with open_read_only(dsn) as connection:
            assert is_pooled(connection)
        through = taken(dsn, sample=0.1)
        assert application.execute(ask).fetchone() == before
    direct = taken(guarded.dsn(shop))
    assert through.columns == direct.columns
    assert through.settings == direct.settings
    assert through.applied == direct.applied
    assert through.schema.count("CREATE TABLE") == 2
    with open_read_only(guarded.dsn(shop)) as connection:
        assert not is_pooled(connection)
