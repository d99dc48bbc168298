"""Plans before and after: slower or not; and INSERTs that leave out what must be given."""

from __future__ import annotations

from typing import Any

import pytest

from dbguard.planning.plans import of_json
from dbguard.planning.risk_breaks import insert_of, left_out, message
from dbguard.planning.risk_plans import change, orphans, same, verdict
from dbguard.planning.risk_reads import Tables
from dbguard.planning.risk_seconds import cached_seconds
from tests.planning.risky import state

TABLES = Tables({"public.orders": (1_000_000.0, 20_000.0)}, {("public.orders", "at"): 1.0})


def node(kind: str, cost: float, rows: float, *children: Any, **facts: Any) -> dict[str, Any]:
    names = {key.replace("_", " "): value for key, value in facts.items()}
    return {"Node Type": kind, "Startup Cost": 0.0, "Total Cost": cost, "Plan Rows": rows, "Plan Width": 8, "Plans": list(children), **names}


def plan(root: dict[str, Any]):  # type: ignore[no-untyped-def]
    return of_json([{"Plan": root}])[0]


SEQ = plan(node("Seq Scan", 32_500, 10, Relation_Name="orders", Schema="public", Filter="(x = 1)"))
INDEX = plan(node("Index Scan", 48, 10, Relation_Name="orders", Schema="public", Index_Name="i", Index_Cond="(x = 1)"))
MANY = plan(node("Index Scan", 30_000, 7_500, Relation_Name="orders", Schema="public", Index_Name="i", Index_Cond="(x = 1)"))


def test_a_lost_index_and_a_table_read_in_full_are_named() -> None:
    found = change(INDEX, SEQ, TABLES)
    assert (found.lost, found.read_in_full, found.other_plan) == (("i",), ("public.orders",), True)
    assert found.slower > 100
    assert verdict(found, 2, 5) == "stop"


def test_the_same_plan_is_the_same() -> None:
    assert same(change(SEQ, SEQ, TABLES))
    assert not same(change(INDEX, SEQ, TABLES))


def test_equal_costs_are_not_equal_times() -> None:
    """7,500 rows through an index cost as much as reading a million in order, and are over ten times as fast in memory."""
    found = change(MANY, SEQ, TABLES)
    assert found.ratio < 1.2
    assert found.slower > 5


def test_a_query_that_is_brief_anyway_is_safe() -> None:
    tiny = Tables({"public.orders": (100.0, 2.0)})
    assert verdict(change(INDEX, plan(node("Seq Scan", 3, 10, Relation_Name="orders", Schema="public")), tiny), 2, 5) == "safe"


def test_a_faster_plan_is_safe() -> None:
    assert verdict(change(SEQ, INDEX, TABLES), 2, 5) == "safe"


def test_what_a_limit_does_not_read_takes_no_time() -> None:
    scan = node("Seq Scan", 32_500, 1_000_000, Relation_Name="orders", Schema="public", Parent_Relationship="Outer")
    limited = plan(node("Limit", 0.33, 10, scan))
    assert cached_seconds(limited, TABLES) < 0.001 < cached_seconds(SEQ, TABLES)


def test_an_inner_index_scan_counts_every_time_it_runs() -> None:
    inner = node("Index Scan", 8, 1, Relation_Name="orders", Schema="public", Index_Name="i", Parent_Relationship="Inner")
    few, many = (
        plan(node("Nested Loop", 9 * rows, rows, node("Seq Scan", rows, rows, Parent_Relationship="Outer"), inner, Join_Type="Inner"))
        for rows in (10, 100_000)
    )
    assert cached_seconds(many, TABLES) > 500 * cached_seconds(few, TABLES)


def test_rows_that_a_filter_throws_away_are_read_all_the_same() -> None:
    """At one cost, an index scan in the order of the table reads many times more rows than one that jumps about."""
    facts = {"Relation_Name": "orders", "Schema": "public", "Index_Name": "i", "Filter": "(tenant = 7)"}
    jumping = plan(node("Index Scan", 500, 50, Index_Cond="(orders.other > 1)", **facts))
    in_order = plan(node("Index Scan", 500, 50, Index_Cond="(orders.at > '2024-05-03 00:00:00+00'::timestamp with time zone)", **facts))
    assert cached_seconds(in_order, TABLES) > 5 * cached_seconds(jumping, TABLES)


