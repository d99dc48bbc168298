"""Checks on queries: what must be found that the pages do not show, and the larger half that must not."""

from __future__ import annotations

import pytest

from dbguard.model.source import Source
from dbguard.pipelines.queries_inspect import QueryInspection, check_queries
from dbguard.reading.queries import read_queries
from dbguard.rulebook.select import select
from tests.book import BOOK
from tests.queries.schemas import SHOP, rules_of, state_of, step_of

QUIET = (
    "SELECT * FROM orders WHERE id = $1",
    "SELECT * FROM orders WHERE customer_id = $1 ORDER BY placed_at DESC LIMIT 20",
    "SELECT * FROM orders ORDER BY id LIMIT 20",
    "SELECT * FROM orders WHERE id > $1 ORDER BY id LIMIT 20",
    "SELECT * FROM customers WHERE email = lower($1)",
    "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = $1 AND o.number = $2",
    "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.id = $1 AND lower(o.number) = $2",
    "SELECT i.sku FROM items i JOIN orders o ON o.id = i.order_id WHERE o.customer_id = $1",
    "SELECT (SELECT count(*) FROM items WHERE order_id = o.id) FROM orders o WHERE o.id = $1",
    "SELECT id FROM orders o WHERE customer_id = $1 AND EXISTS (SELECT FROM items WHERE order_id = o.id AND sku = $2)",
    "SELECT id FROM orders WHERE id = ANY ($1) AND number LIKE '%x%'",
    "SELECT id FROM orders WHERE customer_id = $1 AND (number = $2 OR status = $3)",
    "SELECT id FROM orders WHERE customer_id = $1 AND data @> $2",
    "SELECT id FROM orders WHERE customer_id = $1 AND $2 = ANY (tags)",
    "SELECT name FROM countries WHERE name = $1",
    "SELECT name FROM countries",
    "SELECT count(*) FROM orders WHERE status = 'new'",
    "SELECT max(placed_at) FROM orders",
    "SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE id = $1) AND id = $2",
    "INSERT INTO customers (id, email) VALUES ($1, $2) ON CONFLICT (email) DO UPDATE SET name = excluded.name RETURNING id",
    "UPDATE orders SET paid = true WHERE id = $1",
    "UPDATE orders SET paid = true FROM customers c WHERE c.id = customer_id AND c.email = $1",
    "UPDATE orders SET paid = true WHERE id IN (SELECT id FROM orders WHERE NOT paid ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM items WHERE order_id = $1",
    "DELETE FROM orders WHERE id = $1",
    "WITH gone AS (DELETE FROM items WHERE order_id = $1 RETURNING sku) SELECT count(*) FROM gone",
    "SELECT c.id, o.id FROM customers c CROSS JOIN orders o WHERE c.id = $1 AND o.customer_id = $1",
    "SELECT c.id, t FROM orders c, unnest(c.tags) t WHERE c.id = $1",
    "SELECT a.id FROM orders a, orders b WHERE a.id = $1 AND b.customer_id = $2",
    "SELECT * FROM unnest($1::bigint[]) AS wanted JOIN orders ON orders.id = wanted",
    "SELECT * FROM open_orders WHERE id = $1",
    "SELECT * FROM elsewhere.things WHERE x = $1",
    "SELECT id FROM orders WHERE customer_id = $1 LIMIT 1",
    "SELECT pg_advisory_xact_lock($1)",
    "SELECT now()",
    "SELECT 1",
    "SET LOCAL statement_timeout = '1s'",
    "BEGIN",
)


@pytest.mark.parametrize("sql", QUIET)
def test_quiet(sql: str):
    assert rules_of(sql) == []


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ("SELECT id FROM orders WHERE number = $1", ["missing-index-filter"]),
        ("SELECT id FROM orders WHERE number IN ($1, $2)", ["missing-index-filter"]),
        ("SELECT id FROM orders WHERE number = (SELECT sku FROM items WHERE order_id = $1 AND line = 1)", ["missing-index-filter"]),
        ("SELECT id FROM (SELECT id, number AS n FROM orders) q WHERE n = $1", ["missing-index-filter"]),
        ("WITH q AS (SELECT id, number AS n FROM orders) SELECT id FROM q WHERE n = $1", ["missing-index-filter"]),
        ("SELECT n, count(*) FROM (SELECT number AS n FROM orders GROUP BY number) q WHERE n = $1 GROUP BY n", ["missing-index-filter"]),
        ("SELECT line FROM items WHERE sku = $1", ["missing-index-filter"]),
        ("SELECT order_id FROM items WHERE line = $1", ["missing-index-filter"]),
        ("UPDATE orders SET paid = true WHERE number = $1", ["missing-index-filter"]),
        ("DELETE FROM items WHERE sku = $1", ["missing-index-filter"]),
        ("SELECT c.id FROM customers c WHERE EXISTS (SELECT FROM orders o WHERE o.number = c.name) AND c.id = $1", ["missing-index-join"]),
        ("SELECT i.sku FROM orders o JOIN items i ON i.sku = o.number WHERE o.id = $1", ["missing-index-join"]),
        ("SELECT id FROM orders ORDER BY placed_at DESC LIMIT 10", ["missing-index-order"]),
        ("DELETE FROM customers WHERE id = $1", []),
        ("DELETE FROM countries WHERE id = $1", ["missing-index-foreign-key"]),
        ("SELECT id FROM orders WHERE lower(number) = $1", ["function-on-column"]),
        ("SELECT count(*) FROM orders WHERE placed_at::date = current_date", ["function-on-column"]),
        ("SELECT count(*) FROM orders WHERE extract(year FROM placed_at) = $1", ["function-on-column"]),
        ("SELECT id FROM orders", ["unbounded-read"]),
        ("SELECT id FROM orders FOR UPDATE", ["for-update-unbounded"]),
        ("UPDATE orders SET paid = true", ["update-without-where"]),
        ("DELETE FROM items WHERE 1 = 1", ["delete-without-where"]),
        ("WITH x AS (UPDATE orders SET paid = true RETURNING id) SELECT count(*) FROM x", ["update-without-where"]),
    ],
)
def test_found(sql: str, rules: list[str]):
    assert rules_of(sql) == rules


