"""The format and its reader: what is whole is used, what is not is counted; several processes; hostile input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dbguard.model.calls import Call, Frame, Load, Result
from dbguard.workload.capture_file import read_capture, read_lines
from tests.book import ROOT
from tests.capture.helpers import validators

HEADER = {
    "line": "header",
    "dbguard": "capture",
    "version": 1,
    "capture": "c",
    "process": 7,
    "started": 1.0,
    "root": "/app",
    "language": "python 3.12.0",
    "libraries": {},
    "values": False,
}
LINES: list[dict[str, Any]] = [
    HEADER,
    {"line": "text", "text": 1, "sql": "SELECT 1"},
    {"line": "stack", "stack": 1, "frames": [["a.py", 3, "f"], ["b.py", 9, "<module>"]], "loop": 1},
    {"line": "load", "load": 1, "event": "lazy", "owner": "Order", "relationship": "items", "many": True, "orm": "django"},
    {"line": "unit", "unit": 1, "name": "tests/a.py::test", "kind": "test", "phase": "call"},
    {"line": "connection", "connection": 1, "driver": "django", "database": "default"},
    {
        "line": "call",
        "call": 1,
        "text": 1,
        "stack": 1,
        "unit": 1,
        "connection": 1,
        "started": 2.0,
        "seconds": 0.5,
        "transaction": 3,
        "load": 1,
        "rows": 2,
        "parameters": ["00112233445566aa", "", "?", "[1]00112233445566aa"],
        "results": [["id", ["00112233445566aa"]]],
        "error": "42P01",
    },
    {"line": "end", "calls": 1, "errors": {}},
]


def written(path: Path, lines: list[Any]) -> Path:
    path.write_bytes(b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines))
    return path


def test_every_field_is_read(tmp_path: Path):
    (unit,), notes = read_capture(written(tmp_path / "c.jsonl", LINES))

    assert notes == []
    assert (unit.key, unit.name, unit.kind, unit.phase) == ("c-7-1", "tests/a.py::test", "test", "call")
    assert unit.calls == (
        Call(
            sql="SELECT 1",
            number=1,
            source=str(tmp_path / "c.jsonl"),
            line=7,
            parameters=("00112233445566aa", "", "?", "[1]00112233445566aa"),
            rows=2,
            seconds=0.5,
            started=2.0,
            connection="c-7-1",
            transaction="c-7-3",
            unit="c-7-1",
            frames=(Frame("a.py", 3, "f"), Frame("b.py", 9, "<module>")),
            loop=Frame("b.py", 9, "<module>"),
            load=Load("lazy", "Order", "items", True, "django"),
            results=(Result("id", ("00112233445566aa",)),),
            driver="django",
            database="default",
            error="42P01",
        ),
    )


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["line"])
def test_the_example_of_each_line_is_valid_and_nothing_may_be_added(line: dict[str, Any]):
    validator = validators()[line["line"]]

    assert validator.is_valid(line)
    assert not validator.is_valid({**line, "more": 1})


def test_every_key_of_the_schema_is_documented():
    text = (ROOT / "docs/capture.md").read_text()

    for line in json.loads((ROOT / "docs/schemas/capture.json").read_text())["oneOf"]:
        section = text.split(f"### `{line['title']}`", 1)[1].split("\n### ", 1)[0]
        for key in line["properties"]:
            assert key in {"line", "dbguard"} or f"`{key}`" in section, f"{line['title']}: {key}"


def test_a_cut_off_last_line_is_counted_and_the_rest_used(tmp_path: Path):
    path = written(tmp_path / "c.jsonl", [*LINES[:-1], json.dumps(LINES[6]).encode()[:80]])

    units, notes = read_capture(path)

    assert len(units[0].calls) == 1
    assert [note.removeprefix(str(path)) for note in notes] == [
        ": 1 line could not be read, the first is 8",
        ": there is no last line: the process was killed or is still running, and its last calls may be missing",
    ]


def test_a_newer_version_is_named_and_what_is_known_is_used(tmp_path: Path):
    lines = [{**HEADER, "version": 2}, {"line": "weather", "sun": True}, *LINES[1:6], {**LINES[6], "mood": "new"}, LINES[7]]

    units, notes = read_capture(written(tmp_path / "c.jsonl", lines))

    assert len(units[0].calls) == 1
    assert "version 2 of the format is newer" in notes[0]
    assert notes[1].endswith("1 line of kind 'weather' skipped")


def test_calls_of_several_processes_are_numbered_by_time_and_keep_their_own_order(tmp_path: Path):
    def process(pid: int, times: list[float]) -> Path:
        calls = [{**LINES[6], "call": number, "started": time} for number, time in enumerate(times, 1)]
        return written(tmp_path / f"{pid}.jsonl", [{**HEADER, "process": pid}, *LINES[1:6], *calls, LINES[7]])

    units, notes = read_capture([process(1, [1.0, 5.0, 4.9]), process(2, [2.0, 6.0])])

    assert notes == []
    assert {unit.key: [(call.number, call.started) for call in unit.calls] for unit in units} == {
        "c-1-1": [(1, 1.0), (3, 5.0), (4, 4.9)],
        "c-2-1": [(2, 2.0), (5, 6.0)],
    }


def test_several_captures_in_one_file_do_not_mix(tmp_path: Path):
    second = [{**HEADER, "capture": "d"}, {"line": "text", "text": 1, "sql": "SELECT 2"}, *LINES[2:]]

    units, notes = read_capture(written(tmp_path / "c.jsonl", [*LINES, *second]))

    assert notes == []
    assert [[call.sql for call in unit.calls] for unit in units] == [["SELECT 1"], ["SELECT 2"]]


def test_calls_that_refer_to_nothing_are_counted(tmp_path: Path):
    calls = [
        {**LINES[6], key: value}
        for key, value in [("text", 99), ("unit", 99), ("unit", None), ("rows", "many"), ("parameters", [1]), ("results", [1])]
    ]

    units, notes = read_capture(written(tmp_path / "c.jsonl", [*LINES[:7], *calls, LINES[7]]))

    assert len(units[0].calls) == 1
    assert notes == [f"{tmp_path / 'c.jsonl'}: 6 lines could not be read, the first is 8"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 100,
        b"\xff\xfe\x00\x01\n" * 10,
        b'null\n[]\n3\n"x"\n{}\n',
        b'{"line":"call"}\n',
        b'{"line":["header"]}\n',
        b"[" * 100_000 + b"\n",
        b'{"line":"header","version":"x"}\n{"line":"stack","stack":1,"frames":[[1,2,3]]}\n{"line":"end"}\n',
        b'{"line":"header","version":1}\n{"line":"stack","stack":1,"frames":{"a":1}}\n{"line":"unit","unit":true,"name":1}\n',
    ],
)
def test_hostile_input_gives_no_calls_and_no_error(raw: bytes):
    processes, notes = read_lines(raw.splitlines(keepends=True), "x")

    assert [call for process in processes for call in process.calls] == []
    assert all(note.startswith("x") for note in notes)


def test_files_that_are_not_there_are_named(tmp_path: Path):
    units, notes = read_capture([tmp_path / "nowhere.jsonl"])

    assert units == []
    assert notes == [f"{tmp_path / 'nowhere.jsonl'}: No such file or directory"]


def test_long_lists_are_cut(tmp_path: Path):
    call = {**LINES[6], "results": [["id", ["00112233445566aa"] * 5_000]]}

    units, _ = read_capture(written(tmp_path / "c.jsonl", [*LINES[:6], call, LINES[7]]))

    assert len(units[0].calls[0].results[0].values) == 2_000
