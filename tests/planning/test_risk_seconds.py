"""What a plan touches: rows that scans read, told by their cost, and work that LIMIT, Memoize, workers and caches change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dbguard.planning.measures import measures
from dbguard.planning.plans import of_json
from dbguard.planning.risk_reads import Access, Index, Tables, conditions, distinct_pages, searches, tables_of
from dbguard.planning.risk_seconds import WEIGHTS, cached_seconds, touched
from tests.planning.test_risk_plans import node, plan

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, jumping int NOT NULL, many int NOT NULL, kind int NOT NULL, body text NOT NULL);
INSERT INTO t SELECT i, (i::bigint * 7919 % 100003)::int, i / 20, i % 10, repeat('b', 60) FROM generate_series(1, 100000) i;
CREATE INDEX t_jumping ON t (jumping);
CREATE INDEX t_many ON t (many);
CREATE INDEX t_brin ON t USING brin (id) WITH (pages_per_range = 16);
CREATE TABLE few (n int NOT NULL);
INSERT INTO few SELECT i FROM generate_series(1, 500) i;
"""
FACTS = {"Relation_Name": "t", "Schema": "public"}
TABLES = Tables({"public.t": (1_000_000.0, 20_000.0)}, {("public.t", "a"): 1.0}, {"i": Index("btree", 2745.0)})


@pytest.fixture(scope="module")
def filled(server: Any) -> Iterator[tuple[Any, Tables]]:
    """A connection, and what a snapshot knows of the tables."""
    import psycopg

    from dbguard.postgres.session import open_read_only
    from dbguard.postgres.snapshot import Wishes, take

    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute("CHECKPOINT")  # VACUUM marks pages all-visible once the commit of their rows is on disk
        connection.execute("SET default_statistics_target = 1000")  # ANALYZE reads every row, and finds the same in each run
        connection.execute("VACUUM (ANALYZE)")
        with open_read_only(server.dsn(name)) as reading:
            tables = tables_of(take(reading, Wishes(values="full")))
        yield connection, tables
    server.drop_database(name)


def explain(connection: Any, query: str, *settings: str, analyze: bool = False) -> Any:
    with connection.transaction(force_rollback=True):
        for setting in settings:
            connection.execute(f"SET LOCAL {setting}".encode())
        options = "ANALYZE, TIMING off, SUMMARY off, " if analyze else ""
        return connection.execute(f"EXPLAIN ({options}VERBOSE, FORMAT JSON) {query}".encode()).fetchone()[0]


ONLY_INDEXES = ("enable_seqscan = off", "enable_bitmapscan = off", "max_parallel_workers_per_gather = 0")


@pytest.mark.parametrize(
    "condition",
    ["id BETWEEN 100 AND 30100", "jumping BETWEEN 100 AND 6100", "jumping BETWEEN 100 AND 400", "many BETWEEN 100 AND 1100", "many = 7", "id = 9"],
)
def test_rows_that_a_filter_throws_away_are_read_off_the_cost(filled: tuple[Any, Tables], condition: str) -> None:
    """The server plans the same scan without the filter, and says how many rows that reads."""
    connection, tables = filled
    said = of_json(explain(connection, f"SELECT body FROM t WHERE {condition} AND kind = 3", *ONLY_INDEXES))[0]
    without = of_json(explain(connection, f"SELECT body FROM t WHERE {condition}", *ONLY_INDEXES))[0]
    assert said.root.kind == without.root.kind == "Index Scan"
    assert touched(said, tables)["entry"] == pytest.approx(without.rows, rel=0.1, abs=2)


def test_a_lookup_with_a_filter_in_a_loop_reads_what_its_key_has(filled: tuple[Any, Tables]) -> None:
    """Though the rows of a key lie side by side, where a row more costs next to nothing."""
    connection, tables = filled
    query = "SELECT body FROM few JOIN t ON t.many = few.n WHERE t.kind = 3"
    said = of_json(explain(connection, query, *ONLY_INDEXES, "enable_hashjoin = off", "enable_mergejoin = off", "enable_memoize = off"))[0]
    inner = measures(said)[-1]
    assert (inner.node.kind, inner.times) == ("Index Scan", 500)
    assert touched(said, tables)["entry"] == pytest.approx(500 * 20, rel=0.5)


