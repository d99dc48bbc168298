"""Input that is cut off, mixed, interleaved, damaged or something else: what is whole is used, the rest is counted and named."""

from __future__ import annotations

import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from dbguard.model.calls import Call, Unit
from dbguard.workload import Workload, read_workload
from tests.workload.conftest import Logs

FORMATS = ("stderr", "csv", "json")


def read(raw: bytes, **options: Any) -> tuple[list[Call], Workload, list[Unit]]:
    workload = read_workload(["-"], io.BytesIO(raw), **options)
    units = list(workload.units)
    return sorted((call for unit in units for call in unit.calls), key=lambda call: call.number), workload, units


def line(pid: int, message: str, second: float = 0.0, level: str = "LOG") -> str:
    return f"2026-11-21 15:{int(second) // 60:02}:{second % 60:06.3f} UTC [{pid}] {level}:  {message}\n"


@pytest.mark.parametrize("form", FORMATS)
def test_a_log_that_is_cut_anywhere_gives_the_calls_before_the_cut(logs: Logs, form: str):
    raw = getattr(logs, form).read_bytes()
    whole = [call.sql for call in read(raw)[0]]
    chance = random.Random(1)
    for cut in sorted(chance.randrange(len(raw)) for _ in range(40)):
        found = [call.sql for call in read(raw[:cut])[0]]
        assert found[:-1] == whole[: max(0, len(found) - 1)]
        rest = [call.sql for call in read(raw[cut:])[0]]
        assert rest[1:] == whole[len(whole) - len(rest) + 1 :] or not rest


