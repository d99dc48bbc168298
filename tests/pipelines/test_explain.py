"""`dbguard explain` from end to end: plans that were pasted, a database, and a ghost of its snapshot."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from jsonschema import Draft202012Validator
from tests.book import ROOT
from tests.planning.queries import SCHEMA

from dbguard.config import Config
from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.explained import Explanation
from dbguard.model.names import Name
from dbguard.model.snapshot import Activity, StatementTotal
from dbguard.pipelines.explain import Wishes, explain
from dbguard.pipelines.snapshot import snapshot
from dbguard.postgres.session import open_read_only
from dbguard.postgres.snapshot import Wishes as SnapshotWishes
from dbguard.postgres.snapshot import take
from dbguard.reading.snapshots import save
from dbguard.report.explain_json import render as render_json
from dbguard.report.explain_text import render

QUERIES = """-- name: by-status
SELECT id, total FROM orders WHERE status = $1;
-- name: items-of-order
SELECT o.id, i.sku FROM orders o JOIN items i ON i.order_id = o.id WHERE o.id = :id;
-- name: latest
SELECT id, total FROM orders WHERE customer_id = %s ORDER BY placed_at DESC LIMIT 10;
-- name: broken
SELECT nothing FROM orders;
"""
PLAN = """Seq Scan on orders  (cost=0.00..2176.00 rows=1010 width=12) (actual time=0.284..16.867 rows=1000.00 loops=1)
  Filter: (status = 'lost'::text)
  Rows Removed by Filter: 99000
