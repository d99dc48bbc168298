"""The gate on a small shop: what is pending, who waits, which queries fail or get slower, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.planning.risky import SCHEMA, snapshot

from dbguard.config import Config
from dbguard.errors import ConfigError, UnreadableSource, UsageError
from dbguard.model.names import Name
from dbguard.model.snapshot import Applied
from dbguard.model.verdict import Gate, QueryRisk
from dbguard.pipelines.baseline import adopt
from dbguard.pipelines.gate import gate
from dbguard.pipelines.gate_steps import MOST_REFUSED
from dbguard.reading.snapshots import save

QUERIES = """
-- name: orders_of
SELECT * FROM orders WHERE customer_id = $1;
-- name: by_id
SELECT id, status FROM orders WHERE id = $1;
-- name: new_order
INSERT INTO orders (id, customer_id, status) VALUES ($1, $2, $3);
-- name: totals
SELECT sum(total) FROM orders WHERE id = $1;
-- name: country
SELECT name FROM countries WHERE code = $1;
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A folder with migrations; the first one is the schema, and applied."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def make(*pending: str, toml: str = "", queries: str = QUERIES) -> Path:
        folder = tmp_path / "migrations"
        folder.mkdir(exist_ok=True)
        for number, text in enumerate((SCHEMA, *pending), start=1):
            (folder / f"{number:03}_change.up.sql").write_text(text)
        (tmp_path / "queries.sql").write_text(queries)
        (tmp_path / "dbguard.toml").write_text(toml)
        return tmp_path

    return make


def write_snapshot(folder: Path, *applied: str) -> None:
    found = snapshot()._replace(applied=(Applied("golang-migrate", Name("public", "schema_migrations"), applied),) if applied else ())
    save(found, folder / "prod.dbguard")


def run(*paths: str, **more: Any) -> Gate:
    overrides = {"cache": False, **more.pop("config", {})}
    return gate(Config.load(".", overrides), paths, **more)


def by_name(found: Gate) -> dict[str, QueryRisk]:
    return {one.name: one for one in found.queries}


def test_without_a_snapshot_the_verdict_rests_on_locks_and_says_so(project: Callable[..., Path]) -> None:
    project("CREATE INDEX orders_status_idx ON orders (status);")
    found = run("migrations/002_change.up.sql")
    assert (found.verdict, found.exit_code) == ("stop", 1)
    assert any("rests on locks, rewrites and scans alone" in sentence for sentence in found.assumes)
    assert found.steps[0].seconds is None
    assert found.steps[0].counterfactual == "with the recipe no writes wait for that work"


def test_a_lock_that_is_kept_during_later_work_names_that_work(project: Callable[..., Path]) -> None:
    project("ALTER TABLE orders ADD COLUMN x int;\nCREATE INDEX orders_status_idx ON orders (status);", "SELECT 1;")
    first = run("migrations/002_change.up.sql", "migrations/003_change.up.sql").steps[0]
    assert first.reasons[0].startswith("ACCESS EXCLUSIVE lock on `orders` while it builds `orders_status_idx` later in its transaction (line 2): ")


def test_what_hurts_nobody_is_safe(project: Callable[..., Path]) -> None:
    project("SET lock_timeout = '2s'; CREATE TABLE new (id bigint PRIMARY KEY);")
    found = run("migrations/002_change.up.sql", workload=["queries.sql"])
    assert (found.verdict, found.exit_code, found.findings) == ("safe", 0, ())
    assert {one.verdict for one in found.queries} == {"safe"}


def test_old_code_on_the_new_schema_is_told_with_its_place(project: Callable[..., Path]) -> None:
    project(
        "ALTER TABLE orders DROP COLUMN total;",
        "ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT '';\nALTER TABLE orders ALTER COLUMN channel DROP DEFAULT;",
    )
    found = by_name(run("migrations/002_change.up.sql", "migrations/003_change.up.sql", workload=["queries.sql"]))
    assert found["totals"].changed_by == ("migrations/002_change.up.sql", 1)
    assert found["totals"].places[0][:2] == ("queries.sql", 9)
    assert found["new_order"].breaks == 'null value in column "channel" of relation "orders" violates not-null constraint'
    assert found["new_order"].changed_by == ("migrations/003_change.up.sql", 2)
    assert {one.verdict for name, one in found.items() if name not in {"totals", "new_order"}} == {"safe"}


