"""Work in units, and seconds from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbguard.model.state import EndOfScript, EndOfTransaction
from dbguard.planning.lock_time import COSTS, SPREAD, Calibration, calibrate, seconds, work_of
from dbguard.planning.risk_rows import selectivity
from dbguard.planning.risk_sizes import Sizes
from tests.planning.risky import public, snapshot, steps

MEASURED = Path(__file__).parents[2] / "benchmarks" / "lock_time.json"


def work(sql: str, rows: float = 10_000_000, expected: float | None = None):  # type: ignore[no-untyped-def]
    found = [step for step in steps(sql, transaction="none") if not isinstance(step.operation, EndOfScript | EndOfTransaction)]
    last = [step for step in found if step.statement is found[-1].statement]
    return work_of(last, Sizes(snapshot(rows)), expected)


def p50(sql: str, rows: float = 10_000_000) -> float:
    estimate = seconds(work(sql, rows))
    assert estimate is not None
    return estimate.p50


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        ("ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,4)", "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0)"),
        ("ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0)", "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID"),
        ("CREATE INDEX ON orders (status)", "CREATE INDEX ON orders (id)"),
        ("CREATE INDEX ON orders USING gin (to_tsvector('simple', note))", "CREATE INDEX ON orders (note)"),
        ("CREATE INDEX ON orders (customer_id)", "CREATE INDEX ON orders (customer_id) WHERE status = 'x'"),
        ("CREATE INDEX ON orders (status)", "CREATE INDEX ON orders USING brin (status)"),
        ("UPDATE orders SET note = 'x'", "UPDATE orders SET note = 'x' WHERE status = 'y'"),
        ("UPDATE orders SET note = 'x'", "DELETE FROM orders"),
        ("ALTER TABLE orders ADD COLUMN u uuid DEFAULT gen_random_uuid()", "ALTER TABLE orders ADD COLUMN u uuid"),
        ("CREATE INDEX CONCURRENTLY ON orders (customer_id)", "CREATE INDEX ON orders (customer_id)"),
    ],
)
def test_more_work_takes_longer(longer: str, shorter: str) -> None:
    assert p50(longer) > p50(shorter) * 1.05


def test_ten_times_the_rows_take_about_ten_times_as_long() -> None:
    for sql in ("ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,4)", "CREATE INDEX ON orders (customer_id)", "UPDATE orders SET note = 'x'"):
        assert 9 < p50(sql, 100_000_000) / p50(sql, 10_000_000) < 15


def test_several_constraints_of_one_statement_are_verified_in_one_scan() -> None:
    one = work("ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0)")
    two = work("ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0), ADD CONSTRAINT d CHECK (id > 0)")
    assert one.read == two.read


def test_a_rewrite_reads_the_table_once_and_builds_its_indexes() -> None:
    found = work("ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,4), ALTER COLUMN note SET NOT NULL")
    assert [part.kind for part in found.parts] == ["rewrite", "index", "index"]


def test_a_foreign_key_check_reads_both_tables() -> None:
    found = work("ALTER TABLE orders ADD FOREIGN KEY (total) REFERENCES customers (id)")
    assert {part.kind for part in found.parts} <= {"foreign key"}
    keyed = work("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id)")
    assert [part.kind for part in keyed.parts] == ["foreign key"]
    assert keyed.unknown == ()


def test_deleting_rows_that_are_referenced_without_an_index_reads_the_other_table_for_each() -> None:
    linked = "ALTER TABLE countries ADD COLUMN customer_id bigint REFERENCES customers (id); DELETE FROM customers"
    served = "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID; DELETE FROM customers"
    assert p50(linked) > 0
    assert "trigger fired" in work(served).parts[0].terms
    unserved = "ALTER TABLE orders ADD COLUMN other_id bigint REFERENCES customers (id); DELETE FROM customers"
    assert p50(unserved) > 1_000 * p50(served)


def test_a_table_of_unknown_size_gives_no_seconds() -> None:
    found = [step for step in steps("CREATE INDEX ON orders (status)") if not isinstance(step.operation, EndOfScript | EndOfTransaction)]
    assert seconds(work_of(found, Sizes(None))) is None


def test_a_planners_number_of_rows_is_used_where_there_is_one() -> None:
    few = seconds(work("UPDATE orders SET note = 'x' WHERE total > 5", expected=10))
    many = seconds(work("UPDATE orders SET note = 'x' WHERE total > 5"))
    assert few is not None
    assert many is not None
    assert few.p50 < many.p50 / 5


@pytest.mark.parametrize(
    ("condition", "share"),
    [("status = 'x'", 0.02), ("note IS NULL", 0.9), ("note IS NOT NULL", 0.1), ("status IN ('a', 'b', 'c')", 0.06), ("NOT (status = 'x')", 0.98)],
)
def test_the_share_of_rows_follows_the_statistics(condition: str, share: float) -> None:
    found = steps(f"DELETE FROM orders WHERE {condition}")[0].operation
    assert selectivity(found.where.tree, public("orders"), Sizes(snapshot()))[0] == pytest.approx(share)  # type: ignore[union-attr]


def test_calibration_takes_the_middle_and_no_instant_statements() -> None:
    pairs = [("index", 1.0, 2.0), ("index", 2.0, 4.2), ("index", 4.0, 7.6), ("scan", 1.0, 1.0), ("moment", 0.003, 0.0001)]
    found = calibrate(pairs)
    assert found is not None
    assert found.pairs == 4
    assert found.by_kind["index"] == pytest.approx(2.0, rel=0.05)
    assert calibrate([("moment", 0.003, 0.0001)]) is None


def test_a_calibrated_machine_changes_the_estimate() -> None:
    one = work("CREATE INDEX ON orders (status)")
    plain, slow = seconds(one), seconds(one, Calibration(factor=3.0))
    assert plain is not None
    assert slow is not None
    assert slow.p50 == pytest.approx(3 * plain.p50)
    assert plain.p90 == pytest.approx(SPREAD * plain.p50)


def test_the_model_holds_what_its_page_says_on_measured_operations() -> None:
    from benchmarks.lock_time import HELD_OUT, works

    assert set(json.loads(MEASURED.read_text())) & set(HELD_OUT)
    found = [(estimate, took) for table, _, one, took in works() if table in HELD_OUT and took >= 0.05 and (estimate := seconds(one)) is not None]
    within = sum(0.5 <= estimate.p50 / took <= 2 for estimate, took in found)
    covered = sum(took <= estimate.p90 for estimate, took in found)
    assert len(found) >= 20
    assert within / len(found) >= 0.85
    assert covered / len(found) >= 0.85


def test_every_cost_is_a_time_of_one_unit() -> None:
    assert all(0 < cost < 0.01 for cost in COSTS.values())
