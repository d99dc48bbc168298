"""pytest plugin, `dbguard capture`, and middleware: real processes, real servers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

import dbguard.capture
from dbguard.capture import middleware, recorder
from dbguard.workload.capture_file import read_capture
from tests.capture.helpers import calls_in, units_in

SUITE = """
import asyncio, os, psycopg, pytest, dbguard.capture

@pytest.fixture
def connection():
    with psycopg.connect(os.environ["DSN"], autocommit=True) as connection:
        connection.execute("SELECT 'set up'")
        yield connection
        connection.execute("SELECT 'torn down'")

def test_one(connection):
    for number in range(3):
        connection.execute("SELECT %s::int", (number,))

class TestGroup:
    @pytest.mark.parametrize("number", [1, 2])
    def test_two(self, connection, number):
        connection.execute("SELECT 'two'")
"""
ASYNC = """
import os, psycopg, pytest
pytestmark = pytest.mark.asyncio

async def test_async():
    async with await psycopg.AsyncConnection.connect(os.environ["DSN"], autocommit=True) as connection:
        await connection.execute("SELECT 'async'")

@pytest.mark.dbguard(queries=1)
async def test_too_many():
    async with await psycopg.AsyncConnection.connect(os.environ["DSN"], autocommit=True) as connection:
        await connection.execute("SELECT 1")
        await connection.execute("SELECT 2")
"""
LIMITS = """
import os, psycopg, pytest

@pytest.fixture
def connection():
    with psycopg.connect(os.environ["DSN"], autocommit=True) as connection:
        connection.execute("SELECT 'not counted'")
        yield connection

@pytest.mark.dbguard(queries=1)
def test_holds(connection):
    connection.execute("SELECT 1")

@pytest.mark.dbguard(queries=1)
def test_breaks(connection):
    connection.execute("SELECT 1")
    connection.execute("SELECT 2")

@pytest.mark.dbguard
def test_says_nothing():
    pass
"""


def pytest_in(folder: Path, dsn: str, suite: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_suite.py").write_text(suite)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments]
    return subprocess.run(command, cwd=folder, env={**environment(), "DSN": dsn}, capture_output=True, text=True, check=False, timeout=60)


def environment() -> dict[str, str]:
    import os

    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "DBGUARD"))}


def phases(paths: Path | list[Path]) -> dict[tuple[str, str], int]:
    return {(unit.name, unit.phase): len(unit.calls) for unit in units_in(paths)}


EXPECTED = {
    **{("test_suite.py::test_one", phase): count for phase, count in (("setup", 1), ("call", 3), ("teardown", 1))},
    **{(f"test_suite.py::TestGroup::test_two[{number}]", phase): 1 for number in (1, 2) for phase in ("setup", "call", "teardown")},
}


def test_pytest_records_every_test_in_its_phases(shop: str, tmp_path: Path):
    done = pytest_in(tmp_path, shop, SUITE, "--dbguard")

    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = (tmp_path / ".dbguard").glob("*.jsonl")
    assert phases(file) == EXPECTED
    assert f"dbguard: 11 calls recorded in .dbguard/{file.name}" in done.stdout
    loops = {call.loop.line for unit in units_in(file) for call in unit.calls if call.loop}
    assert loops == {13}


def test_a_way_to_distribute_without_workers_records_as_usual(shop: str, tmp_path: Path):
    done = pytest_in(tmp_path, shop, SUITE, "--dbguard", "--dist", "loadfile")
    assert "no calls were recorded" not in done.stdout
    assert len(list((tmp_path / ".dbguard").glob("*.jsonl"))) == 1


def test_workers_of_xdist_write_files_that_the_controller_names(shop: str, tmp_path: Path):
    done = pytest_in(tmp_path, shop, SUITE, "--dbguard", "-n", "2")

    assert done.returncode == 0, done.stdout + done.stderr
    files = sorted((tmp_path / ".dbguard").glob("*.jsonl"))
    assert phases(files) == EXPECTED
    assert {file.stem.rpartition("-")[2] for file in files} <= {"gw0", "gw1"}
    assert "dbguard: 11 calls recorded in " in done.stdout
    fixed = {call.parameters for unit in units_in(files) for call in unit.calls if call.sql == "SELECT %s::int"}
    assert len(fixed) == 3


def test_tests_of_pytest_asyncio_are_units_and_keep_to_their_limits(shop: str, tmp_path: Path):
    done = pytest_in(tmp_path, shop, ASYNC, "--dbguard")

    (file,) = (tmp_path / ".dbguard").glob("*.jsonl")
    assert phases(file) == {("test_suite.py::test_async", "call"): 1, ("test_suite.py::test_too_many", "call"): 2}
    assert "1 failed, 1 passed" in done.stdout
    assert "2 queries were sent, at most 1 may be" in done.stdout


def test_markers_work_without_the_option_and_count_the_call_only(shop: str, tmp_path: Path):
    done = pytest_in(tmp_path, shop, LIMITS)

    assert "FAILED test_suite.py::test_breaks" in done.stdout
    assert "AssertionError: 2 queries were sent, at most 1 may be" in done.stdout
    assert "needs a number of queries" in done.stdout
    assert "1 passed" in done.stdout
    assert not (tmp_path / ".dbguard").exists()


def test_without_the_option_nothing_is_imported_or_written(shop: str, tmp_path: Path):
    suite = "import sys\n\ndef test_one():\n    assert [name for name in sys.modules if name.startswith('dbguard.capture')] == []\n"
    done = pytest_in(tmp_path, shop, suite)

    assert done.returncode == 0, done.stdout
    assert "dbguard" not in done.stdout
    assert not (tmp_path / ".dbguard").exists()


def test_a_suite_that_sends_nothing_says_so(shop: str, tmp_path: Path):
    done = pytest_in(tmp_path, shop, "def test_one():\n    pass\n", "--dbguard")

    assert done.returncode == 0
    assert "dbguard: no calls were recorded" in done.stdout
    assert not (tmp_path / ".dbguard").exists()


def test_a_suite_in_which_nothing_is_found_passes(shop: str, tmp_path: Path):
    done = pytest_in(tmp_path, shop, SUITE, "--dbguard-fail-on", "error")

    assert done.returncode == 0
    assert "nothing found in 1 file" in done.stdout
    assert "11 calls recorded" in done.stdout


def dbguard_capture(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dbguard", "capture", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False, timeout=60)


PARENT = """
import subprocess, sys, psycopg
def work():
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        connection.execute("SELECT %s::int", (1,))
if len(sys.argv) == 2:
    subprocess.run([sys.executable, __file__, sys.argv[1], "child"], check=True)
