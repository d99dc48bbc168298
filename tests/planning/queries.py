"""A small shop with rows and skew, and queries whose plans have every node that its size allows."""

from __future__ import annotations

from typing import Any

SCHEMA = """
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, email text, tenant_id int NOT NULL);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, status text NOT NULL,
  placed_at timestamptz NOT NULL, total numeric(10,2), note text);
CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, sku text, qty int, data jsonb, tags text[]);
CREATE TABLE events (id bigint, at timestamptz NOT NULL, kind text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE events_2021 PARTITION OF events FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE events_2022 PARTITION OF events FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO customers (name, email, tenant_id) SELECT 'n' || i, 'e' || i || '@x', CASE WHEN i % 10 < 8 THEN 1 ELSE i % 50 END FROM generate_series(1, 2000) i;
INSERT INTO orders (customer_id, status, placed_at, total) SELECT 1 + i % 2000,
  CASE WHEN i % 100 < 95 THEN 'delivered' WHEN i % 100 < 99 THEN 'pending' ELSE 'secretly lost' END, '2020-01-01'::timestamptz + i * interval '1 hour', i % 100
  FROM generate_series(1, 20000) i;
INSERT INTO items (order_id, sku, qty, data, tags) SELECT 1 + i % 20000, 'sku' || i % 300, i % 7, jsonb_build_object('a', i % 1000), ARRAY['t' || i % 40]
  FROM generate_series(1, 40000) i;
INSERT INTO events SELECT i, '2020-01-01'::timestamptz + i * interval '8 hours', 'k' || i % 5 FROM generate_series(1, 5000) i;
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
CREATE INDEX orders_placed_at_idx ON orders (placed_at);
CREATE INDEX orders_status_idx ON orders (status);
CREATE VIEW large_orders AS SELECT * FROM orders WHERE total > 5;
CREATE SEQUENCE numbers;
CREATE FUNCTION taxed(numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 * 1.19; END';
CREATE FUNCTION noisy(bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN $1; END';
ANALYZE;
"""

QUERIES = (
    "SELECT * FROM orders WHERE status = 'secretly lost' AND total > 3",
    "SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = 'e7@x' ORDER BY o.placed_at DESC LIMIT 5",
    "SELECT status, count(*) FROM orders GROUP BY status HAVING count(*) > 10",
    "SELECT * FROM orders ORDER BY total, note",
    "WITH x AS MATERIALIZED (SELECT customer_id, sum(total) s FROM orders GROUP BY 1) SELECT * FROM x a JOIN x b USING (customer_id) WHERE a.s > 10",
    "SELECT c.id, (SELECT max(placed_at) FROM orders o WHERE o.customer_id = c.id) FROM customers c LIMIT 50",
    "SELECT * FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE total > 50)",
    "SELECT * FROM events WHERE kind = 'k1'",
    "SELECT * FROM orders WHERE placed_at > (SELECT min(placed_at) FROM orders WHERE status = 'pending') AND id = 3",
    "SELECT sku, row_number() OVER (PARTITION BY sku ORDER BY id) FROM items",
    "SELECT * FROM orders WHERE customer_id = 5 OR id = 4",
    "SELECT customer_id FROM orders EXCEPT SELECT id FROM customers",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 50) SELECT sum(n) FROM t",
    "UPDATE orders SET total = total + 1 WHERE customer_id < 50",
    "DELETE FROM items WHERE id < 20",
    "INSERT INTO customers (name, tenant_id) SELECT 'x', 1 FROM generate_series(1, 10) ON CONFLICT DO NOTHING",
    "SELECT * FROM orders WHERE id = 5 FOR UPDATE",
    "SELECT * FROM orders o LEFT JOIN LATERAL (SELECT * FROM items i WHERE i.order_id = o.id LIMIT 1) x ON true LIMIT 3",
    "VALUES (1, 'a'), (2, 'b, (cost=1..2)')",
    "SELECT * FROM orders WHERE note = 'a\n  ->  Seq Scan on evil  (cost=0.00..1.00 rows=1 width=1)'",
    "SELECT total, count(*) FROM orders GROUP BY GROUPING SETS ((total), (status), ())",
    "SELECT * FROM orders WHERE ctid = '(0,1)'",
    'SELECT 1 AS "it\'s" FROM orders AS "odd ""name""" WHERE id < 3',
)

OPTIONS = ("", "COSTS OFF", "VERBOSE, SETTINGS", "ANALYZE, BUFFERS, VERBOSE, TIMING OFF", "ANALYZE, BUFFERS, WAL")


def plans_of(connection: Any, sql: str, options: str) -> tuple[str, Any]:
    """What EXPLAIN prints as text, and its JSON; nothing that it does stays."""
    found = []
    for form in ("TEXT", "JSON"):
        connection.execute("BEGIN")
        connection.execute("SET LOCAL work_mem = '256kB'")
        given = ", ".join(filter(None, (options, f"FORMAT {form}")))
        found.append(connection.execute(f"EXPLAIN ({given}) {sql}").fetchall())
        connection.execute("ROLLBACK")
    return "\n".join(row[0] for row in found[0]), found[1][0][0]
