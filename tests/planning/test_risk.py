"""What a statement costs production: who waits, for how long, and when nobody does."""

from __future__ import annotations

import pytest

from dbguard.model.snapshot import Activity
from dbguard.planning.risk_traffic import Sent
from tests.planning.risky import context, judge, public, snapshot, state, steps

INDEX = "CREATE INDEX orders_status_idx ON orders (status);"
READ = Sent("read", "SELECT * FROM orders WHERE customer_id = $1", a_second=1_200.0)
WRITE = Sent("write", "INSERT INTO orders (id, customer_id) VALUES ($1, $2)", a_second=240.0)
OTHER = Sent("other", "SELECT * FROM customers WHERE id = $1", a_second=900.0)


def test_an_index_build_makes_writes_wait_and_no_reads() -> None:
    (one,) = judge(INDEX, snapshot(), READ, WRITE, OTHER)
    assert [waiting.shape for waiting in one.risk.waiting] == ["write"]
    assert one.risk.verdict == "stop"


def test_a_rewrite_makes_reads_and_writes_wait() -> None:
    (one,) = judge("ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,4);", snapshot(), READ, WRITE, OTHER)
    assert {waiting.shape for waiting in one.risk.waiting} == {"read", "write"}
    assert {"reads", "writes"} == set(one.blocked)


def test_who_waits_and_how_long_follows_from_rate_and_time() -> None:
    (one,) = judge(INDEX, snapshot(), WRITE)
    assert one.risk.held is not None
    (waiting,) = one.risk.waiting
    assert waiting.queries == pytest.approx(240 * one.risk.held.p90)
    assert waiting.seconds == pytest.approx(240 * one.risk.held.p90**2 / 2)


def test_a_query_through_a_view_waits_for_its_table() -> None:
    (one,) = judge("ALTER TABLE orders ADD COLUMN x int;", snapshot(), Sent("view", "SELECT count(*) FROM open_orders", a_second=3.0))
    assert [(waiting.shape, waiting.relation) for waiting in one.risk.waiting if waiting.shape] == [("view", "public.orders")]


def test_a_lock_is_held_to_the_end_of_its_transaction() -> None:
    brief, build = judge(f"ALTER TABLE orders ADD COLUMN x int; {INDEX}", snapshot(), READ, WRITE)
    assert brief.risk.held is not None
    assert build.risk.seconds is not None
    assert brief.risk.held.p50 > build.risk.seconds.p50
    assert {waiting.shape for waiting in brief.risk.waiting} == {"read", "write"}
    assert brief.risk.verdict == "stop"


def test_what_an_earlier_step_blocks_already_is_not_counted_again() -> None:
    _, build = judge(f"ALTER TABLE orders ADD COLUMN x int; {INDEX}", snapshot(), READ, WRITE)
    assert build.risk.waiting == ()


def test_what_works_long_under_the_lock_of_an_earlier_statement_is_named_with_it() -> None:
    brief, build, last = judge(f"ALTER TABLE orders ADD COLUMN x int;\n{INDEX}\nALTER TABLE orders ADD COLUMN y int;", snapshot(), READ, WRITE)
    assert [cause.line for cause in brief.causes if cause.kind == "blocked"] == [2]
    assert [(cause.kind, cause.line) for cause in build.causes] == [("works", 1)]
    assert (brief.risk.verdict, build.risk.verdict, last.risk.verdict) == ("stop", "stop", "safe")
    assert build.risk.seconds is not None
    assert build.blocked == dict.fromkeys(("reads", "writes"), build.risk.seconds.p50)


def test_a_statement_that_works_under_its_own_lock_names_no_other() -> None:
    (one,) = judge(INDEX, snapshot(), WRITE)
    assert [cause.line for cause in one.causes] == [0]


