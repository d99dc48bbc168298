# ruff: noqa: PT012 - what is sent before the end of a block is what is looked at
"""Recordings as a whole: units, threads, limits, several at once, errors inside, what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

import dbguard.capture
from dbguard.capture import faults, recorder
from dbguard.workload.capture_file import read_capture
from tests.book import ROOT
from tests.capture.helpers import calls_in, line_with, units_in


@pytest.fixture
def connection(shop: str):
    with psycopg.connect(shop, autocommit=True) as connection:
        yield connection


def test_units_of_contexts_and_of_the_recording(connection: Any, tmp_path: Path):
    with dbguard.capture.record(tmp_path / "c.jsonl", unit="the block"):
        connection.execute("SELECT 1")
        with dbguard.capture.unit("import", "task"):
            connection.execute("SELECT 2")
            with dbguard.capture.unit("row", "task"):
                connection.execute("SELECT 3")
            connection.execute("SELECT 4")

    found = {(unit.name, unit.kind): [call.sql for call in unit.calls] for unit in units_in(tmp_path / "c.jsonl")}
    assert found == {("the block", "block"): ["SELECT 1"], ("import", "task"): ["SELECT 2", "SELECT 4"], ("row", "task"): ["SELECT 3"]}


def test_threads_are_recorded_each_with_its_own_lines(shop: str, tmp_path: Path):
    def work(number: int) -> None:
        with psycopg.connect(shop, autocommit=True) as own, dbguard.capture.unit(f"thread {number}"):
            for _ in range(50):
                own.execute("SELECT %s::int", (number,))

    with dbguard.capture.record(tmp_path / "c.jsonl"):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    units = {unit.name: unit for unit in units_in(tmp_path / "c.jsonl") if unit.name.startswith("thread")}
    assert {name: len(unit.calls) for name, unit in units.items()} == {f"thread {number}": 50 for number in range(4)}
    assert all(len({call.parameters for call in unit.calls}) == 1 and len({call.connection for call in unit.calls}) == 1 for unit in units.values())


def test_a_folder_gets_a_file_of_its_own_and_nothing_if_nothing_is_sent(connection: Any, tmp_path: Path):
    with dbguard.capture.record(tmp_path / "a"):
        connection.execute("SELECT 1")
    with dbguard.capture.record(tmp_path / "b"):
        pass

    (file,) = (tmp_path / "a").iterdir()
    assert file.name.endswith(".jsonl")
    assert str(os.getpid()) in file.name
    assert not (tmp_path / "b").exists()


def test_two_recordings_at_once_have_their_own_keys_and_all_calls(connection: Any, tmp_path: Path):
    with dbguard.capture.record(tmp_path / "outer.jsonl"):
        connection.execute("SELECT %s::int", (1,))
        with dbguard.capture.record(tmp_path / "inner.jsonl"):
            connection.execute("SELECT %s::int", (1,))

    outer, inner = calls_in(tmp_path / "outer.jsonl"), calls_in(tmp_path / "inner.jsonl")
    assert (len(outer), len(inner)) == (2, 1)
    assert outer[0].parameters == outer[1].parameters != inner[0].parameters


def test_no_value_reaches_the_file(connection: Any, tmp_path: Path):
    file = tmp_path / "c.jsonl"
    secret, other, third, number = uuid.uuid4().hex, uuid.uuid4().hex, uuid.uuid4().hex, str(uuid.uuid4().int)[:12]
    with dbguard.capture.record(file), pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("CREATE TEMP TABLE vault (name text PRIMARY KEY, word text)")
        connection.execute("INSERT INTO vault VALUES (%s, %s)", (secret, other))
        connection.execute("SELECT * FROM vault WHERE name = %(name)s", {"name": secret}).fetchall()
        connection.execute(f"SELECT * FROM vault WHERE name = '{third}' OR name = {number}::text OR name = E'{third}\\''")
        connection.execute("SELECT * FROM vault WHERE name = ANY(%s)", ([secret, other],))
        connection.cursor().executemany("SELECT %s", [(third,), (secret,)])
        connection.execute("INSERT INTO vault VALUES (%s, %s)", (secret, other))

    raw = file.read_bytes()
    assert [value for value in (secret, other, third, number) if value.encode() in raw] == []
    assert b"UniqueViolation" not in raw
    assert len(calls_in(file)) == 7


def test_literals_that_stand_in_the_source_stay(connection: Any, tmp_path: Path):
    with dbguard.capture.record(tmp_path / "c.jsonl"):
        connection.execute("SELECT * FROM orders WHERE note = 'written by hand' LIMIT 10")

    assert [call.sql for call in calls_in(tmp_path / "c.jsonl")] == ["SELECT * FROM orders WHERE note = 'written by hand' LIMIT 10"]


def test_values_are_written_if_asked_for(connection: Any, tmp_path: Path):
    secret = uuid.uuid4().hex
    with dbguard.capture.record(tmp_path / "c.jsonl", with_values=True):
        connection.execute("SELECT %s::text", (secret,))

    assert secret in (tmp_path / "c.jsonl").read_text()
    assert len(calls_in(tmp_path / "c.jsonl")) == 1


def test_parameters_that_the_host_changes_afterwards_are_hashed_as_they_were_sent(connection: Any, tmp_path: Path):
    batch: list[int] = []
    given: dict[str, Any] = {}
    with dbguard.capture.record(tmp_path / "c.jsonl"):
        for number in range(4):
            batch.append(number)
            connection.execute("SELECT %s::int[]", (batch,))
            batch.clear()
            given["x"] = number
            connection.execute("SELECT %(x)s::int", given)

    calls = calls_in(tmp_path / "c.jsonl")
    assert len({call.parameters for call in calls}) == 8
    lists, numbers = calls[::2], calls[1::2]
    assert [call.parameters for call in lists] == [(f"[1]{call.parameters[0]}",) for call in numbers if call.parameters]


def test_a_hook_that_fails_is_counted_once_told_and_never_seen_by_the_host(
    connection: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a secret")

    with dbguard.capture.record(tmp_path / "c.jsonl") as recording:
        connection.execute("SELECT 1")
        with monkeypatch.context() as patch:
            patch.setattr(recorder, "finish", broken)
            assert connection.execute("SELECT 2").fetchone() == (2,)
            assert connection.execute("SELECT 3").fetchone() == (3,)
        connection.execute("SELECT 4")

    assert recording.errors == {"psycopg: ZeroDivisionError": 2}
    assert capsys.readouterr().err.count("psycopg: ZeroDivisionError (2)") == 1
    units, notes = read_capture(tmp_path / "c.jsonl")
    assert [call.sql for call in units[0].calls] == ["SELECT 1", "SELECT 4"]
    assert [note for note in notes if "ZeroDivisionError (2)" in note] == notes != []


def test_a_sink_that_fails_does_not_keep_others_from_their_calls(connection: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    class Broken:
        def take(self, *_: Any) -> None:
            raise RuntimeError

    before = dict(faults.counts)
    with dbguard.capture.record(tmp_path / "c.jsonl"):
        sink = Broken()
        recorder.add(sink)
        connection.execute("SELECT 1")
        recorder.remove(sink)

    assert faults.counts["Broken: RuntimeError"] == before.get("Broken: RuntimeError", 0) + 1
    assert "Broken: RuntimeError (1)" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_does_not_stop_the_host(connection: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("")
    with dbguard.capture.record(tmp_path / "file" / "below"):
        assert connection.execute("SELECT 1").fetchone() == (1,)

    assert "errors inside the recorder" in capsys.readouterr().err


def test_hooks_are_gone_afterwards(connection: Any, tmp_path: Path):
    original = psycopg.Cursor.__dict__["execute"]
    with dbguard.capture.record(tmp_path / "c.jsonl"):
        assert psycopg.Cursor.__dict__["execute"] is not original
    assert psycopg.Cursor.__dict__["execute"] is original
    assert [finder for finder in sys.meta_path if type(finder).__module__.startswith("dbguard")] == []


def test_a_limit_lists_what_was_sent_and_where(connection: Any):
    with pytest.raises(AssertionError) as raised, dbguard.capture.limit(queries=2):
        for number in range(3):
            connection.execute("SELECT %s::int", (number,))  # too many
        connection.execute("SELECT 5")

    text = str(raised.value)
    assert "4 queries were sent, at most 2 may be" in text
    assert "3 x SELECT %s::int" in text
    assert f"tests/capture/test_session.py:{line_with('too many')} in test_a_limit_lists_what_was_sent_and_where  (in a loop)" in text


def test_a_limit_that_holds_says_nothing_and_control_is_not_counted(shop: str):
    with psycopg.connect(shop) as connection, dbguard.capture.limit(queries=2):
        connection.execute("SELECT 1")
        connection.commit()
        connection.execute("SELECT 2")
        connection.execute("SAVEPOINT a")
        connection.commit()


def test_an_error_in_the_block_is_not_hidden_by_the_limit(connection: Any):
    with pytest.raises(KeyError), dbguard.capture.limit(queries=0):
        connection.execute("SELECT 1")
        raise KeyError


def test_limits_of_threads_and_nested_limits(connection: Any):
    with dbguard.capture.limit(queries=3):
        connection.execute("SELECT 1")
        with pytest.raises(AssertionError), dbguard.capture.limit(queries=0):
            thread = threading.Thread(target=lambda: connection.execute("SELECT 2"))
            thread.start()
            thread.join()


def run_python(code: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=30, **options)


def test_importing_the_room_imports_nothing_but_the_standard_library():
    code = "import sys, dbguard.capture; print(sorted({name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names) - {'__main__', 'dbguard'}))"
    plain = "import sys; print(sorted({name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names) - {'__main__', 'dbguard'}))"

    assert run_python(code).stdout == run_python(plain).stdout


def test_libraries_that_are_loaded_later_are_hooked_into(shop: str, tmp_path: Path):
    code = """
