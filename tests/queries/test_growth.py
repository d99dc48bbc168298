"""What bounds the rows of a query. Larger half: what must not be called unbounded."""

from __future__ import annotations

import pytest

from tests.queries.schemas import step_of


@pytest.mark.parametrize(
    ("sql", "how"),
    [
        ("SELECT * FROM orders WHERE id = $1", "key"),
        ("SELECT * FROM orders WHERE id IN ($1, $2)", "key"),
        ("SELECT * FROM orders WHERE id = ANY ($1)", "key"),
        ("SELECT * FROM items WHERE order_id = $1 AND line = 1", "key"),
        ("SELECT * FROM customers WHERE email = $1", "key"),
        ("SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = $1", "key"),
        ("SELECT * FROM orders o JOIN items i ON i.order_id = o.id WHERE o.id = $1", "fan-out"),
        ("SELECT * FROM orders o LEFT JOIN items i ON i.order_id = o.id WHERE o.customer_id = $1", "fan-out"),
        ("SELECT * FROM orders WHERE customer_id = (SELECT id FROM customers WHERE email = $1)", "fan-out"),
        ("SELECT * FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE email = $1)", "fan-out"),
        ("SELECT * FROM orders WHERE number = $1 OR id = $2", "fan-out"),
        ("SELECT * FROM orders WHERE CASE WHEN $1 > 0 THEN id = $1 ELSE number = $2 END", "fan-out"),
        ("SELECT * FROM orders ORDER BY id LIMIT 10", "limit"),
        ("SELECT * FROM orders ORDER BY id LIMIT $1", "parameter"),
        ("SELECT * FROM orders FETCH FIRST 5 ROWS ONLY", "limit"),
        ("SELECT count(*) FROM orders", "aggregate"),
        ("SELECT EXISTS (SELECT FROM orders)", "key"),
        ("SELECT status, count(*) FROM orders GROUP BY status", "aggregate"),
        ("SELECT paid, count(*) FROM orders GROUP BY 1", "aggregate"),
        ("SELECT DISTINCT status FROM orders", "aggregate"),
        ("SELECT * FROM countries", "small"),
        ("SELECT c.name, count(*) FROM countries c LEFT JOIN customers u ON u.country_id = c.id GROUP BY c.name", "aggregate"),
        ("SELECT * FROM orders WHERE placed_at >= $1 AND placed_at < $2", "window"),
        ("SELECT * FROM orders WHERE placed_at > now() - interval '1 hour'", "window"),
        ("SELECT * FROM (SELECT * FROM orders ORDER BY id LIMIT 5) q JOIN customers c ON c.id = q.customer_id", "key"),
        ("WITH o AS (SELECT * FROM orders WHERE id = $1) SELECT * FROM o", "key"),
        ("WITH n AS (INSERT INTO customers (id, email) VALUES ($1, $2) RETURNING id) SELECT id FROM n", "key"),
        ("SELECT * FROM orders WHERE id = $1 UNION ALL SELECT * FROM orders WHERE number = $2", "key"),
        ("SELECT g FROM generate_series(1, 10) g", "key"),
        ("SELECT * FROM unnest($1::int[]) i JOIN orders o ON o.id = i", "key"),
        ("SELECT * FROM pg_stat_activity", "small"),
        ("SELECT c.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.id = (SELECT max(id) FROM orders)", "key"),
        ("SELECT * FROM open_orders WHERE id = $1", "key"),
        ("SELECT * FROM open_orders WHERE customer_id = $1", "fan-out"),
        ("SELECT 1", "key"),
    ],
)
def test_bounded(sql: str, how: str):
    growth = step_of(sql).growth
    assert (growth.bounded, growth.how) == (True, how)


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("SELECT * FROM orders", "public.orders"),
        ("SELECT * FROM orders WHERE paid", "public.orders"),
        ("SELECT * FROM orders WHERE status = $1", "public.orders"),
        ("SELECT * FROM orders WHERE status = 'new' ORDER BY id", "public.orders"),
        ("SELECT * FROM orders LIMIT ALL", "public.orders"),
        ("SELECT customer_id, count(*) FROM orders GROUP BY customer_id", "public.orders"),
        ("SELECT DISTINCT number FROM orders", "public.orders"),
        ("SELECT * FROM countries c JOIN customers u ON u.country_id = c.id WHERE u.deleted_at IS NULL", "public.customers"),
        ("SELECT * FROM orders WHERE id > $1", "public.orders"),
        ("SELECT * FROM (SELECT * FROM orders WHERE id = $1) a, customers", "public.customers"),
        ("SELECT * FROM orders WHERE id = $1 UNION ALL SELECT * FROM orders", "public.orders"),
        ("WITH o AS (SELECT * FROM orders) SELECT * FROM o", "public.orders"),
        ("SELECT * FROM orders WHERE $1::int IS NULL OR id = $1", "public.orders"),
        ("SELECT * FROM orders WHERE id IN (SELECT order_id FROM items)", "public.orders"),
        ("SELECT * FROM orders o WHERE NOT EXISTS (SELECT FROM items WHERE order_id = o.id)", "public.orders"),
    ],
)
def test_grows_with_a_table(sql: str, table: str):
    growth = step_of(sql).growth
    assert (growth.bounded, str(growth.table)) == (False, table)


def test_a_table_declared_small_bounds():
    assert step_of("SELECT * FROM orders", small=("orders",)).growth.how == "small"
    assert step_of("SELECT * FROM orders", small=("public.orders",)).growth.how == "small"
    assert not step_of("SELECT * FROM orders", small=("archive.orders",)).growth.bounded