def test_statements_of_their_own_hold_nothing_for_each_other() -> None:
    brief, build = judge(f"ALTER TABLE orders ADD COLUMN x int; {INDEX}", snapshot(), READ, WRITE, transaction="none")
    assert brief.risk.held is not None
    assert build.risk.held is not None
    assert brief.risk.held.p90 < 0.1 < build.risk.held.p90
    assert (brief.risk.verdict, build.risk.verdict) == ("safe", "stop")


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX CONCURRENTLY orders_status_idx ON orders (status);",
        "ALTER TABLE orders ADD COLUMN x int NOT NULL DEFAULT 0;",
        "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID;",
        "CREATE TABLE new (id int); CREATE INDEX ON new (id);",
        "CREATE INDEX ON countries (name);",
        "ALTER TABLE countries ALTER COLUMN name SET NOT NULL;",
        "COMMENT ON TABLE orders IS 'x';",
        "UPDATE countries SET name = upper(name);",
        "INSERT INTO countries VALUES ('nl', 'Nederland');",
    ],
)
def test_what_hurts_nobody_is_safe(sql: str) -> None:
    assert {one.risk.verdict for one in judge(sql, snapshot(), READ, WRITE, transaction="none")} == {"safe"}


def test_validating_a_constraint_blocks_nobody_however_long_it_takes() -> None:
    sql = "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT c;"
    _, validate = judge(sql, snapshot(2e9), READ, WRITE, transaction="none")
    assert validate.risk.seconds is not None
    assert validate.risk.seconds.p50 > 60
    assert (validate.risk.verdict, validate.risk.waiting) == ("safe", ())


def test_the_same_index_is_safe_on_few_rows_and_stopped_on_many() -> None:
    verdicts = [judge(INDEX, snapshot(rows), READ, WRITE)[0].risk.verdict for rows in (1_000, 500_000, 300_000_000)]
    assert verdicts == ["safe", "review", "stop"]


def test_a_table_to_which_nobody_was_seen_to_write_is_reviewed_only() -> None:
    idle = snapshot()._replace(activity=tuple(one._replace(inserts=0) for one in snapshot().activity))
    assert judge(INDEX, idle)[0].risk.verdict == "review"


def test_a_configured_small_table_is_not_stopped() -> None:
    assert judge(INDEX, None, small=("orders",))[0].risk.verdict == "safe"
    assert judge(INDEX, snapshot(), small=("public.orders",))[0].risk.verdict == "safe"


def test_without_sizes_work_under_a_lock_is_stopped_and_nothing_is_estimated() -> None:
    (one,) = judge(INDEX, None, WRITE)
    assert (one.risk.verdict, one.risk.seconds, one.risk.read_bytes) == ("stop", None, None)
    assert [cause.kind for cause in one.causes] == ["unknown"]


def test_without_sizes_a_momentary_lock_is_safe() -> None:
    assert judge("ALTER TABLE orders ADD COLUMN x int;", None, READ)[0].risk.verdict == "safe"


def test_without_sizes_a_momentary_lock_before_work_is_not_safe() -> None:
    first, _ = judge("ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1;", None, READ)
    assert (first.risk.verdict, first.risk.held) == ("stop", None)


def test_waiting_for_the_lock_is_limited_by_lock_timeout() -> None:
    without = judge("ALTER TABLE orders ADD COLUMN x int;", snapshot(), READ, longest=840.0)[0]
    with_limit = judge("SET lock_timeout = '2s'; ALTER TABLE orders ADD COLUMN x int;", snapshot(), READ, longest=840.0)[-1]
    assert (without.risk.to_get_lock, with_limit.risk.to_get_lock) == (840.0, 2.0)
    assert ([cause.kind for cause in without.causes], without.risk.verdict) == (["waits"], "review")
    assert with_limit.causes == ()


def test_those_behind_the_waiting_lock_are_counted() -> None:
    (one,) = judge("ALTER TABLE orders ADD COLUMN x int;", snapshot(), READ, longest=60.0)
    assert one.risk.waiting[0].queries == pytest.approx(1_200 * 60, rel=0.01)


def test_a_statement_that_fails_is_stopped() -> None:
    (one,) = judge("ALTER TABLE orders ADD COLUMN x int NOT NULL;", snapshot())
    assert [cause.kind for cause in one.causes] == ["fails"]


