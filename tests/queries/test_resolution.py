"""Which columns of which tables a query touches, held against pg_depend: PostgreSQL resolves the same names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from benchmarks.query_resolution import columns_of, of_postgres

from tests.queries.schemas import SHOP, resolved

QUERIES = (
    "SELECT id FROM orders WHERE customer_id = $1",
    "SELECT o.*, c.email FROM orders o JOIN customers c ON c.id = o.customer_id",
    "SELECT * FROM customers NATURAL JOIN countries",
    "SELECT id, email FROM customers JOIN (SELECT customer_id AS id, number FROM orders) o USING (id)",
    "SELECT id FROM customers c FULL JOIN archive.old_orders o USING (id)",
    "SELECT x.a FROM (SELECT id, number FROM orders) AS x (a, b) WHERE x.b = $3",
    "SELECT q.number FROM orders AS q (a, b) WHERE q.a = $1 AND b = 2",
    "WITH recent AS (SELECT id, customer_id FROM orders) SELECT email FROM recent JOIN customers ON customers.id = recent.customer_id",
    "WITH orders AS (SELECT id AS number FROM customers) SELECT number FROM orders",
    "WITH a AS (SELECT id FROM orders), b AS (SELECT id FROM a) SELECT * FROM b",
    "WITH RECURSIVE t (n, sku) AS (SELECT line, sku FROM items UNION ALL SELECT n + 1, t.sku FROM t WHERE n < 5) SELECT sku FROM t",
    "WITH RECURSIVE t AS (SELECT id FROM orders WHERE id = 1 UNION SELECT o.id FROM orders o JOIN t ON o.customer_id = t.id) SELECT * FROM t",
    "SELECT (SELECT email FROM customers WHERE id = customer_id) FROM orders",
    "SELECT number FROM orders o WHERE EXISTS (SELECT 1 FROM items WHERE order_id = o.id AND sku = number)",
    "SELECT c.id, l.number FROM customers c CROSS JOIN LATERAL (SELECT number FROM orders WHERE customer_id = c.id LIMIT 1) l",
    "SELECT c.id, t FROM customers c, orders o, unnest(o.tags) t WHERE o.customer_id = c.id",
    "SELECT key, value FROM orders, jsonb_each(data) WHERE id = $1",
    "SELECT e.x FROM orders, jsonb_to_recordset(data) AS e (x int, y text) WHERE e.y = number",
    "SELECT g, row_number() OVER (PARTITION BY customer_id ORDER BY placed_at) FROM orders, generate_series(1, 3) g",
    "SELECT w FROM (SELECT id, max(number) OVER w AS w FROM orders WINDOW w AS (PARTITION BY status ORDER BY id)) q",
    "SELECT customer_id AS id, count(*) FILTER (WHERE paid) FROM orders GROUP BY customer_id HAVING max(number) > 'a' ORDER BY id",
    "SELECT id AS n FROM orders ORDER BY n, placed_at",
    "SELECT number AS status FROM orders GROUP BY status, number",
    "SELECT id FROM orders UNION ALL SELECT id FROM customers ORDER BY id LIMIT $1",
    "SELECT customer_id FROM open_orders WHERE id = $1",
    "SELECT o FROM orders o",
    "SELECT id FROM archive.old_orders WHERE archive.old_orders.customer_id = 1",
    "SELECT orders.id FROM orders JOIN (items JOIN customers ON customers.name = sku) ON orders.id = items.order_id",
    "SELECT j.id FROM (customers JOIN orders USING (id)) j WHERE j.number = 'x'",
    "SELECT id FROM orders WHERE (customer_id, number) IN (SELECT id, email FROM customers)",
    "SELECT v.a FROM (VALUES (1, 'x'), (2, 'y')) AS v (a, b) JOIN orders ON number = b",
    "SELECT id FROM orders FOR UPDATE",
    "INSERT INTO orders (id, customer_id, status, number) VALUES ($1, $2, 'new', $3) RETURNING id, placed_at",
    "INSERT INTO archive.old_orders SELECT id, customer_id FROM orders WHERE placed_at < now()",
    "INSERT INTO customers (id, email) SELECT id, number FROM orders ON CONFLICT (id) DO NOTHING",
    "UPDATE orders SET number = c.email FROM customers c WHERE c.id = customer_id AND orders.id = $1 RETURNING orders.paid",
    "UPDATE orders AS o SET (number, paid) = (SELECT sku, true FROM items WHERE order_id = o.id LIMIT 1)",
    "DELETE FROM orders USING customers WHERE customers.id = orders.customer_id AND customers.deleted_at IS NOT NULL",
    "WITH gone AS (DELETE FROM items WHERE order_id = $1 RETURNING sku) INSERT INTO countries (id, name) SELECT 1, sku FROM gone",
    """MERGE INTO archive.old_orders a USING orders o ON a.id = o.id WHEN MATCHED THEN UPDATE SET customer_id = o.customer_id
    WHEN NOT MATCHED THEN INSERT (id) VALUES (o.id)""",
)


@pytest.fixture(scope="module")
def connection(server: Any) -> Iterator[Any]:
    import psycopg

    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as one:
        one.execute(SHOP)
        yield one
    server.drop_database(name)


@pytest.mark.parametrize("sql", QUERIES)
def test_columns_are_those_that_postgresql_depends_on(connection: Any, sql: str):
    query = resolved(sql)
    truth = of_postgres(connection, sql, ["int", "int", "text"])
    assert query.unread == ()
    assert not isinstance(truth, str), truth
    ours = columns_of(query)
    if sql.startswith("MERGE"):  # pg_depend leaves out its join condition and what it assigns
        assert truth <= ours == {("old_orders", "id"), ("old_orders", "customer_id"), ("orders", "id"), ("orders", "customer_id")}
        return
    assert sorted(ours) == sorted(truth)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT nothing FROM orders", "column `nothing` was not found"),
        ("SELECT o.nothing FROM orders o", "column `o.nothing` was not found"),
        ("SELECT orders.id FROM orders o", "orders is not in FROM"),
        ("SELECT id FROM orders, customers", "column id is ambiguous"),
        ("SELECT x.number FROM customers c, (SELECT number FROM orders WHERE customer_id = c.id) x", "c is not in FROM"),
        ("UPDATE orders SET nothing = 1", "column `nothing` of `orders` was not found"),
        ("INSERT INTO orders (nothing) VALUES (1)", "column `nothing` of `orders` was not found"),
        ("SELECT id FROM public.nowhere", "table `public.nowhere` was not found"),
    ],
)
def test_a_name_that_postgresql_refuses_is_named(connection: Any, sql: str, why: str):
    assert why in resolved(sql).unread
    assert isinstance(of_postgres(connection, sql, []), str)


def test_a_table_of_another_schema_is_found_if_only_one_has_it():
    assert [str(source.table) for source in resolved("SELECT id FROM old_orders").sources] == ["archive.old_orders"]


def test_a_schema_that_is_not_complete_leaves_names_open():
    query = resolved("SELECT anything FROM elsewhere WHERE other = 1", "SELECT 1;\n\\i other.sql\n")
    assert query.unread == ()