def test_a_column_with_a_default_breaks_no_insert(project: Callable[..., Path]) -> None:
    project(
        "ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT '';"
        "ALTER TABLE orders ADD COLUMN serial bigint GENERATED ALWAYS AS IDENTITY;"
        "ALTER TABLE orders ADD COLUMN twice bigint NOT NULL GENERATED ALWAYS AS (id * 2) STORED;"
        "ALTER TABLE orders ADD COLUMN free text;"
    )
    assert not by_name(run("migrations/002_change.up.sql", workload=["queries.sql"]))["new_order"].breaks


def test_review_exits_0_unless_asked_otherwise(project: Callable[..., Path]) -> None:
    project("UPDATE orders SET note = 'x' WHERE status = 'y';")
    assert (run("migrations/002_change.up.sql").verdict, run("migrations/002_change.up.sql").exit_code) == ("review", 0)
    assert run("migrations/002_change.up.sql", fail_on="review").exit_code == 1


def test_fail_on_is_read_from_the_configuration(project: Callable[..., Path]) -> None:
    project("UPDATE orders SET note = 'x' WHERE status = 'y';", toml='[gate]\nfail-on = "review"\n')
    assert run("migrations/002_change.up.sql").exit_code == 1


def test_an_unknown_key_of_the_gate_is_named(project: Callable[..., Path]) -> None:
    project(toml="[gate]\nstop-bloked = 3\n")
    with pytest.raises(ConfigError, match=r'unknown key "gate\.stop-bloked" \(did you mean "stop-blocked"'):
        run()


def test_a_snapshot_that_is_not_there_is_named(project: Callable[..., Path]) -> None:
    project()
    with pytest.raises(UnreadableSource, match=r"nowhere\.dbguard"):
        run(config={"snapshot": "nowhere.dbguard"})


def test_a_snapshot_that_does_not_know_what_is_applied_needs_to_be_told(project: Callable[..., Path]) -> None:
    folder = project("ALTER TABLE orders ADD COLUMN x int;")
    write_snapshot(folder)
    with pytest.raises(UsageError, match="give --since REF, or the paths"):
        run(config={"snapshot": "prod.dbguard"})
    assert [step.path for step in run("migrations/002_change.up.sql", config={"snapshot": "prod.dbguard"}).steps] == ["migrations/002_change.up.sql"]


def test_what_is_pending_follows_from_the_snapshot(project: Callable[..., Path]) -> None:
    folder = project("ALTER TABLE orders ADD COLUMN x int;", "ALTER TABLE orders ADD COLUMN y int;")
    write_snapshot(folder, "2")
    found = run(config={"snapshot": "prod.dbguard"})
    assert {step.path for step in found.steps} == {"migrations/003_change.up.sql"}
    assert "prod.dbguard: 2 migrations of migrations applied, 1 pending" in found.notes


def test_a_statement_that_is_no_sql_is_to_be_reviewed(project: Callable[..., Path]) -> None:
    folder = project("SET lock_timeout = '2s'; CREATE TABL new (id bigint PRIMARY KEY);")
    found = run("migrations/002_change.up.sql")
    assert (found.verdict, found.exit_code) == ("review", 0)
    assert found.reasons == ('migrations/002_change.up.sql:1 was not looked at: syntax error at or near "TABL"',)
    assert run("migrations/002_change.up.sql", fail_on="review").exit_code == 1
    (folder / "migrations" / "002_change.up.sql").write_text("SET lock_timeout = '2s'; CREATE TABLE new (id bigint PRIMARY KEY);")
    (folder / "migrations" / "002_change.down.sql").write_text("DROP TABL new;")
    assert run("migrations").verdict == "safe"


def test_down_scripts_are_not_deployed(project: Callable[..., Path]) -> None:
    folder = project("ALTER TABLE orders ADD COLUMN x int;")
    (folder / "migrations" / "002_change.down.sql").write_text("DROP TABLE orders;")
    assert [step.sql for step in run("migrations").steps][-1] == "ALTER TABLE orders ADD COLUMN x int"


