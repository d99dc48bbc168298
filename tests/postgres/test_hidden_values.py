"""What a ghost without values plans: a literal of which it knows nothing as the source plans a parameter, every other as the source does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from dbguard.config import Config
from dbguard.model.explained import Explanation
from dbguard.model.plan import Plan
from dbguard.model.snapshot import Snapshot
from dbguard.pipelines.explain import Wishes, explain, schema_of
from dbguard.pipelines.gate_ghost import ghost_of
from dbguard.planning.hidden_columns import Hidden, hidden_in
from dbguard.postgres.explain import plan, planning, prepared, prepared_on_ghost
from dbguard.postgres.ghost import open_ghost
from dbguard.postgres.session import open_read_only
from dbguard.postgres.snapshot import Wishes as SnapshotWishes
from dbguard.postgres.snapshot import take
from dbguard.reading.snapshots import save
from dbguard.report.explain_text import render
from tests.planning.queries import SCHEMA

MORE = """
CREATE TABLE parcels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text NOT NULL CHECK (state IN ('open', 'sent')), kind text NOT NULL,
  carrier text, grams int NOT NULL, on_day date NOT NULL, place char(8), code uuid, phase text NOT NULL);
INSERT INTO parcels (state, kind, carrier, grams, on_day, place, code, phase) SELECT CASE WHEN i % 50 = 0 THEN 'open' ELSE 'sent' END,
  CASE WHEN i % 100 < 90 THEN 'cardboard box' WHEN i % 100 < 99 THEN 'paper bag' ELSE 'plastic tube' END, 'c' || i % 12, i % 200, '2024-01-01'::date + i % 300, 'p' || i % 7,
  ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, CASE WHEN i % 40 > 1 THEN 'done' WHEN i % 40 = 1 THEN 'todo' ELSE 'lost' END FROM generate_series(1, 20000) i;