def test_memoize_asks_once_for_each_key(filled: tuple[Any, Tables]) -> None:
    connection, tables = filled
    query = "SELECT x.body FROM t JOIN t x ON x.id = t.kind WHERE t.id < 50000"
    settings = ("enable_hashjoin = off", "enable_mergejoin = off", "max_parallel_workers_per_gather = 0")
    said = explain(connection, query, *settings)
    assert "Memoize" in str(said)
    descents = touched(of_json(said)[0], tables)["descent"]
    without = touched(of_json(explain(connection, query, *settings, "enable_memoize = off"))[0], tables)["descent"]
    assert descents < 0.1 * without


def test_a_brin_index_leads_to_ranges_of_pages_and_not_to_rows(filled: tuple[Any, Tables]) -> None:
    connection, tables = filled
    said = explain(connection, "SELECT body FROM t WHERE id BETWEEN 1000 AND 6000", "enable_seqscan = off", "enable_indexscan = off")
    brin = of_json(said)[0]
    assert [one.node.kind for one in measures(brin)] == ["Bitmap Heap Scan", "Bitmap Index Scan"]
    found, marked = touched(brin, tables), brin.root.children[0].rows
    assert found["page"] == pytest.approx(marked / 100_000 * tables.sizes["public.t"][1])
    assert found["row"] == pytest.approx(marked)
    assert not {"block", "jump", "fetch"} & set(found)


def test_an_index_only_scan_of_a_table_that_was_written_again_reads_the_table(filled: tuple[Any, Tables]) -> None:
    connection, tables = filled
    query, settings = "SELECT jumping FROM t WHERE jumping BETWEEN 100 AND 3100", (*ONLY_INDEXES, "enable_sort = off")
    visible = touched(of_json(explain(connection, query, *settings))[0], tables)
    with connection.transaction(force_rollback=True):
        connection.execute(b"ALTER TABLE t ALTER COLUMN kind TYPE bigint")
        connection.execute(b"ANALYZE t")
        hidden = touched(of_json(explain(connection, query, *settings))[0], tables)
    assert visible["fetch"] < 0.05 * visible["entry"]
    assert hidden["fetch"] > 0.8 * hidden["entry"]


def test_pages_of_rows_picked_at_random_are_at_most_those_of_the_table() -> None:
    assert distinct_pages(10, 1000) == pytest.approx(10, rel=0.01)
    assert distinct_pages(1e9, 1000) == 1000
    assert (distinct_pages(0, 1000), distinct_pages(10, 0)) == (0, 0)


def test_rows_side_by_side_are_on_fewer_pages() -> None:
    scattered, together = Access(1e6, 2e4, 2745, 0.0), Access(1e6, 2e4, 2745, 1.0)
    assert scattered.pages_with(5000) == pytest.approx(4444, rel=0.01)
    assert together.pages_with(5000) == pytest.approx(100)
    assert (scattered.jumps(5000), together.jumps(5000)) == (5000, 100)


def test_a_table_of_no_rows_and_no_pages_is_no_crash() -> None:
    empty = Access(0, 0, 0, 1.0)
    assert empty.rows_for(100.0) <= 1
    assert empty.pages_with(0) >= 0
    scan = node("Index Scan", 8, 0, Relation_Name="t", Schema="public", Index_Name="i", Index_Cond="(a = 1)", Filter="(b = 1)")
    assert cached_seconds(plan(scan), Tables({"public.t": (0.0, 0.0)})) < 0.001


def test_a_snapshot_of_numbers_that_cannot_be_is_no_crash() -> None:
    from dbguard.model.names import Name
    from dbguard.model.snapshot import ColumnStatistics, Relation, Snapshot

    name = Name("public", "t")
    for tuples, pages, correlation in ((float("nan"), 2**70, 1e300), (float("inf"), -5, float("nan")), (-1.0, 10**400, -7.0)):
        snapshot = Snapshot(
            relations=(Relation(name, "r", pages, tuples), Relation(Name("public", "i"), "i", pages, tuples, method="btree", table=name)),
            columns=(ColumnStatistics(name, "a", correlation=correlation),),
            settings=(("random_page_cost", "nan"), ("work_mem", "lots"), ("hash_mem_multiplier", "1e999")),
        )
        found = tables_of(snapshot)
        scan = node("Index Scan", 8, 3, Relation_Name="t", Schema="public", Index_Name="i", Index_Cond="(a = 1)", Filter="(b = 1)")
        for one in (scan, node("Sort", 9, 3, scan), node("Seq Scan", 8, 3, **FACTS)):
            assert cached_seconds(plan(one), found) > 0