Execution Time: 16.909 ms
"""
SECRET = "secretly lost"


@pytest.fixture(scope="module")
def shop(server: Any) -> Iterator[str]:
    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(SCHEMA)
    yield server.dsn(name)
    server.drop_database(name)


@pytest.fixture(scope="module")
def on_ghost(shop: str, tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    """The queries on the ghost of a snapshot, beside migrations of Alembic."""
    folder = tmp_path_factory.mktemp("project")
    snapshot(shop, folder / "shop.dbguard", SnapshotWishes(statements=0))
    (folder / "queries.sql").write_text(QUERIES)
    return explain(Config.load(folder), ["queries.sql"], Wishes(snapshot="shop.dbguard"))


def on_database(folder: Path, shop: str, *things: str, **wishes: Any) -> Explanation:
    return explain(Config.load(folder), things, Wishes(database=shop, **wishes))


def valid(explanation: Explanation) -> Any:
    found = json.loads(render_json(explanation))
    Draft202012Validator(json.loads((ROOT / "docs/schemas/explain.json").read_text())).validate(found)
    return found


def rules(explanation: Explanation) -> list[list[str]]:
    return [[finding.rule for finding in one.findings] for one in explanation.queries]


def test_a_plan_that_somebody_has_needs_no_server(tmp_path: Path):
    (tmp_path / "slow.txt").write_text(PLAN)
    found = explain(Config.load(tmp_path), (), Wishes(plan="slow.txt"))
    assert rules(found) == [["seq-scan-discards-most-rows"]]
    assert found.exit_code == 0
    text = render(found)
    assert text.startswith("slow.txt:1\nReads all of `orders` (100,000 rows) and returns 1,000 rows, in 17 ms")
    assert "Seq Scan on orders" in text
    assert valid(found)["queries"][0]["plan"]["Node Type"] == "Seq Scan"


def test_a_plan_comes_through_standard_input(tmp_path: Path):
    found = explain(Config.load(tmp_path), (), Wishes(plan="-"), standard_input=PLAN)
    assert rules(found) == [["seq-scan-discards-most-rows"]]


def test_rules_that_are_ignored_say_nothing(tmp_path: Path):
    without = Config.load(tmp_path)._replace(ignore=("plans",))
    assert rules(explain(without, (), Wishes(plan="-"), standard_input=PLAN)) == [[]]


def test_every_query_of_a_file_has_an_entry_with_its_name(tmp_path: Path, shop: str):
    (tmp_path / "queries.sql").write_text(QUERIES)
    found = on_database(tmp_path, shop, "queries.sql")
    told = valid(found)
    assert [one["name"] for one in told["queries"]] == ["by-status", "items-of-order", "latest", "broken"]
    assert [one["line"] for one in told["queries"]] == [2, 4, 6, 8]
    assert told["queries"][3]["plan"] is None
    assert 'column "nothing" does not exist' in told["queries"][3]["unread"]
    assert rules(found)[1] == ["seq-scan-discards-most-rows"]
    assert found.exit_code == 0


def test_values_are_swept_and_never_told(tmp_path: Path, shop: str):
    found = on_database(tmp_path, shop, "SELECT * FROM orders WHERE status = $1 AND total + 0 = 1")
    samples = valid(found)["queries"][0]["parameters"]
    assert len(samples) == 5
    assert len({one["plan"] for one in samples}) > 1
    for text in (render(found), render_json(found)):
        assert SECRET not in text
        assert "delivered" not in text
        assert "pending" not in text


def test_a_column_of_an_enum_is_swept_too(tmp_path: Path, shop: str):
    with psycopg.connect(shop, autocommit=True) as connection:
        connection.execute("CREATE TYPE shade AS ENUM ('light', 'dark', 'grey'); CREATE TABLE shades (id int, shade shade, at inet)")
        connection.execute(
            "INSERT INTO shades SELECT i, (ARRAY['light', 'light', 'dark', 'grey']::shade[])[1 + i % 4], '10.0.0.1' FROM generate_series(1, 3000) i"
        )
        connection.execute("ANALYZE shades")
    try:
        (one,) = on_database(tmp_path, shop, "SELECT * FROM shades WHERE shade = $1 AND at = $2").queries
        assert one.unread == ""
        assert len(one.samples) == 4
    finally:
        with psycopg.connect(shop, autocommit=True) as connection:
            connection.execute("DROP TABLE shades; DROP TYPE shade")


def test_a_table_that_was_never_analyzed_or_is_empty_is_named(tmp_path: Path, shop: str):
    with psycopg.connect(shop, autocommit=True) as connection:
        connection.execute("CREATE TABLE fresh AS SELECT i AS id FROM generate_series(1, 3000) i; CREATE TABLE hollow (id int)")
    try:
        tables = ("fresh", "items", "hollow")
        fresh, known, hollow = on_database(tmp_path, shop, *(f"SELECT * FROM {table} WHERE id = 3" for table in tables)).queries
        assert hollow.assumes == ("`hollow` is empty here: rows and costs say nothing of how it will be",)
        assert fresh.assumes == ("`fresh` was never analyzed, so rows and costs are a guess: run ANALYZE fresh",)
        assert known.assumes == ()
    finally:
        with psycopg.connect(shop, autocommit=True) as connection:
            connection.execute("DROP TABLE fresh, hollow")


def test_what_is_wrong_for_an_absent_value_alone_is_not_said(tmp_path: Path, shop: str):
    with psycopg.connect(shop, autocommit=True) as connection:
        connection.execute("CREATE TABLE kinds AS SELECT i AS id, 'kind ' || i % 3 AS kind, i % 100 AS age FROM generate_series(1, 20000) i")
        connection.execute("ANALYZE kinds")
    try:
        kind, age = on_database(tmp_path, shop, "SELECT id FROM kinds WHERE kind = $1", "SELECT id FROM kinds WHERE age = $1").queries
        assert [sample.absent for sample in kind.samples] == [False, False, False, False, True]
        assert kind.findings == ()
        assert [finding.rule for finding in age.findings] == ["seq-scan-discards-most-rows"]
    finally:
        with psycopg.connect(shop, autocommit=True) as connection:
            connection.execute("DROP TABLE kinds")


def test_a_partitioned_table_has_its_name_whatever_its_alias(tmp_path: Path, shop: str):
    every, one = on_database(tmp_path, shop, "SELECT * FROM events e WHERE kind = 'k1'", "SELECT * FROM events_2020 e WHERE kind = 'k1'").queries
    assert every.sentence.startswith("reads all of `events` in 5 partitions (5,000 rows")
    assert one.sentence.startswith("reads all of `events_2020` (")
    snapshot(shop, tmp_path / "shop.dbguard", SnapshotWishes(statements=0))
    ghostly = explain(Config.load(tmp_path), ["SELECT * FROM events e WHERE kind = 'k1'"], Wishes(snapshot="shop.dbguard", grow=False)).queries[0]
    assert ghostly.sentence.startswith("reads all of `events` in 5 partitions (5,000 rows")


def test_choices_that_cost_the_same_are_one_line(tmp_path: Path, shop: str):
    same = render(on_database(tmp_path, shop, "SELECT * FROM customers WHERE name = $1"))
    assert "values    the same plan at the same cost for 3 choices of values\n\n" in same
    other = render(on_database(tmp_path, shop, "SELECT * FROM orders WHERE status = $1"))
    assert "different plans for 5 choices of values; cost:\n" in other


def test_a_value_of_the_query_itself_stays(tmp_path: Path, shop: str):
    assert "'pending'" in render(on_database(tmp_path, shop, "SELECT * FROM orders WHERE status = 'pending'"))


def test_analyze_executes_what_reads_and_says_what_it_does_not(tmp_path: Path, shop: str):
    found = on_database(tmp_path, shop, "SELECT count(*) FROM items", "DELETE FROM items", analyze=True)
    assert [one.plan.executed for one in found.queries if one.plan] == [True, False]
    assert any("not executed" in sentence for sentence in found.queries[1].assumes)
    assert "not run   this query writes or locks: it is executed only with --disposable" in render(found)
    assert render(found).count("not run") == 1
    with psycopg.connect(shop) as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (40_000,)


def test_on_a_disposable_copy_changes_are_executed_and_rolled_back(tmp_path: Path, shop: str):
    found = on_database(tmp_path, shop, "DELETE FROM items WHERE id < 100", "SELECT nextval('numbers')", analyze=True, disposable=True)
    plans = [one.plan for one in found.queries if one.plan]
    assert [plan.executed for plan in plans] == [True, True]
    assert plans[0].root.children[0].actual_rows == 99
    with psycopg.connect(shop) as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (40_000,)


def test_a_query_that_cannot_be_planned_ends_with_three(tmp_path: Path, shop: str):
    found = on_database(tmp_path, shop, "SELECT nothing FROM orders")
    assert found.exit_code == 3
    assert "not planned" in render(found)
    assert render(found).endswith("\n\n1 query could not be planned.\n")


def test_what_is_left_to_a_ghost_is_told_where_something_was_found(tmp_path: Path, shop: str):
    scan, lookup = "SELECT sku FROM items WHERE order_id = 5", "SELECT sku FROM items WHERE id = 5"
    assert any("--snapshot FILE" in note for note in on_database(tmp_path, shop, scan).notes)
    assert not any("--snapshot FILE" in note for note in on_database(tmp_path, shop, lookup).notes)
    assert not any("--snapshot FILE" in note for note in on_database(tmp_path, shop, scan, grow=False, advise=False).notes)


def test_a_plan_that_was_cut_off_is_explained_as_far_as_it_goes(tmp_path: Path):
    found = explain(Config.load(tmp_path), (), Wishes(plan="-"), standard_input="Sort  (cost=9.00..9.10 rows=1 width=4)\n  Sort Key: a\n")
    assert found.queries[0].assumes == ("the plan was cut off: a Sort has less input than it needs, and nothing is said of what is missing",)
    assert explain(Config.load(tmp_path), (), Wishes(plan="-"), standard_input=PLAN).queries[0].assumes == ()


@pytest.mark.parametrize("width", [72, 80, 120])
def test_the_report_keeps_to_the_width_of_a_terminal(tmp_path: Path, shop: str, width: int):
    sql = "SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = $1 AND o.status = $2 AND o.note LIKE $3"
    lines = render(on_database(tmp_path, shop, sql, "DELETE FROM nowhere WHERE id = (SELECT max(id) FROM orders)"), width=width).splitlines()
    assert max(map(len, lines)) <= width + 2
    assert max(map(len, lines)) > width - 12


def test_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DBGUARD_DATABASE", raising=False)
    config = Config.load(tmp_path)
    with pytest.raises(UsageError, match="--snapshot"):
        explain(config, ["SELECT 1"])
    with pytest.raises(UsageError, match="neither a file nor a query"):
        explain(config, ["missing.sql"], Wishes(database="x"))
    with pytest.raises(UsageError, match="what shall be explained"):
        explain(config, [], Wishes(database="x"))
    with pytest.raises(UnreadableSource):
        explain(config, [], Wishes(plan="missing.txt"))
    with pytest.raises(UnreadableSource):
        explain(config, ["SELECT 1"], Wishes(snapshot="missing.dbguard"))
    (tmp_path / "binary.sql").write_bytes(b"SELECT \xff\xfe\x00")
    with pytest.raises(UnreadableSource, match="UTF-8"):
        explain(config, ["binary.sql"], Wishes(database="x"))
    (tmp_path / "slow.json").write_text('[{"Plan": {"Node Type": "Seq Scan"}}]')
    (tmp_path / "slow.txt").write_text(PLAN)
    for name in ("slow.json", "slow.txt"):
        with pytest.raises(UsageError, match=rf"holds a plan and no queries: explain it with --plan {name}"):
            explain(config, [name], Wishes(database="x"))
    with pytest.raises(UsageError, match=r"<stdin> holds a plan"):
        explain(config, ["-"], Wishes(database="x"), standard_input=PLAN)
    (tmp_path / "log.txt").write_text("2026-01-01 10:00:00.123 UTC [100] app@shop LOG:  duration: 1.5 ms  statement: SELECT 1\n" * 3)
    with pytest.raises(UsageError, match=r"no file of queries but a log: its name has to end with one of \.jsonl"):
        explain(config, ["log.txt"], Wishes(database="x"))
    (tmp_path / "empty.sql").write_text("-- nothing\n")
    with pytest.raises(UsageError, match=r"no query is in empty\.sql"):
        explain(config, ["empty.sql"], Wishes(database="x"))


def test_a_query_without_blanks_is_a_query(tmp_path: Path, shop: str):
    assert [one.plan is not None for one in on_database(tmp_path, shop, "VALUES(1)", "SELECT(2)").queries] == [True, True]


def test_a_cursor_of_a_log_is_explained(tmp_path: Path, shop: str):
    line = '2026-01-01 10:00:00.123 UTC [100] app@shop LOG:  duration: 1.5 ms  statement: DECLARE "c1" CURSOR FOR SELECT * FROM items WHERE order_id = 4\n'
    (tmp_path / "pg.log").write_text(line)
    (one,) = on_database(tmp_path, shop, "pg.log").queries
    assert [finding.rule for finding in one.findings] == ["seq-scan-discards-most-rows"]


def test_growth_is_known_on_a_ghost(on_ghost: Explanation):
    by_status, items, latest, _ = on_ghost.queries
    assert [one.scale for one in items.growth] == [1.0, 10.0, 100.0]
    assert items.growth[2].cost > 50 * items.growth[0].cost
    assert latest.growth[2].cost < 5 * latest.growth[0].cost
    assert "cost grows in step with `items`" in items.sentence
    assert "however much data there is" in latest.sentence
    assert by_status.growth[0].rows < by_status.growth[1].rows


def test_an_index_is_proposed_after_it_was_tried(on_ghost: Explanation):
    (told,) = on_ghost.queries[1].advice
    assert told.statement.startswith("CREATE INDEX CONCURRENTLY ")
    assert "ON items (order_id" in told.statement
    assert told.cost_after < told.cost_before / 20
    assert 300_000 < told.bytes < 3_000_000
    assert [one.statement for one in on_ghost.advice] == [told.statement]
    assert on_ghost.advice[0].queries == ("items-of-order",)


def test_no_index_is_proposed_for_what_is_served(on_ghost: Explanation):
    assert on_ghost.queries[2].advice == ()
    assert "orders (id" not in str(on_ghost.advice)


def test_the_report_of_a_ghost_is_valid_and_narrow(on_ghost: Explanation):
    valid(on_ghost)
    assert max(map(len, render(on_ghost).splitlines())) <= 102
    assert "\x1b" not in render(on_ghost)
    assert "\x1b[" in render(on_ghost, color=True)


def run(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "DBGUARD_DATABASE"}
    return subprocess.run(
        [sys.executable, "-m", "dbguard", "explain", *arguments], cwd=cwd, input=stdin, capture_output=True, text=True, env=environment, check=False
    )


def test_the_command_line_explains_a_plan(tmp_path: Path):
    done = run("--plan", "-", cwd=tmp_path, stdin=PLAN)
    assert (done.returncode, done.stderr) == (0, "")
    assert "seq-scan-discards-most-rows (warning)" in done.stdout


def test_the_command_line_refuses_what_makes_no_sense(tmp_path: Path):
    assert run("SELECT 1", cwd=tmp_path).returncode == 2
    assert run("SELECT 1", "--plan", "x", "--database", "y", cwd=tmp_path).returncode == 2
    assert run("SELECT 1", "--database", "x", "--disposable", cwd=tmp_path).returncode == 2
    assert run("SELECT 1", "--database", "x", "--budget", "much", cwd=tmp_path).returncode == 2
    assert run("SELECT 1", "--database", "x", "--postgres-bin", "y", cwd=tmp_path).returncode == 2
    done = run("--plan", "-", cwd=tmp_path, stdin="no plan")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_the_command_line_calibrates(tmp_path: Path):
    entry = "LOG:  duration: {ms:.3f} ms  plan:\n\tQuery Text: SELECT 1\n\tSeq Scan on orders  (cost=0.00..{cost:.2f} rows=1 width=1)\n"
    (tmp_path / "pg.log").write_text("".join(entry.format(ms=cost / 40, cost=cost) for cost in range(10, 5000, 50)))
    done = run("--calibrate", "pg.log", "--calibration", "times.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    explained = run("--plan", "-", "--calibration", "times.json", cwd=tmp_path, stdin="Seq Scan on orders  (cost=0.00..4000.00 rows=1 width=1)")
    assert "time      100 ms" in explained.stdout
    (tmp_path / "off.log").write_text("LOG:  duration: 3.000 ms  statement: SELECT 3\n")
    off = run("--calibrate", "off.log", "--calibration", "off.json", cwd=tmp_path)
    assert (off.returncode, "is auto_explain on?" in off.stderr, (tmp_path / "off.json").exists()) == (2, True, False)


def test_a_time_whose_ends_are_written_alike_is_one_figure(tmp_path: Path):
    text = render(explain(Config.load(tmp_path), (), Wishes(plan="-"), standard_input="Seq Scan on orders  (cost=0.00..1.00 rows=1 width=1)"))
    assert "time      under 0.1 ms\n" in text
    longer = render(explain(Config.load(tmp_path), (), Wishes(plan="-"), standard_input="Seq Scan on orders  (cost=0.00..90000.00 rows=1 width=1)"))
    assert re.search(r"time      about \S+ m?s; nine of ten such plans take at most \S+ m?s\n", longer)


def test_many_queries_are_told_that_they_are_not_swept(tmp_path: Path, shop: str):
    (tmp_path / "many.sql").write_text(";\n".join(f"SELECT id FROM orders WHERE customer_id = $1 AND id > {number}" for number in range(51)))
    (tmp_path / "few.sql").write_text("SELECT id FROM orders WHERE customer_id = $1")
    many, few = (on_database(tmp_path, shop, name) for name in ("many.sql", "few.sql"))
    assert [note for note in many.notes if "51 queries" in note] == [
        "these are 51 queries: only of up to 50 at a time is each planned for choices of values"
    ]
    assert not any("at a time" in note for note in few.notes)
    assert many.queries[0].samples == ()
    assert few.queries[0].samples
    assert not any("at a time" in note for note in on_database(tmp_path, shop, "many.sql", sweep=False).notes)


@pytest.fixture(scope="module")
def counted(shop: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Indexes that are advised for a query that is executed so often a day, on a table with so many writes a day."""
    folder = tmp_path_factory.mktemp("counted")
    with open_read_only(shop) as connection:
        taken = take(connection, SnapshotWishes(statements=0))
    sql = "SELECT i.sku FROM items i WHERE i.order_id = 17"

    def explained(calls: int, inserts: int, known: str = "select sku FROM items i WHERE i.order_id = $1") -> Explanation:
        activity = (Activity(Name("public", "items"), inserts=inserts),)
        told = taken._replace(seconds=86_400.0, activity=activity, statements=(StatementTotal(known, calls, 1.0, calls),))
        save(told, folder / "prod.dbguard")
        return explain(Config.load(folder), [sql], Wishes(snapshot="prod.dbguard", grow=False, sweep=False))

    return explained


def test_how_often_a_query_is_executed_comes_from_the_snapshot(counted: Any):
    often = counted(172_800, 0, "select i.sku from items i where i.order_id = $1")
    assert often.queries[0].asked.a_second == 2.0
    assert counted(172_800, 0, "SELECT 1 FROM orders").queries[0].asked.a_second is None


def test_an_index_is_advised_only_if_it_saves_more_than_its_upkeep(counted: Any):
    same = "SELECT i.sku FROM items i WHERE i.order_id = $1"
    assert counted(10_000, 1_000, same).advice
    assert counted(10, 1_000, same).advice
    assert counted(1, 50_000_000, same).advice == ()
    assert counted(100_000, 50_000_000, same).advice