@pytest.mark.parametrize("form", FORMATS)
def test_junk_between_lines_takes_nothing_with_it(logs: Logs, form: str):
    raw = getattr(logs, form).read_bytes()
    whole = [call.sql for call in read(raw)[0]]
    start = b"\n2026-11-21 " if form != "json" else b'\n{"timestamp'
    junk = bytes(random.Random(2).randrange(256) for _ in range(3000)).replace(b"\t", b"x").replace(b'"', b"x") + b"\x00\xff\xfe"
    at = raw.index(start, len(raw) // 2)
    calls, workload, _ = read(raw[:at] + b"\n" + junk + raw[at:])
    assert len(calls) >= len(whole) - (form == "csv")
    assert workload.skipped
    assert workload.notes


def test_sessions_that_are_interleaved_keep_their_own_details():
    text = line(1, "duration: 1.0 ms  execute <unnamed>: SELECT $1") + line(2, "duration: 2.0 ms  execute <unnamed>: SELECT a FROM b WHERE c = $1")
    text += (
        line(2, "parameters: $1 = '22'", level="DETAIL")
        + line(1, "parameters: $1 = '11'", level="DETAIL")
        + line(3, "duration: 1 ms  statement: SELECT 11, 22")
    )
    calls, _, units = read(text.encode())
    found = {call.connection: call.parameters for call in calls}
    assert found["1"] + found["2"] == found["3"]
    assert len(units) == 3


def test_a_session_is_cut_where_it_is_idle_and_not_inside_a_transaction():
    moments = [
        (0, "SELECT a"),
        (0.1, "SELECT b"),
        (5, "SELECT c"),
        (5.1, "BEGIN"),
        (8, "SELECT d"),
        (8.1, "COMMIT"),
        (8.2, "SELECT e"),
        (8.201, "SELECT f"),
    ]
    _, _, units = read("".join(line(1, f"duration: 0.1 ms  statement: {sql}", second) for second, sql in moments).encode())
    assert [[call.sql for call in unit.calls] for unit in units] == [
        ["SELECT a", "SELECT b"],
        ["SELECT c", "BEGIN", "SELECT d", "COMMIT"],
        ["SELECT e", "SELECT f"],
    ]
    assert len({unit.key for unit in units}) == 3
    assert all(call.unit == unit.key for unit in units for call in unit.calls)


def test_a_change_of_the_trace_in_the_tags_cuts_a_session_and_names_the_unit():
    text = "".join(
        line(1, f"duration: 0.1 ms  statement: SELECT a /*route='%2Forders',traceparent='00-{trace}-b7ad6b7169203331-01'*/", number / 100)
        for number, trace in enumerate(["a" * 32, "a" * 32, "b" * 32])
    )
    _, _, units = read(text.encode())
    assert [(unit.name, len(unit.calls)) for unit in units] == [("/orders", 2), ("/orders", 1)]


def test_a_process_id_that_is_used_again_is_another_session():
    text = (
        line(1, "duration: 0.1 ms  statement: SELECT a")
        + line(1, "disconnection: session time: 0:00:00.1 user=a database=b host=[local]")
        + line(1, "duration: 0.1 ms  statement: SELECT b")
    )
    assert len(read(text.encode())[2]) == 2


def test_lines_of_an_application_among_those_of_the_server_are_read_too():
    text = "".join(
        f"db-1   | {part}\n"
        for part in (line(1, "duration: 0.1 ms  statement: SELECT a\n\tFROM b WHERE c = 5") + line(1, "duration: 0.1 ms  statement: SELECT d"))
        .rstrip("\n")
        .split("\n")
    )
    text += (
        "web-1  | (0.001) SELECT e FROM f WHERE g = 5; args=(5,); alias=default\n" + f"db-1   | {line(1, 'duration: 0.1 ms  statement: SELECT h')}"
    )
    calls, workload, _ = read(text.encode())
    assert sorted(call.sql for call in calls) == ["SELECT a\nFROM b WHERE c = $1", "SELECT d", "SELECT e FROM f WHERE g = $1", "SELECT h"]
    assert not workload.skipped


def test_logs_that_docker_wrapped_are_unwrapped(logs: Logs):
    wrapped = "".join(
        json.dumps({"log": part, "stream": "stderr", "time": "2026-11-21T15:00:00Z"}) + "\n"
        for part in logs.stderr.read_text().splitlines(keepends=True)
    )
    calls, workload, _ = read(wrapped.encode())
    assert [call.sql for call in calls] == [sent.sql for sent in logs.sent]
    assert not workload.skipped


def test_lines_of_windows_and_other_encodings_are_read(logs: Logs):
    text = logs.stderr.read_text()
    whole = [call.sql for call in read(text.encode())[0]]
    for raw in (text.replace("\n", "\r\n").encode(), text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode()):
        assert [call.sql for call in read(raw)[0]] == whole


@pytest.mark.parametrize("damage", ["cut", "flipped", "followed"])
def test_damaged_gzip_gives_what_came_before(logs: Logs, damage: str):
    raw = logs.stderr.read_bytes() * 20
    packed = bytearray(gzip.compress(raw))
    whole = len(read(bytes(packed))[0])
    if damage == "cut":
        packed = packed[: len(packed) // 2]
    elif damage == "flipped":
        packed[len(packed) * 3 // 4] ^= 0xFF
    else:
        packed += b"what is this"
    calls, workload, _ = read(bytes(packed))
    assert workload.notes or workload.unread
    assert damage == "flipped" or len(calls) > 5  # a byte that changed may tell other lines, until the checksum
    assert damage != "followed" or len(calls) == whole
    assert damage != "cut" or len(calls) < whole


def test_what_cannot_be_opened_or_recognised_is_named_and_the_others_are_read(logs: Logs, tmp_path: Path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "prose").write_text("Dear reader,\nthis is no log.\n")
    (tmp_path / "zst").write_bytes(b"\x28\xb5\x2f\xfd rest")
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 100)
    paths = [str(tmp_path), str(tmp_path / "missing"), *(str(tmp_path / name) for name in ("empty", "prose", "zst", "binary")), str(logs.csv)]
    workload = read_workload(paths)
    assert sum(len(unit.calls) for unit in workload.units) == len(logs.sent)
    assert [Path(path).name for path, _ in workload.unread] == [tmp_path.name, "missing", "empty", "prose", "zst", "binary"]
    assert "zstd" in workload.unread[4][1]


def test_texts_that_are_not_sql_or_not_whole_hide_their_literals_too():
    for text in (
        "SELECT 'secret",
        "SELEC 'secret' FRM x",
        "SELECT $$secret",
        "SELECT * FROM t WHERE a = 'secret' AND",
        "DO $$ BEGIN 'secret' END $$",
        "SELECT E'\\'secret'",
    ):
        calls, _, units = read(line(1, f"duration: 0.1 ms  statement: {text}").encode())
        assert len(calls) == 1
        assert "secret" not in repr(units)


def test_numbers_that_are_no_numbers_do_no_harm():
    text = (
        line(1, "duration: 1.2.3 ms  statement: SELECT 1")
        + line(1, "duration:  ms  statement: SELECT 1")
        + line(1, "duration: 1 ms  execute x")
        + line(1, "duration: 1 ms  plan:\n\tnonsense")
    )
    text += (
        line(1, 'duration: 1 ms  plan:\n\t{\n\t  "Query Text": 5}')
        + line(1, "ERROR")
        + line(1, "", level="STATEMENT")
        + "2026-99-99 99:99:99.999 UTC [5] LOG:  duration: 1 ms  statement: SELECT a\n"
    )
    calls, workload, _ = read(text.encode())
    assert calls[-1].sql == "SELECT a"
    assert calls[-1].started is None
    assert workload.skipped


def test_an_endless_line_or_session_stays_in_bounded_memory():
    def endless():
        yield line(1, "duration: 1 ms  statement: SELECT a").encode()
        for _ in range(20):
            yield b"\tx" * 500_000 + b"\n"
        yield line(1, "duration: 1 ms  statement: SELECT b").encode()
        for number in range(20_000):
            yield line(2, "duration: 0.01 ms  statement: SELECT c", number / 1000).encode()

    class Stream(io.RawIOBase):
        parts = endless()

        def read(self, size: int = -1) -> bytes:
            return next(self.parts, b"")

    workload = read_workload(["-"], Stream())
    units = list(workload.units)
    assert {call.sql for unit in units for call in unit.calls} >= {"SELECT b", "SELECT c"}
    assert max(len(unit.calls) for unit in units) <= 5_000
    assert workload.skipped