def scan(**facts: Any) -> dict[str, Any]:
    return node("Seq Scan", 32_500, 400_000, **FACTS, **facts)


def test_workers_share_a_scan_and_take_time_to_start() -> None:
    alone = touched(plan(scan()), TABLES)
    shared = touched(plan(node("Gather", 20_000, 1_000_000, scan(Parallel_Aware=True), Workers_Planned=2)), TABLES)
    assert shared["row"] == pytest.approx(alone["row"] / 2.4)
    assert shared["worker"] == 2


def test_what_every_worker_reads_for_itself_is_not_shared() -> None:
    join = node("Hash Join", 30_000, 10, scan(Parallel_Aware=True), node("Hash", 32_500, 10, scan(Parallel_Aware=False)))
    found = touched(plan(node("Gather", 40_000, 10, join, Workers_Planned=2)), TABLES)
    assert found["row"] == pytest.approx(1_000_000 * (1 + 1 / 2.4))


def test_a_sort_below_a_limit_keeps_few_rows() -> None:
    sort = node("Sort", 90_000, 1_000_000, scan(), Parent_Relationship="Outer", Sort_Key=["t.a"])
    sort |= {"Startup Cost": 90_000.0, "Total Cost": 92_500.0}
    limited = touched(plan(node("Limit", 90_000.125, 50, sort)), TABLES)
    assert limited["compare"] < 0.4 * touched(plan(sort), TABLES)["compare"]
    assert "spill" not in limited


def test_a_sort_that_does_not_fit_into_work_mem_is_written_to_a_file() -> None:
    sort = plan(node("Sort", 90_000, 1_000_000, scan(), Sort_Key=["t.a"]))
    assert touched(sort, TABLES)["spill"] > 0
    assert "spill" not in touched(sort, TABLES._replace(settings={"work_mem": "1GB"}))


def test_a_table_larger_than_a_quarter_of_shared_buffers_is_read_from_the_system_each_time() -> None:
    assert touched(plan(scan()), TABLES)["read"] == 20_000
    assert touched(plan(scan()), TABLES._replace(settings={"shared_buffers": "4GB"}))["read"] == 0


def test_a_large_hash_table_is_out_of_the_caches() -> None:
    def found(groups: float) -> dict[str, float]:
        return touched(plan(node("Aggregate", 40_000, groups, scan(), Strategy="Hashed", Output=["a", "sum(b)", "count(*)"])), TABLES)

    assert (found(10)["far"], found(200_000)["far"]) == (0, 400_000)
    assert found(10)["aggregate"] == 800_000


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("(t.a = 1)", 0),
        ("((t.note)::text ~~ '%x%'::text)", 1),
        ("(t.data @> '{}'::jsonb)", 1),
        ("(lower(t.name) = 'x'::text)", 1),
        ("((t.data ->> 'a'::text) = 'b'::text)", 1),
        ("(t.a = ANY ('{1,2}'::integer[]))", 0),
        ("((t.a > 1) AND (t.b < 2))", 0),
        (None, 0),
    ],
)
def test_conditions_that_walk_through_a_value(text: str | None, count: int) -> None:
    assert searches(text) == count


def test_conditions_are_counted() -> None:
    assert [conditions(text) for text in (None, "", "(a = 1)", "((a = 1) AND (b = 2))")] == [0, 0, 1, 2]


def test_every_term_that_is_touched_has_a_weight(explained: list[tuple[str, str, str, Any]]) -> None:
    for *_, document in explained:
        for one in of_json(document):
            assert set(touched(one, TABLES)) <= set(WEIGHTS)
            assert cached_seconds(one, Tables()) > 0
