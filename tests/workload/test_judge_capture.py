"""A capture file to a result: the way that `pytest --dbguard-fail-on` and `dbguard check` go."""

from __future__ import annotations

import json
from pathlib import Path

from dbguard.config import Config
from dbguard.pipelines.workload import judge_capture

HEADER = {"line": "header", "dbguard": "capture", "version": 1, "capture": "c", "process": 1}
LINES = [
    HEADER,
    {"line": "text", "text": 1, "sql": "SELECT id FROM orders"},
    {"line": "text", "text": 2, "sql": "SELECT sum(q) FROM items WHERE order_id = $1"},
    {"line": "stack", "stack": 1, "frames": [["shop/app.py", 4, "totals"]]},
    {"line": "stack", "stack": 2, "frames": [["shop/app.py", 5, "totals"]], "loop": 0},
    {"line": "unit", "unit": 1, "name": "GET /totals", "kind": "request"},
    {"line": "connection", "connection": 1, "driver": "psycopg"},
    {"line": "call", "call": 1, "text": 1, "stack": 1, "unit": 1, "connection": 1, "started": 1.0, "rows": 3, "results": [["id", ["a", "b", "c"]]]},
    *[
        {"line": "call", "call": n + 2, "text": 2, "stack": 2, "unit": 1, "connection": 1, "started": 2.0 + n, "rows": 1, "parameters": [key]}
        for n, key in enumerate("abc")
    ],
    {"line": "end", "calls": 4, "errors": {}},
]


def written(folder: Path, *lines: object) -> str:
    path = folder / "capture.jsonl"
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_a_capture_is_judged_with_its_configuration(tmp_path: Path):
    path = written(tmp_path, *LINES)
    result = judge_capture([path], Config.load(tmp_path, {"fail-on": "warning"}))
    assert [(one.rule, one.path, one.line, one.calls, one.units) for one in result.findings] == [("query-per-row", "shop/app.py", 5, 3, 1)]
    assert (result.exit_code, result.summary.warnings, result.summary.statements) == (1, 1, 4)
    assert judge_capture([path], Config.load(tmp_path, {"ignore": ["query-per-row"]})).exit_code == 0


def test_what_is_whole_of_a_damaged_capture_is_judged_and_the_rest_is_named(tmp_path: Path):
    path = written(tmp_path, *LINES[:-1], "\0\1junk\n", '{"line": "call", "call": 9, "te')
    result = judge_capture([path, str(tmp_path / "missing.jsonl")], Config.load(tmp_path))
    assert [one.rule for one in result.findings] == ["query-per-row"]
    assert result.notes


def test_an_empty_capture_is_clean(tmp_path: Path):
    assert judge_capture([written(tmp_path, HEADER)], Config.load(tmp_path)).exit_code == 0
    assert judge_capture([], Config.load(tmp_path)).findings == ()