def test_a_trace_of_a_copy_replaces_the_estimate(project: Callable[..., Path]) -> None:
    sql = "CREATE INDEX orders_status_idx ON orders (status)"
    folder = project(f"{sql};", toml='[gate]\ncalibration = "trace.json"\n')
    statements = [{"path": "migrations/002_change.up.sql", "line": 1, "sql": sql, "seconds": 0.4, "error": None}]
    (folder / "trace.json").write_text(json.dumps({"version": 1, "statements": statements}))
    write_snapshot(folder, "1")
    found = run(config={"snapshot": "prod.dbguard"})
    assert found.steps[0].seconds is not None
    assert (found.steps[0].seconds.p50, found.steps[0].verdict) == (0.4, "safe")


@pytest.mark.parametrize("text", ["", "[]", '{"statements": 3}', '{"statements": [{"seconds": "x"}]}', "\x00"])
def test_a_broken_trace_is_named(project: Callable[..., Path], text: str) -> None:
    folder = project("ALTER TABLE orders ADD COLUMN x int;", toml='[gate]\ncalibration = "trace.json"\n')
    (folder / "trace.json").write_text(text)
    with pytest.raises(UnreadableSource, match=r"trace\.json: not what"):
        run("migrations/002_change.up.sql")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A shop with a snapshot, five pending migrations and the queries of its application."""
    folder = tmp_path_factory.mktemp("shop")
    pending = (
        "CREATE INDEX orders_status_idx ON orders (status);",
        "ALTER TABLE orders ADD COLUMN channel text;",
        "DROP INDEX orders_customer_id_idx;",
        "ALTER TABLE orders DROP COLUMN total;",
        "ALTER TABLE countries ADD COLUMN zone text;",
    )
    (folder / "migrations").mkdir()
    for number, text in enumerate((SCHEMA, *pending), start=1):
        (folder / "migrations" / f"{number:03}_change.up.sql").write_text(text)
    (folder / "queries.sql").write_text(QUERIES)
    (folder / "dbguard.toml").write_text('snapshot = "prod.dbguard"\n[gate]\nworkload = ["queries.sql"]\nbudgets = { cost = 1000 }\n')
    write_snapshot(folder, "1")
    before = Path.cwd()
    os.chdir(folder)
    cache, os.environ["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME"), str(folder / "cache")
    yield folder
    os.chdir(before)
    os.environ.pop("XDG_CACHE_HOME")
    if cache is not None:
        os.environ["XDG_CACHE_HOME"] = cache


@pytest.fixture(scope="module")
def judged(shop: Path) -> Gate:
    return gate(Config.load(str(shop)))


def test_a_query_that_lost_its_index_is_stopped_with_the_step_and_the_index(judged: Gate) -> None:
    one = by_name(judged)["orders_of"]
    assert one.before is not None
    assert one.after is not None
    assert (one.verdict, one.after.cost > 1000 * one.before.cost) == ("stop", True)
    assert "since migrations/004_change.up.sql:1" in one.reasons[0]
    assert one.reasons[1] == "it does not use `orders_customer_id_idx` any more: it reads all of `orders`"


def test_what_gets_slower_is_told_with_how_it_grows(judged: Gate) -> None:
    points = by_name(judged)["orders_of"].growth
    assert [point.scale for point in points] == [1, 10, 100]
    assert points[0].cost * 5 < points[1].cost < points[2].cost
    assert by_name(judged)["by_id"].growth == ()


def test_a_query_that_fails_is_stopped_in_the_words_of_postgresql(judged: Gate) -> None:
    one = by_name(judged)["totals"]
    assert (one.verdict, one.changed_by) == ("stop", ("migrations/005_change.up.sql", 1))
    assert 'column "total" does not exist' in one.breaks


def test_a_step_answers_for_the_queries_that_fail_or_get_slower_since_it(judged: Gate) -> None:
    by_path = {step.path: step for step in judged.steps}
    dropped = by_path["migrations/004_change.up.sql"]
    assert (dropped.verdict, dropped.reasons[0]) == ("stop", "1 query gets slower since it: queries.sql:3")
    assert by_path["migrations/005_change.up.sql"].reasons[0] == '1 query fails since it: queries.sql:9: column "total" does not exist'
    assert by_path["migrations/003_change.up.sql"].verdict == "safe"


def test_queries_that_nothing_touches_are_safe(judged: Gate) -> None:
    assert {by_name(judged)[name].verdict for name in ("by_id", "country", "new_order")} == {"safe"}


def test_only_what_is_exceeded_is_a_budget(judged: Gate) -> None:
    assert [(one.subject, one.exceeded) for one in judged.budgets] == [("orders_of", True)]


def test_steps_tell_who_waits_and_what_the_recipe_saves(judged: Gate) -> None:
    first = judged.steps[0]
    assert first.verdict == "stop"
    assert first.reasons[0].startswith("SHARE lock on `orders` (48 million rows, 9.2 GB): writes wait for about ")
    assert first.counterfactual.startswith("with the recipe: ")
    assert first.counterfactual.endswith("of blocked writes become 0")


def test_the_last_migration_alone_is_safe(judged: Gate) -> None:
    assert judged.steps[-1].verdict == "safe"


def test_reasons_are_few_and_begin_with_a_place(judged: Gate) -> None:
    assert 0 < len(judged.reasons) <= 3
    assert all(reason.startswith(("migrations/", "queries.sql:")) for reason in judged.reasons)


def test_nothing_changed_is_answered_from_the_cache_and_a_change_is_not(shop: Path, judged: Gate) -> None:
    again = gate(Config.load(str(shop)))
    assert again._replace(seconds=0) == judged._replace(seconds=0)
    assert again.seconds < judged.seconds / 2
    (shop / "queries.sql").write_text(QUERIES + "-- name: more\nSELECT 1 FROM orders;\n")
    changed = gate(Config.load(str(shop)))
    (shop / "queries.sql").write_text(QUERIES)
    assert "more" in by_name(changed)


def test_the_key_of_a_run_is_the_same_in_every_process(shop: Path) -> None:
    code = (
        "from dbguard.config import Config; from dbguard.pipelines.gate_key import key_of; from dbguard.reading import read_all;"
        "config = Config.load('.'); print(key_of(config, read_all(config), ('queries.sql',), ()))"
    )
    keys = {subprocess.check_output([sys.executable, "-c", code], cwd=shop, env={**os.environ, "PYTHONHASHSEED": seed}) for seed in ("1", "2", "3")}
    assert len(keys) == 1


def test_every_plan_of_a_gate_can_be_shown(judged: Gate) -> None:
    from dbguard.report.gate_formats import FORMATS, renderer

    for form in FORMATS:
        assert "orders" in renderer(form)(judged)


def test_a_statement_that_the_ghost_refuses_is_left_out_and_named(project: Callable[..., Path]) -> None:
    pending = (
        "SELECT no_such_function();",
        "CREATE EXTENSION no_such_extension;",
        "DROP INDEX orders_customer_id_idx;\nALTER TABLE orders DROP COLUMN total;",
    )
    folder = project(*pending, toml='snapshot = "prod.dbguard"\n[gate]\nworkload = ["queries.sql"]\n')
    write_snapshot(folder, "1")
    found = run()
    told = [note for note in found.notes if "was left out where queries are planned" in note]
    assert [note.partition(" ")[0] for note in told] == ["migrations/002_change.up.sql:1", "migrations/003_change.up.sql:1"]
    assert "no_such_function() does not exist" in told[0]
    assert (found.exit_code, by_name(found)["orders_of"].changed_by) == (1, ("migrations/004_change.up.sql", 1))
    assert 'column "total" does not exist' in by_name(found)["totals"].breaks


def test_where_the_ghost_takes_nothing_names_are_looked_up(project: Callable[..., Path]) -> None:
    refused = "".join(f"SELECT no_such_{number}();\n" for number in range(MOST_REFUSED + 1))
    folder = project(refused + "ALTER TABLE orders DROP COLUMN total;", toml='snapshot = "prod.dbguard"\n[gate]\nworkload = ["queries.sql"]\n')
    write_snapshot(folder, "1")
    found = run()
    assert any("queries were planned before the pending migrations alone" in note for note in found.notes)
    assert by_name(found)["totals"].changed_by == ("migrations/002_change.up.sql", MOST_REFUSED + 2)
    assert by_name(found)["by_id"].verdict == "safe"


def test_what_does_not_plan_is_named_and_its_names_are_looked_up(project: Callable[..., Path]) -> None:
    queries = """