import sys, dbguard.capture
with dbguard.capture.record(sys.argv[2]):
    assert "psycopg" not in sys.modules and "sqlalchemy" not in sys.modules
    import psycopg
    psycopg.connect(sys.argv[1], autocommit=True).execute("SELECT 1")
    assert psycopg.__spec__.loader is psycopg.__loader__ and "dbguard" not in type(psycopg.__loader__).__module__
"""
    done = run_python(code, shop, str(tmp_path / "c.jsonl"))

    assert done.returncode == 0, done.stderr
    assert [call.sql for call in calls_in(tmp_path / "c.jsonl")] == ["SELECT 1"]


def test_a_killed_process_leaves_at_most_one_line_that_is_not_whole(shop: str, tmp_path: Path):
    code = """
import sys, psycopg, dbguard.capture
connection = psycopg.connect(sys.argv[1], autocommit=True)
with dbguard.capture.record(sys.argv[2]):
    print("ready", flush=True)
    while True:
        connection.execute("SELECT %s::int", (1,))
"""
    process = subprocess.Popen([sys.executable, "-c", code, shop, str(tmp_path / "c.jsonl")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    units, notes = read_capture(tmp_path / "c.jsonl")
    assert len(units[0].calls) > 50
    assert "killed or is still running" in notes[-1]
    assert all("1 line could not be read" in note for note in notes[:-1]), "the kernel may stop in the middle of the last write"


def test_forked_children_write_files_of_their_own(shop: str, tmp_path: Path):
    code = """
import multiprocessing, os, sys, psycopg, dbguard.capture
def work(number):
    with psycopg.connect(sys.argv[1], autocommit=True) as own:
        own.execute("SELECT %s::int", (7,))
with dbguard.capture.record(sys.argv[2]):
    work(0)
    workers = [multiprocessing.get_context("fork").Process(target=work, args=(n,)) for n in range(2)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
"""
    done = run_python(code, shop, str(tmp_path))

    assert done.returncode == 0, done.stderr
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    units, _ = read_capture(files)
    calls = [call for unit in units for call in unit.calls]
    assert len(calls) == 3
    assert len({call.parameters for call in calls}) == 1
    assert sorted(call.number for call in calls) == [1, 2, 3]


def test_the_recorder_costs_nothing_while_nothing_is_recorded():
    before = psycopg.Cursor.__dict__["execute"]
    with dbguard.capture.unit("name", "task"):
        assert psycopg.Cursor.__dict__["execute"] is before


def test_the_folder_has_its_own_licence():
    text = (ROOT / "src/dbguard/capture/LICENSE").read_text()

    assert text.startswith("MIT License")
    assert "MIT" in (dbguard.capture.__doc__ or "")