def test_what_an_application_takes_one_row_of_is_not_unbounded():
    assert rules_of("SELECT id FROM orders", rows="one") == []
    assert rules_of("SELECT id FROM orders", rows="many") == ["unbounded-read"]


def test_small_tables_are_silent():
    for sql in ("SELECT id FROM orders WHERE number = $1", "SELECT id FROM orders", "SELECT id FROM orders ORDER BY placed_at LIMIT 5"):
        assert rules_of(sql, small=("orders",)) == []


def test_advice_is_off_unless_asked():
    sql = "SELECT * FROM orders WHERE customer_id = $1 ORDER BY id LIMIT 10 OFFSET $2"
    assert rules_of(sql) == []
    assert rules_of(sql, extend=("offset-paging", "select-star")) == ["offset-paging", "select-star"]


def test_tables_without_a_known_schema_give_no_index_findings():
    assert rules_of("SELECT id FROM t WHERE x = $1", "SELECT 1;\n\\i other.sql\n") == []


def test_an_index_is_proposed_with_equality_first_then_the_order():
    (candidate,) = step_of("SELECT id FROM orders WHERE number = $1 AND paid ORDER BY placed_at DESC LIMIT 5").serving.candidates
    assert [(key.column, key.descending) for key in candidate.create.keys] == [("number", False), ("placed_at", False)]


def test_an_index_is_partial_where_rows_are_not_deleted():
    (candidate,) = step_of("SELECT id FROM customers WHERE name = $1 AND deleted_at IS NULL").serving.candidates
    assert candidate.create.where is not None
    assert candidate.create.where.sql == "deleted_at IS NULL"


FILE = """-- name: ByNumber :many
SELECT id FROM orders WHERE number = $1;

-- name: ByNumberAndTime :many
SELECT id FROM orders
WHERE number = :number AND placed_at > :since;

-- name: Broken :one
SELECT FROM WHERE;

-- name: Unknown :one
SELECT id FROM nowhere;
"""


def test_findings_stand_at_the_query_in_its_file_and_what_is_unread_is_named():
    report = check_queries(read_queries(Source("db/orders.sql", FILE)), state_of(SHOP), select(BOOK))
    assert [(f.path, f.line, f.column, f.end_line, f.rule) for f in report.findings] == [
        ("db/orders.sql", 2, 1, 2, "missing-index-filter"),
        ("db/orders.sql", 5, 1, 6, "missing-index-filter"),
    ]
    assert [(part.line, part.reason) for part in report.unread] == [
        (9, 'syntax error at or near "WHERE"'),
        (12, "table `nowhere` was not found"),
    ]


def test_one_index_is_proposed_for_all_shapes_that_it_serves():
    report = check_queries(read_queries(Source("db/orders.sql", FILE)), state_of(SHOP), select(BOOK))
    (index,) = report.indexes
    assert index.statement == "CREATE INDEX CONCURRENTLY orders_number_placed_at_idx ON orders (number, placed_at)"
    assert len(index.shapes) == 2


def test_every_rule_on_queries_is_woken():
    names = {rule.name for rule in BOOK.rules.values() if "Query" in rule.header.wakes}
    assert {"unbounded-read", "missing-index-filter", "not-in-nullable", "update-without-where"} <= names


def test_a_finding_carries_its_shape_and_the_index_for_all_shapes():
    report = check_queries(read_queries(Source("db/orders.sql", FILE)), state_of(SHOP), select(BOOK))
    assert {finding.create_index for finding in report.findings} == {
        "CREATE INDEX CONCURRENTLY orders_number_placed_at_idx ON orders (number, placed_at)"
    }
    assert all(finding.shape in finding.serves and len(finding.serves) == 2 for finding in report.findings)


def test_a_list_of_all_is_advice_where_nothing_tells_that_the_table_grows():
    inspection = QueryInspection(select(BOOK))
    found = {
        sql: [str(one.severity) for one in inspection.findings(inspection.step(sql, state_of())) if one.rule == "unbounded-read"]
        for sql in ("SELECT id FROM orders", "SELECT id FROM archive.old_orders")
    }
    assert list(found.values()) == [["warning"], ["advice"]]