CREATE INDEX parcels_kind ON parcels (kind);
CREATE INDEX parcels_carrier ON parcels (carrier);
CREATE INDEX parcels_grams ON parcels (grams);
CREATE INDEX parcels_busy ON parcels (on_day) WHERE phase <> 'done';
CREATE INDEX parcels_code ON parcels (code);
ANALYZE;
"""
OPENED = {
    "SELECT * FROM parcels WHERE kind = 'plastic tube'": "SELECT * FROM parcels WHERE kind = $1",
    "SELECT * FROM parcels WHERE carrier IN ('c1', 'c2')": "SELECT * FROM parcels WHERE carrier IN ($1, $2)",
    "SELECT * FROM parcels WHERE carrier >= 'c3' AND grams = 7": "SELECT * FROM parcels WHERE carrier >= $1 AND grams = 7",
    "SELECT * FROM parcels WHERE carrier LIKE '%3'": "SELECT * FROM parcels WHERE carrier LIKE $1",
    "SELECT * FROM parcels WHERE place = 'p3'": "SELECT * FROM parcels WHERE place = $1",
    "SELECT * FROM parcels WHERE place = 'p3' AND state = 'open'": "SELECT * FROM parcels WHERE place = $1 AND state = 'open'",
    "SELECT count(*) FROM parcels a JOIN parcels b USING (id) WHERE a.kind = 'paper bag'": "SELECT count(*) FROM parcels a JOIN parcels b USING (id) WHERE a.kind = $1",
    "DELETE FROM parcels WHERE carrier = 'c1' AND grams < 20": "DELETE FROM parcels WHERE carrier = $1 AND grams < 20",
    "SELECT * FROM orders WHERE status = 'pending' AND customer_id = $1": "SELECT * FROM orders WHERE status = $2 AND customer_id = $1",
}
UNCHANGED = (
    "SELECT * FROM parcels WHERE state = 'open'",
    "SELECT * FROM parcels WHERE state = 'sent' AND grams = 5",
    "SELECT * FROM parcels WHERE grams = 3 AND on_day > '2024-10-01'",
    "SELECT * FROM parcels WHERE on_day BETWEEN date '2024-03-01' AND date '2024-03-09'",
    "SELECT * FROM parcels WHERE code = '00000000-0000-4000-8000-000000000017'",
    "SELECT * FROM parcels WHERE upper(carrier) = 'C1'",
    "SELECT kind, 'x', CASE kind WHEN 'cardboard box' THEN 1 END FROM parcels WHERE id < 100 ORDER BY 1 LIMIT 5",
    "SELECT * FROM events WHERE at >= '2022-05-01' AND at < '2022-05-03'",
    "SELECT * FROM orders WHERE total > 98 AND placed_at < '2020-02-01'",
    "INSERT INTO parcels (state, kind, grams, on_day, phase) VALUES ('open', 'plastic tube', 1, '2024-01-01', 'lost')",
    "UPDATE parcels SET carrier = 'c1' WHERE id = 5",
)


@pytest.fixture(scope="module")
def source(server: Any) -> Iterator[str]:
    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(SCHEMA + MORE)
    yield server.dsn(name)
    server.drop_database(name)


def taken(source: str, values: str) -> Snapshot:
    with open_read_only(source) as connection:
        return take(connection, SnapshotWishes(values=values, statements=0))


def hidden_of(snapshot: Snapshot) -> Hidden | None:
    return hidden_in(snapshot, schema_of(snapshot))


def on_source(source: str, queries: list[str]) -> list[Plan]:
    with open_read_only(source) as connection, planning(connection):
        return [plan(connection, prepared(connection, sql)) for sql in queries]


def on_ghost(snapshot: Snapshot, queries: list[str]) -> list[tuple[Plan, tuple[str, ...]]]:
    hidden = hidden_of(snapshot)
    with open_ghost(snapshot) as ghost, open_read_only(ghost.dsn()) as connection, planning(connection):
        made = [prepared_on_ghost(connection, sql, hidden) for sql in queries]
        return [(plan(connection, one), one.assumes) for one in made]


@pytest.fixture(scope="module")
def masked(source: str) -> dict[str, tuple[Plan, tuple[str, ...]]]:
    queries = [*OPENED, *UNCHANGED]
    return dict(zip(queries, on_ghost(taken(source, "masked"), queries), strict=True))


@pytest.mark.parametrize("sql", OPENED)
def test_a_masked_ghost_plans_a_word_as_the_source_plans_any(sql: str, source: str, masked: dict[str, tuple[Plan, tuple[str, ...]]]):
    (wanted,) = on_source(source, [OPENED[sql]])
    found, assumes = masked[sql]
    assert (found.root.kind, found.root.index, found.rows, found.cost) == (
        wanted.root.kind,
        wanted.root.index,
        wanted.rows,
        pytest.approx(wanted.cost),
    )
    assert found.sql == sql
    assert len(assumes) == 1
    assert "planned for any value of" in assumes[0]
    assert not re.search(r"'(plastic tube|c\d|paper bag|p\d)'", " ".join(assumes))


@pytest.mark.parametrize("sql", UNCHANGED)
def test_every_other_query_is_planned_as_it_is_written(sql: str, source: str, masked: dict[str, tuple[Plan, tuple[str, ...]]]):
    (wanted,) = on_source(source, [sql])
    found, assumes = masked[sql]
    assert assumes == ()
    assert "$" not in str(found.json)
    assert (found.root.kind, found.root.index, found.rows, found.cost) == (
        wanted.root.kind,
        wanted.root.index,
        wanted.rows,
        pytest.approx(wanted.cost),
    )


def test_a_partial_index_is_used_for_the_word_that_allows_it(source: str):
    sql = "SELECT on_day FROM parcels WHERE phase = 'todo' AND on_day > '2024-10-20'"
    ((found, assumes),) = on_ghost(taken(source, "masked"), [sql])
    assert "parcels_busy" in str(found.json)
    assert assumes == ("how many rows are found in `parcels.phase` is a guess: the snapshot holds no values of it",)


def test_with_all_values_nothing_changes(source: str):
    full = taken(source, "full")
    queries = [sql for sql in OPENED if "$" not in sql]
    assert hidden_of(full) is None
    for (found, assumes), wanted in zip(on_ghost(full, queries), on_source(source, queries), strict=True):
        assert assumes == ()
        assert (found.root.kind, found.rows) == (wanted.root.kind, wanted.rows)


def test_without_values_ranges_are_not_taken_for_empty(source: str):
    none = taken(source, "none")
    sql = "SELECT * FROM parcels WHERE on_day BETWEEN '2024-03-01' AND '2024-03-30'"
    ((found, assumes),) = on_ghost(none, [sql])
    assert found.rows == 100  # 0.005 of 20,000: DEFAULT_RANGE_INEQ_SEL
    assert "`parcels.on_day`" in assumes[0]
    ((found, assumes),) = on_ghost(none, ["SELECT * FROM events WHERE at = '2022-05-01'"])
    assert "events_2022" in str(found.json)
    assert "events_2020" not in str(found.json)
    assert "`events.at` is a guess" in assumes[0]


@pytest.fixture(scope="module")
def explained(source: str, tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    folder = tmp_path_factory.mktemp("project")
    save(taken(source, "masked"), folder / "prod.dbguard")
    queries = ["SELECT * FROM parcels WHERE kind = 'plastic tube'", "SELECT * FROM parcels WHERE state = 'open'"]
    return explain(Config.load(folder), queries, Wishes(snapshot="prod.dbguard", advise=False))


def test_explain_says_what_it_assumed_and_sweeps_ranks(explained: Explanation):
    hidden, known = explained.queries
    assert hidden.assumes == ("planned for any value of `parcels.kind`: the snapshot holds no values of it; `--keep parcels.kind` keeps them",)
    assert any("the most common (90 % of rows)" in word for sample in hidden.samples for word in sample.values)
    assert (known.assumes, known.samples) == ((), ())
    assert hidden.plan is not None
    assert hidden.plan.sql == "SELECT * FROM parcels WHERE kind = 'plastic tube'"
    assert [one.scale for one in hidden.growth] == [1.0, 10.0, 100.0]
    assert hidden.growth[1].rows == pytest.approx(10 * hidden.growth[0].rows, rel=0.01)


def test_no_token_is_shown(explained: Explanation, source: str):
    tokens = {token for one in taken(source, "masked").columns if one.masked for token in re.findall(r"[^{},\"]{3,}", one.most_common_vals or "")}
    assert tokens
    shown = render(explained)
    assert not [token for token in tokens if re.search(rf"(?<![\d,.]){re.escape(token)}(?![\d,.])", shown)]


def test_the_gate_asks_in_the_same_way_before_and_after(source: str):
    snapshot = taken(source, "masked")
    sql = "SELECT * FROM parcels WHERE carrier = 'c1'"
    with ghost_of(snapshot, hidden=hidden_of(snapshot)) as ghost:
        with ghost.before() as ask:
            before = ask(sql)
        with ghost.after(["ALTER TABLE parcels ALTER COLUMN carrier TYPE varchar(20)"]) as ask:
            after = ask(sql)
        with ghost.after(["ALTER TABLE parcels DROP COLUMN carrier"]) as ask:
            gone = ask(sql)
        assert "`parcels.carrier`" in ghost.assumed(sql)[0]
        assert ghost.assumed("SELECT 1") == ()
    assert isinstance(before, Plan)
    assert isinstance(after, Plan)
    assert before.rows > 1000
    assert isinstance(gone, str)
    assert 'column "carrier" does not exist' in gone