def test_what_a_limit_leaves_of_the_outer_side_is_how_often_the_inner_side_runs() -> None:
    inner = node("Index Scan", 8, 1, Relation_Name="orders", Schema="public", Index_Name="i", Parent_Relationship="Inner")
    outer = node("Index Scan", 40_000, 100_000, Relation_Name="orders", Schema="public", Index_Name="j", Parent_Relationship="Outer")
    loop = node("Nested Loop", 900_000, 100_000, outer, inner, Join_Type="Inner", Parent_Relationship="Outer")
    assert cached_seconds(plan(node("Limit", 90, 10, loop)), TABLES) < 0.01 * cached_seconds(plan(loop), TABLES)


def test_a_brief_query_that_is_sent_all_the_time_is_stopped() -> None:
    brief = change(INDEX, SEQ, TABLES)._replace(seconds=0.002, slower=20.0)
    assert (verdict(brief, 2, 5), verdict(brief, 2, 5, a_second=400.0)) == ("review", "stop")


def test_a_table_of_unknown_size_is_weighed_by_cost() -> None:
    assert cached_seconds(SEQ, Tables()) == pytest.approx(0.075, rel=0.1)


def test_an_index_is_an_orphan_when_its_last_user_is_gone() -> None:
    assert orphans([INDEX, SEQ], [SEQ, SEQ]) == ("i",)
    assert orphans([INDEX, MANY], [SEQ, MANY]) == ()


AFTER = "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, a int NOT NULL, b text NOT NULL DEFAULT '', c int, d int NOT NULL GENERATED ALWAYS AS (a) STORED)"
BEFORE = "CREATE TABLE t (id bigint, a int, b text, c int)"


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("INSERT INTO t (id, b) VALUES ($1, $2)", "a"),
        ("INSERT INTO t DEFAULT VALUES", "a"),
        ("INSERT INTO t (b) SELECT name FROM others", "a"),
        ("INSERT INTO t (c) VALUES (%s) RETURNING id", "a"),
        ("INSERT INTO t (a) VALUES ($1)", None),
        ("INSERT INTO t VALUES (1, 2, 'x', 3)", None),
        ("SELECT 'insert into t'", None),
        ("UPDATE t SET c = 1", None),
        ("insert into (", None),
        ("", None),
    ],
)
def test_an_insert_without_a_column_that_must_be_given(sql: str, column: str | None) -> None:
    insert = insert_of(sql)
    found = None if insert is None else left_out(insert, state(BEFORE), state(AFTER))
    assert found == column


def test_what_failed_before_is_not_the_changes_fault() -> None:
    insert = insert_of("INSERT INTO t (b) VALUES ($1)")
    assert insert is not None
    assert left_out(insert, state(AFTER), state(AFTER)) is None


def test_the_message_is_postgresqls() -> None:
    insert = insert_of("INSERT INTO t (b) VALUES ($1)")
    assert insert is not None
    assert message("a", insert, state(AFTER)) == 'null value in column "a" of relation "t" violates not-null constraint'


def test_the_message_is_the_servers(database: str) -> None:
    import psycopg

    with psycopg.connect(database) as connection:
        connection.execute(AFTER.encode())
        with pytest.raises(psycopg.errors.NotNullViolation, match='null value in column "a" of relation "t" violates not-null constraint'):
            connection.execute(b"INSERT INTO t (b) VALUES ('x')")


def test_a_plan_that_the_planner_finds_cheaper_is_not_reviewed_for_being_a_little_slower() -> None:
    found = change(SEQ, INDEX, TABLES)._replace(slower=2.4, seconds=3.0, ratio=0.6)
    assert verdict(found, 2, 5) == "safe"
    assert verdict(found._replace(ratio=1.2), 2, 5) == "review"
    assert verdict(found._replace(slower=6.0), 2, 5) == "stop"