-- name: near
SELECT id FROM orders WHERE st_dwithin(status, $1);
-- name: sum_near
SELECT sum(total) FROM orders WHERE st_dwithin(status, $1);
-- name: other
SELECT id FROM elsewhere.things;
"""
    folder = project("ALTER TABLE orders DROP COLUMN total;", toml='snapshot = "prod.dbguard"\n[gate]\nworkload = ["queries.sql"]\n', queries=queries)
    write_snapshot(folder, "1")
    found = run()
    assert {name: bool(one.unplanned) for name, one in by_name(found).items()} == {"near": True, "sum_near": True, "other": True}
    assert (by_name(found)["near"].verdict, by_name(found)["other"].verdict) == ("safe", "safe")
    assert by_name(found)["sum_near"].changed_by == ("migrations/002_change.up.sql", 1)
    told = [note for note in found.notes if note.startswith("not planned")]
    assert len(told) == 2
    assert "queries.sql:3, queries.sql:5: function st_dwithin(text, unknown) does not exist" in told[0]
    assert told[1].endswith('queries.sql:7: relation "elsewhere.things" does not exist')


def test_a_shape_that_does_not_plan_is_no_failure_by_itself(project: Callable[..., Path]) -> None:
    folder = project(
        toml='snapshot = "prod.dbguard"\n[gate]\nworkload = ["queries.sql"]\n',
        queries="-- name: far\nSELECT st_x(status) FROM orders WHERE id = $1;\n",
    )
    write_snapshot(folder, "1")
    found = run()
    assert (found.verdict, found.exit_code, by_name(found)["far"].unplanned != "") == ("safe", 0, True)


def test_rows_that_a_condition_reaches_are_the_planners(project: Callable[..., Path]) -> None:
    folder = project("UPDATE orders SET note = 'x' WHERE id < 1000;", toml='snapshot = "prod.dbguard"\n')
    bounds = "{" + ",".join(str(number * 480_000) for number in range(101)) + "}"
    known = snapshot()
    columns = [one._replace(histogram_bounds=bounds) if one.column == "id" else one for one in known.columns]
    save(known._replace(columns=tuple(columns), applied=(Applied("golang-migrate", Name("public", "t"), ("1",)),)), folder / "prod.dbguard")
    step = run().steps[0]
    assert step.verdict == "safe", step.reasons


def test_rows_of_a_column_that_is_still_to_come_are_all_rows(project: Callable[..., Path]) -> None:
    """No planner knows that it holds nothing yet."""
    folder = project("ALTER TABLE orders ADD COLUMN x text;", "UPDATE orders SET x = '' WHERE x IS NULL;", toml='snapshot = "prod.dbguard"\n')
    write_snapshot(folder, "1")
    step = run().steps[-1]
    assert (step.verdict, "it changes 48 million rows" in step.reasons[0]) == ("review", True)


def test_the_version_of_production_is_that_of_the_snapshot(project: Callable[..., Path]) -> None:
    folder = project("ALTER TABLE orders ADD COLUMN x int;", toml='snapshot = "prod.dbguard"\n')
    write_snapshot(folder, "1")
    major = snapshot().major
    assert run().postgres == (major, major)
    assert run(config={"postgres": "14..16"}).postgres == (14, 16)


def test_what_queries_cost_is_recorded_and_how_far_that_moved_is_told(project: Callable[..., Path]) -> None:
    toml = 'snapshot = "prod.dbguard"\nbaseline = "known.json"\n[gate]\nworkload = ["queries.sql"]\n'
    folder = project(toml=toml)
    write_snapshot(folder, "1")
    adopted = adopt(Config.load(".", {"cache": False}), ["queries.sql"])
    (folder / "known.json").write_text(adopted.baseline.text())
    assert len(adopted.baseline.costs) == 5
    assert run().budgets == ()
    project("DROP INDEX orders_customer_id_idx;", toml=toml)
    found = run()
    (moved,) = found.budgets
    before = by_name(found)["orders_of"].before
    assert before is not None
    assert (moved.name, moved.subject, moved.recorded, moved.exceeded) == ("cost", "orders_of", round(before.cost, 2), False)


def test_without_a_snapshot_a_baseline_has_no_costs(project: Callable[..., Path]) -> None:
    project()
    assert adopt(Config.load(".", {"cache": False}), ["queries.sql"]).baseline.costs == {}


def test_what_could_not_be_looked_at_is_never_safe(project: Callable[..., Path]) -> None:
    folder = project("SELECT 1;")
    (folder / "migrations" / "003_change.up.sql").write_bytes(b"ALTER TABLE orders ADD COLUMN x int;\x00")
    found = run("migrations/003_change.up.sql")
    assert (found.verdict, found.exit_code) == ("review", 3)
    assert found.reasons[0].startswith("migrations/003_change.up.sql:1 was not looked at: contains NUL bytes")