def test_an_update_of_many_rows_is_reviewed_with_their_number() -> None:
    (one,) = judge("UPDATE orders SET note = 'x';", snapshot(), WRITE)
    (cause,) = one.causes
    assert (cause.kind, cause.rows, one.risk.verdict) == ("rows", 48_000_000, "review")


def test_an_update_in_batches_is_safe() -> None:
    sql = "UPDATE orders SET note = 'x' WHERE id IN (SELECT id FROM orders WHERE note IS NULL LIMIT 1000);"
    assert judge(sql, snapshot(), WRITE)[0].risk.verdict == "safe"


def test_sizes_follow_a_table_that_is_renamed() -> None:
    _, build = judge("ALTER TABLE orders RENAME TO sales; CREATE INDEX ON sales (status);", snapshot(), WRITE, transaction="none")
    assert build.risk.seconds is not None
    assert build.risk.seconds.p50 > 5


def test_a_table_that_the_snapshot_lacks_is_not_taken_for_small() -> None:
    without = snapshot()._replace(relations=snapshot().relations[1:])
    (one,) = judge(INDEX, without, WRITE)
    assert one.risk.seconds is None
    assert one.risk.verdict == "stop"


def test_a_table_filled_by_the_migration_itself_is_not_taken_for_empty() -> None:
    sql = "CREATE TABLE copy AS SELECT * FROM orders; CREATE INDEX ON copy (status);"
    assert judge(sql, snapshot(), transaction="none")[-1].risk.seconds is None


def test_a_partitioned_table_is_as_large_as_its_partitions() -> None:
    schema = (
        "CREATE TABLE events (id bigint, at date) PARTITION BY RANGE (at);"
        "CREATE TABLE e1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"
        "CREATE TABLE e2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"
    )
    found = snapshot(schema=schema)
    sizes = context(
        found._replace(relations=tuple(one._replace(name=public(name)) for one, name in zip(found.relations, ("e1", "e2"), strict=False)))
    ).sizes
    assert sizes.rows(public("events"), state(schema).schema) == 50_000_000
    assert steps("CREATE INDEX ON events (id);", schema=schema)


def test_dropping_an_index_that_is_scanned_is_reviewed_and_one_that_is_not_is_safe() -> None:
    used = snapshot()._replace(activity=(*snapshot().activity, Activity(public("orders_customer_id_idx"), index_scans=500)))
    (one,) = judge("DROP INDEX orders_customer_id_idx;", used)
    assert [(cause.kind, cause.a_second) for cause in one.causes] == [("index dropped", 0.5)]
    assert judge("DROP INDEX orders_customer_id_idx;", snapshot())[0].causes == ()


def test_dropping_a_table_in_use_is_stopped_and_renaming_it_is_no_drop() -> None:
    assert [cause.kind for cause in judge("DROP VIEW open_orders; DROP TABLE orders;", snapshot())[-1].causes] == ["table dropped"]
    assert judge("ALTER TABLE orders RENAME TO sales;", snapshot())[0].causes == ()


def test_moving_rows_to_a_new_table_counts_the_rows_read() -> None:
    (_, copy) = judge("CREATE TABLE copy (LIKE orders); INSERT INTO copy SELECT * FROM orders;", snapshot(), transaction="none")
    assert copy.risk.seconds is not None
    assert copy.risk.seconds.p50 > 10


def test_a_table_that_the_migration_makes_is_empty_and_so_are_its_indexes() -> None:
    sql = """CREATE TABLE addresses (id bigint PRIMARY KEY, line text); CREATE INDEX ON addresses (line);
    ALTER TABLE orders ADD COLUMN address_id bigint;
    ALTER TABLE orders ADD CONSTRAINT a FOREIGN KEY (address_id) REFERENCES addresses (id);"""
    found = judge(sql, snapshot())
    assert all(one.risk.seconds is not None for one in found)
    assert found[1].risk.seconds.p50 < 0.01  # type: ignore[union-attr]


def test_a_table_that_the_migration_fills_is_of_unknown_size() -> None:
    sql = "CREATE TABLE copies (id bigint); INSERT INTO copies SELECT id FROM orders; CREATE INDEX ON copies (id);"
    assert judge(sql, snapshot())[2].risk.seconds is None


