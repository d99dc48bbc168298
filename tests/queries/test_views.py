"""Queries on views: what lacks an index below them, what grows, and what is never said about a view's own text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.queries.schemas import rules_of, step_of

SCHEMA = """
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, region text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, number text NOT NULL, paid boolean NOT NULL DEFAULT false);
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, sku text NOT NULL, price numeric);
CREATE VIEW open_orders AS SELECT * FROM orders WHERE NOT paid;
CREATE VIEW listed (order_no, buyer, "the mail") AS
    SELECT o.number, o.customer_id, c.email FROM orders o JOIN customers c ON c.id = o.customer_id;
CREATE VIEW on_top AS SELECT order_no AS n, buyer FROM listed WHERE "the mail" IS NOT NULL;
CREATE VIEW joint AS SELECT id, number FROM orders UNION ALL SELECT id, sku FROM items;
CREATE VIEW totals AS SELECT order_id, sum(price) AS total FROM items GROUP BY order_id;
CREATE VIEW crossed AS SELECT o.id, c.email FROM orders o, customers c;
"""


@pytest.fixture(scope="module")
def connection(server: Any) -> Iterator[Any]:
    import psycopg

    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as one:
        one.execute(SCHEMA)
        one.execute("SET enable_seqscan = off")
        yield one
    server.drop_database(name)


def scanned(connection: Any, sql: str) -> set[str]:
    """Tables that PostgreSQL reads in full although it would rather not, or through the whole of an index."""
    found: set[str] = set()

    def walk(node: dict[str, Any]) -> None:
        if node["Node Type"] == "Seq Scan" or (node["Node Type"].startswith("Index") and "Index Cond" not in node):
            found.add(node["Relation Name"])
        for inner in node.get("Plans", ()):
            walk(inner)

    (plan,) = connection.execute(f"EXPLAIN (FORMAT JSON, GENERIC_PLAN) {sql}").fetchone()
    walk((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"])
    return found


@pytest.mark.parametrize(
    ("sql", "lacking"),
    [
        ("SELECT id FROM open_orders WHERE number = $1", {"orders"}),
        ("SELECT id FROM open_orders WHERE customer_id = $1", set()),
        ("SELECT id FROM open_orders WHERE id = $1", set()),
        ("SELECT * FROM open_orders o WHERE o.number = $1 AND o.id = $2", set()),
        ("SELECT * FROM listed WHERE order_no = $1", {"orders"}),
        ("SELECT * FROM listed WHERE buyer = $1", set()),
        ('SELECT * FROM listed WHERE "the mail" = $1', set()),
        ("SELECT * FROM on_top WHERE n = $1", {"orders"}),
        ("SELECT * FROM on_top AS t (a, b) WHERE b = $1", set()),
        ("SELECT * FROM joint WHERE id = $1", set()),
        ("SELECT * FROM totals WHERE order_id = $1", {"items"}),
        ("SELECT i.sku FROM open_orders o JOIN items i ON i.id = o.id WHERE o.customer_id = $1", set()),
        ("DELETE FROM items USING open_orders o WHERE o.id = items.id AND o.number = $1", {"orders"}),
    ],
)
def test_a_missing_index_is_seen_through_views(connection: Any, sql: str, lacking: set[str]):
    step = step_of(sql, SCHEMA)
    assert step.query.unread == ()
    assert {access.table.name for access in step.serving.accesses if access.way == "none"} == lacking
    assert scanned(connection, sql) == lacking


@pytest.mark.parametrize(
    ("sql", "how"),
    [
        ("SELECT * FROM open_orders", "none"),
        ("SELECT * FROM open_orders WHERE id = $1", "key"),
        ("SELECT * FROM on_top WHERE buyer = $1", "fan-out"),
        ("SELECT * FROM totals WHERE order_id = $1", "fan-out"),
        ("SELECT * FROM totals", "none"),
        ("SELECT count(*) FROM listed", "aggregate"),
        ("SELECT * FROM joint", "none"),
        ("SELECT * FROM listed LIMIT 20", "limit"),
    ],
)
def test_what_a_view_returns_is_bounded_as_its_definition_is(sql: str, how: str):
    assert step_of(sql, SCHEMA).growth.how == how


def test_the_table_that_grows_is_named_not_the_view():
    growth = step_of("SELECT * FROM on_top", SCHEMA).growth
    assert growth.table is not None
    assert growth.table.name == "orders"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, email FROM crossed WHERE id = $1 LIMIT 10",
        "SELECT order_no FROM listed WHERE buyer = $1",
        "SELECT id FROM open_orders WHERE customer_id = $1",
        "UPDATE open_orders SET number = $1 WHERE id = $2",
        "INSERT INTO open_orders (id, customer_id, number) VALUES ($1, $2, $3)",
        "DELETE FROM open_orders WHERE id = $1",
    ],
)
def test_the_text_of_a_view_is_not_the_text_of_the_query(sql: str):
    assert [rule for rule in rules_of(sql, SCHEMA, extend=("select-star",)) if rule != "limit-without-order"] == []


@pytest.mark.parametrize(
    "later",
    [
        "ALTER TABLE orders RENAME COLUMN paid TO is_paid;",
        "ALTER TABLE orders RENAME TO purchases;",
        "ALTER TABLE orders RENAME TO purchases; CREATE TABLE orders (id bigint);",
    ],
)
def test_a_definition_whose_names_have_changed_says_nothing(later: str):
    step = step_of("SELECT id FROM open_orders WHERE number = $1", SCHEMA + later)
    assert step.query.unread == ()
    assert step.serving.accesses == ()
    assert step.growth.bounded


def test_a_column_that_a_view_was_told_to_call_otherwise_has_that_name():
    schema = SCHEMA + "ALTER VIEW listed RENAME COLUMN order_no TO no;"
    assert rules_of("SELECT no FROM listed WHERE no = $1", schema) == ["missing-index-filter"]


def test_a_view_that_was_replaced_is_what_it_is_now():
    schema = SCHEMA + "CREATE OR REPLACE VIEW open_orders AS SELECT * FROM orders WHERE false;CREATE INDEX ON orders (number);"
    assert rules_of("SELECT number FROM open_orders WHERE number = $1", schema) == []


def test_a_materialized_view_is_not_looked_through():
    schema = SCHEMA + "CREATE MATERIALIZED VIEW kept AS SELECT id, number FROM orders;"
    assert step_of("SELECT id FROM kept WHERE number = $1", schema).serving.accesses == ()


def test_views_on_views_end_somewhere():
    deep = SCHEMA + "".join(f"CREATE VIEW v{n} AS SELECT * FROM {f'v{n - 1}' if n else 'orders'};" for n in range(30))
    assert step_of("SELECT * FROM v3 WHERE number = $1", deep).serving.candidates
    assert step_of("SELECT * FROM v29 WHERE number = $1", deep).query.unread == ()


def test_doubling_views_are_named_or_read_in_bounded_size():
    doubling = SCHEMA + "".join(
        f"CREATE VIEW d{n} AS SELECT a.* FROM {p} a JOIN {p} b ON a.id = b.id;" for n in range(12) for p in [f"d{n - 1}" if n else "orders"]
    )
    assert len(step_of("SELECT * FROM d11 WHERE number = $1", doubling).query.blocks) <= 600