work()
sys.exit(3 if len(sys.argv) == 2 else 0)
"""


def test_a_command_and_its_children_are_recorded_with_one_key(shop: str, tmp_path: Path):
    (tmp_path / "app.py").write_text(PARENT)
    done = dbguard_capture("-o", "out", "--", sys.executable, "app.py", shop, cwd=tmp_path)

    assert done.returncode == 3
    assert "dbguard: 2 calls recorded in 2 files" in done.stderr
    files = list((tmp_path / "out").iterdir())
    units = units_in(files)
    assert {(unit.name, unit.kind) for unit in units} == {("app.py", "process")}
    assert len({call.parameters for call in calls_in(files)}) == 1
    assert {call.frames[0].path for call in calls_in(files)} == {"app.py"}
    assert b"postgres dbname" not in b"".join(file.read_bytes() for file in files)


def test_the_sitecustomize_of_the_host_still_runs(tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text("print('own')\n")
    code = "import os, subprocess, sys; os.environ['PYTHONPATH'] = os.environ['PYTHONPATH'] + os.pathsep + os.getcwd(); subprocess.run([sys.executable, '-c', 'pass'])"
    done = dbguard_capture("--", sys.executable, "-c", code, cwd=tmp_path)

    assert done.stdout == "own\n"
    assert "no calls were recorded" in done.stderr


def test_commands_that_fail_or_are_missing(tmp_path: Path):
    assert dbguard_capture("--", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)", cwd=tmp_path).returncode == 128 + 9
    missing = dbguard_capture("--", "no-such-command-here", cwd=tmp_path)
    assert (missing.returncode, "cannot be started" in missing.stderr) == (2, True)
    assert dbguard_capture(cwd=tmp_path).returncode == 2


def test_asgi_requests_are_units_named_without_values(shop: str, tmp_path: Path):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        async with await psycopg.AsyncConnection.connect(shop, autocommit=True) as connection:
            await connection.execute("SELECT 1")

    async def main() -> None:
        wrapped = dbguard.capture.ASGIMiddleware(app)
        requests = [{"type": "http", "method": "GET", "path": f"/orders/{number}"} for number in (1, 2)]
        await asyncio.gather(*[wrapped(scope, None, None) for scope in requests])
        await wrapped({"type": "lifespan"}, None, None)

    with dbguard.capture.record(tmp_path / "c.jsonl"):
        asyncio.run(main())

    units = units_in(tmp_path / "c.jsonl")
    assert sorted((unit.name, unit.kind, len(unit.calls)) for unit in units) == [("GET /orders/{}", "request", 1)] * 2 + [("record", "block", 1)]


def test_wsgi_responses_that_are_streamed_belong_to_their_request(shop: str, tmp_path: Path):
    def app(environ: Any, start_response: Any) -> Any:
        with psycopg.connect(shop, autocommit=True) as connection:
            connection.execute("SELECT 1")
            yield b"a"
            connection.execute("SELECT 2")
            yield b"b"

    with dbguard.capture.record(tmp_path / "c.jsonl"):
        body = b"".join(dbguard.capture.WSGIMiddleware(app)({"REQUEST_METHOD": "GET", "PATH_INFO": "/export/2026"}, None))

    assert body == b"ab"
    (unit,) = units_in(tmp_path / "c.jsonl")
    assert (unit.name, len(unit.calls)) == ("GET /export/{}", 2)
    assert recorder.unit_now.get() is None


def test_middleware_begins_a_capture_if_there_is_none(shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(middleware, "_recording", None)
    wrapped = dbguard.capture.WSGIMiddleware(lambda *_: [psycopg.connect(shop).execute("SELECT 1").connection.close() or b""], folder=str(tmp_path))
    wrapped({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, None)
    recording = middleware._recording
    assert recording is not None
    recording.stop()

    units, _ = read_capture(recording.path)
    assert [unit.name for unit in units] == ["GET /"]