def test_a_column_that_was_just_added_is_null_in_every_row_until_it_is_filled() -> None:
    sql = "ALTER TABLE orders ADD COLUMN x text; UPDATE orders SET x = '' WHERE x IS NULL; UPDATE orders SET x = '' WHERE x IS NULL;"
    _, first, second = judge(sql, snapshot())
    _, some = judge("ALTER TABLE orders ADD COLUMN x text; UPDATE orders SET note = '' WHERE note IS NULL;", snapshot())
    assert first.risk.written_bytes > some.risk.written_bytes > second.risk.written_bytes  # type: ignore[operator]


def test_a_column_with_a_default_is_not_taken_to_be_null() -> None:
    sql = "ALTER TABLE orders ADD COLUMN x text DEFAULT ''; UPDATE orders SET x = 'a' WHERE x IS NULL;"
    null = judge(sql.replace(" DEFAULT ''", ""), snapshot())[1].risk.written_bytes
    assert judge(sql, snapshot())[1].risk.written_bytes < null  # type: ignore[operator]


@pytest.mark.parametrize("known", [True, False])
def test_a_foreign_key_of_a_table_that_was_just_created_checks_nothing(known: bool) -> None:
    """Not even the referenced table is read: a hash join asks its outer side for a row first (ExecHashJoin in nodeHashjoin.c)."""
    sql = "CREATE TABLE parcels (id bigint, order_id bigint); ALTER TABLE parcels ADD FOREIGN KEY (order_id) REFERENCES orders (id);"
    found = judge(sql, snapshot() if known else None, READ, WRITE)
    assert [one.risk.verdict for one in found] == ["safe", "safe"]
    assert found[1].risk.seconds is not None
    assert found[1].risk.seconds.p90 < 0.1


def test_a_foreign_key_of_few_rows_does_not_read_the_many_that_they_reference() -> None:
    column = "ALTER TABLE countries ADD COLUMN order_id bigint;"
    _, few = judge(f"{column} ALTER TABLE countries ADD FOREIGN KEY (order_id) REFERENCES orders (id);", snapshot(), READ, WRITE)
    (many,) = judge("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id);", snapshot(), READ, WRITE)
    assert (few.risk.verdict, many.risk.verdict) == ("safe", "stop")


@pytest.mark.parametrize(
    ("sql", "verdict"),
    [
        ("UPDATE orders SET note = 'x' WHERE id = 7;", "safe"),
        ("UPDATE orders SET note = 'x' WHERE id = 7 AND status = 'new';", "safe"),
        ("DELETE FROM orders WHERE 7 = id;", "safe"),
        ("UPDATE orders SET note = 'x' WHERE id = customer_id;", "review"),
        ("UPDATE orders SET note = 'x' WHERE customer_id = 7;", "review"),
        ("UPDATE orders SET note = 'x' WHERE id = 7 OR status = 'new';", "review"),
        ("UPDATE orders SET note = 'x' WHERE id > 7;", "review"),
    ],
)
def test_without_sizes_one_row_of_a_unique_key_is_known_to_be_one(sql: str, verdict: str) -> None:
    assert [one.risk.verdict for one in judge(sql, None)] == [verdict]


def test_rows_that_are_locked_are_told_with_how_often_somebody_changes_one() -> None:
    change = Sent("change", "UPDATE orders SET status = $1 WHERE id = $2", a_second=72.0)
    (one,) = judge("UPDATE orders SET note = 'x';", snapshot(), READ, WRITE, change)
    (cause,) = [cause for cause in one.causes if cause.kind == "rows"]
    assert cause.a_second == 72.0


def test_a_replica_is_behind_by_what_it_replays_longer_than_the_step_runs() -> None:
    many, few = (judge(sql, snapshot())[0].risk for sql in ("DELETE FROM orders;", INDEX))
    assert many.replica_lag is not None
    assert many.replica_lag > 1
    assert few.replica_lag == 0
    assert judge(INDEX, None)[0].risk.replica_lag is None
