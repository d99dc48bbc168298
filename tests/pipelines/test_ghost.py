"""`dbguard ghost` as a user runs it: processes, exit codes, what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from dbguard.errors import UsageError
from dbguard.model.names import Name
from dbguard.model.snapshot import Relation, Snapshot
from dbguard.pipelines.ghost import parse_scale
from dbguard.reading.snapshots import save

QUERY = "EXPLAIN SELECT * FROM t"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("ghost") / "prod.dbguard"
    save(Snapshot(database="shop", schema="CREATE TABLE t (id int);", relations=(Relation(Name("public", "t"), "r", 1000, 70_000.0),)), path)
    return str(path)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A cache folder of its own, where only what `initdb` makes is shared."""
    clusters = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dbguard" / "clusters"
    folder = tmp_path_factory.mktemp("home")
    (folder / "dbguard").mkdir()
    if clusters.is_dir():
        (folder / "dbguard" / "clusters").symlink_to(clusters)
    return folder


@pytest.fixture
def environment(home):
    return {**os.environ, "XDG_CACHE_HOME": str(home), "PGPASSWORD": "secret", "PGSERVICE": "elsewhere", "PGOPTIONS": "-c work_mem=1MB"}


def ghost(environment, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "dbguard", "ghost", *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False, **options
    )


def answers(uri: str) -> bool:
    try:
        with psycopg.connect(uri) as connection:
            return "rows=70000" in connection.execute(QUERY).fetchone()[0]
    except psycopg.OperationalError:
        return False


def folder_of(uri: str) -> Path:
    return Path(psycopg.conninfo.conninfo_to_dict(uri)["host"])


def test_a_command_gets_the_ghost_as_its_database_and_gives_its_exit_code(environment, file):
    code = f"""
import os, sys, psycopg
for dsn in ("", os.environ["DATABASE_URL"], os.environ["DBGUARD_DATABASE"]):
    print(psycopg.connect(dsn).execute("{QUERY}").fetchone()[0])
print(sorted(key for key in os.environ if key.startswith("PG")), psycopg.connect("").execute("SHOW work_mem").fetchone())
sys.exit(7)
"""
    done = ghost(environment, file, "--", sys.executable, "-c", code)
    assert done.returncode == 7, done.stderr
    assert done.stdout.count("rows=70000") == 3
    assert "['PGDATABASE', 'PGHOST', 'PGPORT', 'PGUSER'] ('4MB',)" in done.stdout
    assert "secret" not in done.stdout + done.stderr


def test_a_command_that_is_killed_gives_128_and_the_signal(environment, file):
    assert ghost(environment, file, "--", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)").returncode == 137


def test_a_command_that_is_not_there_is_wrong_use(environment, file):
    done = ghost(environment, file, "--", "/no/such/program")
    assert (done.returncode, "cannot be started" in done.stderr) == (2, True)


def test_it_serves_until_it_is_interrupted_and_leaves_nothing(environment, file):
    with subprocess.Popen([sys.executable, "-m", "dbguard", "ghost", file], env=environment, stdout=subprocess.PIPE, text=True) as process:
        uri = process.stdout.readline().strip()
        assert answers(uri)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert not folder_of(uri).exists()


def test_it_leaves_nothing_when_it_is_killed(environment, file):
    with subprocess.Popen([sys.executable, "-m", "dbguard", "ghost", file], env=environment, stdout=subprocess.PIPE, text=True) as process:
        uri = process.stdout.readline().strip()
        process.kill()
    deadline = time.monotonic() + 20
    while folder_of(uri).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder_of(uri).exists()


def test_a_detached_ghost_serves_until_stop(environment, file):
    started = ghost(environment, file, "--detach")
    assert started.returncode == 0, started.stderr
    uri = started.stdout.strip()
    assert answers(uri)
    stopped = ghost(environment, "--stop")
    assert (stopped.returncode, "1 ghost ended" in stopped.stderr) == (0, True)
    assert not folder_of(uri).exists()
    assert "no ghost was running" in ghost(environment, "--stop").stderr


def test_a_note_of_a_ghost_that_died_is_no_harm(environment, home):
    notes = home / "dbguard" / "ghosts-detached"
    notes.mkdir(exist_ok=True)
    (notes / f"{os.getpid()}.json").write_text(f'{{"pid": {os.getpid()}}}')
    (notes / "broken.json").write_text("{")
    assert ghost(environment, "--stop").returncode == 0
    assert list(notes.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "give a snapshot"),
        (("/no/such/file",), 3, "/no/such/file"),
        ((__file__,), 3, "test_ghost.py"),
        (("{file}", "--scale", "lots"), 2, "--scale lots"),
        (("{file}", "--scale", "nobody=3"), 2, "nobody"),
        (("{file}", "--scale", "0"), 2, "factor"),
        (("{file}", "--postgres-bin", "/"), 3, "initdb"),
        (("{file}", "--detach", "--postgres-bin", "/"), 3, "initdb"),
        (("{file}", "--detach", "--scale", "nobody=3"), 2, "nobody"),
        (("{file}", "--detach", "--", "true"), 2, "--detach"),
        (("{file}", "--stop"), 2, "--stop"),
    ],
)
def test_what_cannot_be_done_is_said(environment, file, arguments, code, said):
    done = ghost(environment, *(argument.replace("{file}", file) for argument in arguments))
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("values", "scale"),
    [((), 1.0), (("10",), 10.0), (("0.5",), 0.5), (("orders=100", "a.b=2"), {"orders": 100.0, "a.b": 2.0}), (("a=b=3",), {"a=b": 3.0})],
)
def test_scale_is_a_factor_or_factors_of_tables(values, scale):
    assert parse_scale(values) == scale


@pytest.mark.parametrize("values", [("ten",), ("orders=",), ("=",), ("10", "20"), ("10", "orders=3"), ("orders=3", "10")])
def test_other_scales_are_wrong_use(values):
    with pytest.raises(UsageError):
        parse_scale(values)
