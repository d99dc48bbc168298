"""Exceptions in the code that sends queries: what they allow, and what is told about those that allow nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbguard.config import Config
from dbguard.pipelines.check import check
from dbguard.pipelines.workload import judge_capture

ALLOW = "dbguard: allow query-per-row - four stores at most"
LOOP = """from shop.data import orders


def totals(cursor):
    found = []
    for order in orders(cursor):
        cursor.execute("SELECT sum(q) FROM items WHERE order_id = %s", (order.id,))
        found.append(cursor.fetchone())
    return found
"""
SENT = "        cursor.execute("


def capture(folder: Path, *, path: str = "app.py", line: int = 7, times: int = 3, root: Path | None = None) -> str:
    lines = [
        {"line": "header", "dbguard": "capture", "version": 1, "capture": "c", "process": 1, "root": str(root or folder)},
        {"line": "text", "text": 1, "sql": "SELECT id FROM orders"},
        {"line": "text", "text": 2, "sql": "SELECT sum(q) FROM items WHERE order_id = %s"},
        {"line": "stack", "stack": 1, "frames": [["shop/data.py", 3, "orders"], [path, line - 1, "totals"]]},
        {"line": "stack", "stack": 2, "frames": [[path, line, "totals"]], "loop": 0},
        {"line": "unit", "unit": 1, "name": "GET /totals", "kind": "request"},
        {"line": "connection", "connection": 1, "driver": "psycopg"},
        {
            "line": "call",
            "call": 1,
            "text": 1,
            "stack": 1,
            "unit": 1,
            "connection": 1,
            "started": 1.0,
            "rows": 3,
            "results": [["id", ["a", "b", "c"]]],
        },
        *[
            {"line": "call", "call": n + 2, "text": 2, "stack": 2, "unit": 1, "connection": 1, "started": 2.0 + n, "rows": 1, "parameters": [key]}
            for n, key in enumerate("abc"[:times])
        ],
        {"line": "end", "calls": 4, "errors": {}},
    ]
    written = folder / "capture.jsonl"
    written.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return str(written)


def said(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, **asked: object) -> tuple[list[tuple[str, int]], int]:
    """Rules and lines of what is told about a file, and how much was allowed."""
    (folder / "app.py").write_text(text)
    monkeypatch.chdir(folder)
    result = judge_capture([capture(folder, **asked)], Config.load(folder))  # type: ignore[arg-type]
    return [(one.rule, one.line) for one in result.findings], result.summary.allowed


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (LOOP.replace(SENT, f"        # {ALLOW}\n{SENT}"), 8),
        (LOOP.replace("(order.id,))", f"(order.id,))  # {ALLOW}"), 7),
        (LOOP.replace("    for order", f"    # {ALLOW}\n    for order"), 8),
        (LOOP.replace("orders(cursor):\n", f"orders(cursor):  # {ALLOW}\n"), 7),
        (LOOP.replace("def totals", f"# {ALLOW}\ndef totals"), 8),
        (LOOP.replace("def totals", f"@page  # {ALLOW}\ndef totals"), 8),
        (f"# dbguard: allow-file query-per-row - a report for one reader\n{LOOP}", 8),
        (LOOP.replace("execute(", f"execute(  # {ALLOW}\n            "), 7),
    ],
    ids=["above", "behind", "above the loop", "behind the head of the loop", "above the function", "at the decorator", "file", "inside a call"],
)
def test_an_exception_holds_for_its_statement_and_all_inside(where: str, line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert said(tmp_path, monkeypatch, where, line=line) == ([], 1)


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (LOOP.replace("    found = []", f"    # {ALLOW}\n    found = []"), 8),
        (LOOP.replace("    return found", f"    # {ALLOW}\n    return found"), 7),
        (LOOP.replace("        found.append", f"        # {ALLOW}\n        found.append"), 7),
        (LOOP + f"\n\n# {ALLOW}\n", 7),
        (LOOP.replace(SENT, f'        "# {ALLOW}"\n{SENT}'), 8),
        (LOOP.replace(SENT, f"        # {ALLOW.replace('query-per-row', 'offset-growing')}\n{SENT}"), 8),
    ],
    ids=["another statement", "below", "the next statement", "nothing below", "text", "another rule"],
)
def test_an_exception_holds_for_nothing_else(where: str, line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found, allowed = said(tmp_path, monkeypatch, where, line=line)
    assert ("query-per-row", line) in found
    assert allowed == 0


def test_one_that_allows_nothing_is_told_where_its_lines_sent_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = LOOP.replace(SENT, f"        # {ALLOW.replace('query-per-row', 'insert-per-row')}\n{SENT}")
    assert said(tmp_path, monkeypatch, text, line=8) == ([("allow-unused", 7), ("query-per-row", 8)], 0)


def test_one_whose_lines_sent_nothing_or_one_call_is_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    elsewhere = LOOP + f"\n\ndef other(cursor):\n    # {ALLOW}\n    return cursor.execute('SELECT 1')\n"
    assert said(tmp_path, monkeypatch, elsewhere) == ([("query-per-row", 7)], 0)
    once = LOOP.replace(SENT, f"        # {ALLOW}\n{SENT}")
    assert said(tmp_path, monkeypatch, once, line=8, times=1) == ([], 0)


def test_one_without_a_reason_or_past_its_day_allows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    silent = LOOP.replace(SENT, f"        # dbguard: allow query-per-row\n{SENT}")
    assert said(tmp_path, monkeypatch, silent, line=8) == ([("allow-without-reason", 7), ("query-per-row", 8)], 0)
    late = LOOP.replace(SENT, f"        # {ALLOW} until=2020-01-31\n{SENT}")
    assert said(tmp_path, monkeypatch, late, line=8) == ([("allow-expired", 7), ("query-per-row", 8)], 0)


def test_one_about_migrations_is_none_of_this(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = LOOP.replace(SENT, f"        # dbguard: allow create-index-blocking - at night\n{SENT}")
    assert said(tmp_path, monkeypatch, text, line=8) == ([("query-per-row", 8)], 0)


def test_templates_have_comments_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "list.html").write_text(f"{{% for one in all %}}\n{{# {ALLOW} #}}\n<p>{{{{ one.total }}}}</p>\n{{{{ one.name }}}}\n{{% endfor %}}\n")
    monkeypatch.chdir(tmp_path)
    config = Config.load(tmp_path)
    assert judge_capture([capture(tmp_path, path="list.html", line=3)], config).findings == ()
    assert [one.rule for one in judge_capture([capture(tmp_path, path="list.html", line=4)], config).findings] == ["query-per-row"]


def test_dbguard_check_knows_them_too_for_rules_on_single_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = LOOP.replace(SENT, f"        # dbguard: allow query-per-row, filter-without-index - small\n{SENT}")
    (tmp_path / "app.py").write_text(text)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "data.py").write_text(
        "def orders(cursor):\n    # dbguard: allow unbounded-read - all of them\n    return cursor.execute('')\n"
    )
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001.sql").write_text("CREATE TABLE orders (id int PRIMARY KEY);\nCREATE TABLE items (order_id int, q int);\n")
    monkeypatch.chdir(tmp_path)
    config = Config.load(tmp_path, {"schema": "migrations/001.sql"})
    result = check(config, [capture(tmp_path, line=8)])
    rules = {one.rule for one in result.findings}
    assert "query-per-row" not in rules
    assert "unbounded-read" not in rules
    assert result.summary.allowed >= 2


@pytest.mark.parametrize(
    "junk", [b"\xff\xfe\0# dbguard: allow", b"def (:\n# dbguard: allow query-per-row - x\n", b"# dbguard:" * 50_000, b"# dbguard: allow"]
)
def test_files_that_are_no_python_stop_nothing(junk: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "app.py").write_bytes(junk)
    monkeypatch.chdir(tmp_path)
    result = judge_capture([capture(tmp_path)], Config.load(tmp_path))
    assert "query-per-row" in {one.rule for one in result.findings}
    assert result.crashed == ()


def test_paths_of_a_capture_are_shown_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = tmp_path / "backend"
    home.mkdir()
    (home / "app.py").write_text(LOOP.replace(SENT, f"        # {ALLOW}\n{SENT}"))
    for folder, path in ((tmp_path, "backend/app.py"), (home, "app.py"), (tmp_path / "backend" / "sub", "../app.py")):
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        config = Config.load(folder)
        assert judge_capture([capture(tmp_path, line=8, root=home)], config).findings == ()
        found = judge_capture([capture(tmp_path, line=7, root=home)], config).findings
        assert [one.path for one in found if one.rule == "query-per-row"] == [path]


def test_a_capture_of_another_machine_keeps_its_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for root in (Path("/home/runner/work/shop"), Path("/usr"), Path("relative"), Path("/nowhere\0")):
        found = judge_capture([capture(tmp_path, root=root)], Config.load(tmp_path)).findings
        assert [(one.path, one.line) for one in found] == [("app.py", 7)]
