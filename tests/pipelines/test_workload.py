"""Captures in `dbguard check` and `dbguard queries`: what a program sent, on the schema of the migrations beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.book import ROOT

from dbguard.config import Config
from dbguard.errors import UnreadableSource
from dbguard.model.finding import Result
from dbguard.pipelines.check import check
from dbguard.pipelines.workload import list_queries
from dbguard.report.queries import render_json, render_text

SCHEMA = """CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers (id), total int);
"""
PARENT = "SELECT id, email FROM customers ORDER BY id LIMIT 3"
CHILD = "SELECT id, total FROM orders WHERE customer_id = %s"
HEADER = {
    "line": "header",
    "dbguard": "capture",
    "version": 1,
    "capture": "c",
    "process": 1,
    "started": 1.0,
    "root": "",
    "language": "python",
    "libraries": {},
    "values": False,
}


def lines(children: int) -> list[dict[str, Any]]:
    """One query for three customers, and one per customer for their orders."""
    hashes = [f"{number:016x}" for number in range(children)]
    call: dict[str, Any] = {"line": "call", "unit": 1, "connection": 1, "seconds": 0.002}
    return [
        HEADER,
        {"line": "unit", "unit": 1, "name": "GET /customers", "kind": "request"},
        {"line": "connection", "connection": 1, "driver": "psycopg", "database": "shop"},
        {"line": "text", "text": 1, "sql": PARENT},
        {"line": "text", "text": 2, "sql": CHILD},
        {"line": "stack", "stack": 1, "frames": [["shop/views.py", 10, "customers"]]},
        {"line": "stack", "stack": 2, "frames": [["shop/views.py", 12, "customers"]], "loop": ["shop/views.py", 12, "customers"]},
        call | {"call": 1, "text": 1, "stack": 1, "started": 1.0, "rows": children, "parameters": [], "results": [["id", hashes]]},
        *(call | {"call": 2 + i, "text": 2, "stack": 2, "started": 2.0 + i, "rows": 2, "parameters": [one]} for i, one in enumerate(hashes)),
        call | {"call": 90, "text": 3, "stack": 1, "started": 90.0},
    ]


def write(project: Path, written: list[dict[str, Any]]) -> Path:
    path = project / ".dbguard" / "one.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in written))
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001_shop.sql").write_text(SCHEMA)
    written = lines(3)
    written.insert(4, {"line": "text", "text": 3, "sql": "COMMIT"})
    write(tmp_path, written)
    return tmp_path


def run(project: Path, *paths: str, **overrides: Any) -> Result:
    return check(Config.load(project, overrides | {"cache": False}), [str(project / path) for path in paths])


def test_a_query_per_row_is_told_at_the_line_that_sends_it(project: Path) -> None:
    (finding,) = (one for one in run(project, ".dbguard").findings if one.rule == "query-per-row")
    assert (finding.path, finding.line, finding.calls, finding.units) == ("shop/views.py", 12, 3, 1)
    assert "shop/views.py:10" in finding.message


def test_a_missing_index_is_told_with_the_statement_that_creates_it(project: Path) -> None:
    (finding,) = (one for one in run(project, ".dbguard/one.jsonl").findings if one.rule == "missing-index-filter")
    assert (finding.path, finding.line) == ("shop/views.py", 12)
    assert finding.create_index.startswith("CREATE INDEX CONCURRENTLY")


def test_with_the_index_only_the_loop_is_left(project: Path) -> None:
    (project / "migrations" / "002_index.sql").write_text("CREATE INDEX orders_customer_id_idx ON orders (customer_id);\n")
    assert "missing-index-filter" not in {one.rule for one in run(project, ".dbguard").findings}


def test_one_child_is_no_loop(project: Path) -> None:
    write(project, lines(1))
    assert "query-per-row" not in {one.rule for one in run(project, ".dbguard").findings}


def test_migrations_and_captures_go_together(project: Path) -> None:
    (project / "migrations" / "002_drop.sql").write_text("DROP TABLE orders;\n")
    rules = {one.rule for one in run(project, "migrations", ".dbguard").findings}
    assert {"drop-table", "query-per-row"} <= rules


def test_a_capture_that_was_cut_is_used_as_far_as_it_is_whole(project: Path) -> None:
    path = project / ".dbguard" / "one.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    result = run(project, ".dbguard")
    assert "query-per-row" in {one.rule for one in result.findings}
    assert result.notes


def test_a_file_of_no_known_format_is_named(project: Path) -> None:
    (project / "notes.log").write_text("hello\nworld\n")
    result = run(project, "notes.log")
    assert [part.fatal for part in result.unread] == [True]
    assert result.exit_code == 3


@pytest.mark.parametrize("name", ["package.json", "rows.csv"])
def test_a_file_that_anything_may_be_in_is_skipped_and_counted(project: Path, name: str):
    (project / name).write_text('{"name": "shop"}\n')
    result = run(project, name)
    assert (result.unread, result.notes, result.exit_code) == ((), (), 0)
    assert (result.summary.skipped_files, result.summary.files) == (1, 0)
    beside = run(project, name, ".dbguard")
    assert beside.summary.skipped_files == 1
    assert "query-per-row" in {one.rule for one in beside.findings}


LOG = """2026-11-21 10:00:00.000 UTC [7] app@shop LOG:  duration: 0.100 ms  statement: SELECT id FROM orders WHERE customer_id = 5
2026-11-21 10:00:09.000 UTC [7] app@shop LOG:  duration: 0.100 ms  statement: SELECT id FROM orders WHERE id = 6
"""


def test_a_query_of_a_log_is_judged_at_the_line_of_the_log(project: Path):
    (project / "server.log").write_text(LOG)
    (finding,) = run(project, "server.log").findings
    assert (finding.rule, finding.line, finding.calls, finding.places) == ("missing-index-filter", 1, 1, ())
    assert finding.path.endswith("server.log")
    assert "app@" not in finding.excerpt
    assert "5" not in finding.excerpt


def totals(*rows: tuple[str, int, int]) -> str:
    return "query,calls,rows,total_exec_time\n" + "".join(f'"{sql}",{calls},{count},1\n' for sql, calls, count in rows)


LIST, LOOK_UP = "SELECT id FROM customers WHERE email LIKE $1", "SELECT id FROM orders WHERE customer_id = $1 AND total IS NOT NULL"


def test_calls_as_many_as_rows_are_advice_of_one_export_and_a_warning_of_two(project: Path):
    (project / "001.csv").write_text(totals((LIST, 90, 900), (LOOK_UP, 899, 1_000)))
    (project / "002.csv").write_text(totals((LIST, 200, 2_000), (LOOK_UP, 1_997, 2_400)))
    for files, severity in ((("001.csv",), "advice"), (("002.csv", "001.csv"), "warning")):
        found = [one for one in run(project, *files).findings if one.rule == "calls-follow-rows"]
        assert [(str(one.severity), one.line, one.table) for one in found] == [(severity, 3, "orders")]
    assert found[0].calls == 1_997 - 899


def test_numbers_that_agreed_by_chance_do_not_agree_again(project: Path):
    (project / "001.csv").write_text(totals((LIST, 90, 900), (LOOK_UP, 899, 1_000)))
    (project / "002.csv").write_text(totals((LIST, 200, 2_000), (LOOK_UP, 3_000, 3_400)))
    assert "calls-follow-rows" not in {one.rule for one in run(project, "001.csv", "002.csv").findings}


def test_of_two_exports_is_listed_what_was_executed_between_them(project: Path):
    (project / "001.csv").write_text(totals((LIST, 90, 900), (LOOK_UP, 900, 1_000), ("SELECT 1", 5, 5), ("COMMIT", 7, 0)))
    (project / "002.csv").write_text(totals((LIST, 90, 900), (LOOK_UP, 1_000, 1_100), ("SELECT 1", 9, 9), ("COMMIT", 9, 0)))
    listed = list_queries(Config.load(project, {"cache": False}), [str(project / "001.csv"), str(project / "002.csv")])
    assert [(one.sql, one.calls, one.rows) for one in listed.shapes] == [(LOOK_UP, 100, 100)]
    assert any("between" in note for note in listed.notes)
    assert "100 calls  " in render_text(listed)


def test_exports_of_two_servers_are_added_up(project: Path):
    (project / "one.csv").write_text(totals((LIST, 90, 900), (LOOK_UP, 70, 70)))
    (project / "two.csv").write_text(totals((LIST, 10, 100), (LOOK_UP, 400, 400)))
    listed = list_queries(Config.load(project, {"cache": False}), [str(project / "one.csv"), str(project / "two.csv")])
    assert sorted(one.calls for one in listed.shapes) == [100, 470]


def test_the_numbers_of_a_server_stand_for_those_of_a_capture(project: Path):
    (project / "001.csv").write_text(totals((CHILD.replace("%s", "$1"), 5_000, 9_000)))
    listed = list_queries(Config.load(project, {"cache": False}), [str(project / ".dbguard"), str(project / "001.csv")])
    (told,) = [one for one in listed.shapes if "total FROM orders" in one.sql]
    assert (told.calls, told.rows, [place.line for place in told.places]) == (5_000, 9_000, [12])


def test_the_list_of_shapes_follows_its_schema(project: Path) -> None:
    listed = list_queries(Config.load(project, {"cache": False}), [str(project / ".dbguard")])
    document = json.loads(render_json(listed))
    Draft202012Validator(json.loads((ROOT / "docs/schemas/queries.json").read_text())).validate(document)
    first, second = document["shapes"]
    assert (first["calls"], first["units"], first["rows"], first["sql"]) == (3, 1, 6, CHILD)
    assert "query-per-row" in first["findings"]
    assert second["sql"] == PARENT
    assert "3 calls in 1 unit of work" in render_text(listed)


def test_query_files_are_listed_too(project: Path) -> None:
    (project / "queries.sql").write_text("-- name: All :many\nSELECT id FROM orders;\n")
    listed = list_queries(Config.load(project, {"cache": False}), [str(project / "queries.sql")])
    assert [(one.calls, "unbounded-read" in one.findings) for one in listed.shapes] == [(0, True)]


def test_what_cannot_be_listed_is_an_error(project: Path) -> None:
    (project / "notes.log").write_text("hello\n")
    with pytest.raises(UnreadableSource):
        list_queries(Config.load(project, {"cache": False}), [str(project / "notes.log")])
