"""Which indexes are tried for a query, and which are not."""

from __future__ import annotations

from functools import cache

import pytest

from dbguard.model.names import Name
from dbguard.model.snapshot import Snapshot
from dbguard.model.sql import index_statement
from dbguard.model.state import State
from dbguard.parsing.query import read_query
from dbguard.pipelines.explain import schema_of
from dbguard.planning.candidates import About, Facts, candidates
from dbguard.planning.existing_indexes import redundant
from dbguard.planning.plan_candidates import from_plan
from dbguard.planning.plans import of_text
from dbguard.queries.resolve import resolve

SCHEMA = """
CREATE EXTENSION pg_trgm;
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, tenant_id bigint NOT NULL, region text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, status text NOT NULL, placed_at timestamptz NOT NULL,
  total numeric, deleted_at timestamptz, paid boolean NOT NULL, data jsonb, tags text[], during tstzrange, words tsvector);
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
CREATE INDEX orders_status_placed_at_idx ON orders (status, placed_at);
CREATE TABLE logs (id bigint, at timestamptz, line text) PARTITION BY RANGE (at);
CREATE VIEW open_orders AS SELECT * FROM orders WHERE status = 'open';
"""
ORDERS, CUSTOMERS, LOGS = Name("public", "orders"), Name("public", "customers"), Name("public", "logs")
FACTS = {
    (ORDERS, "status"): Facts(4, {"done": 0.9, "open": 0.02}),
    (ORDERS, "customer_id"): Facts(10_000),
    (ORDERS, "total"): Facts(50),
    (ORDERS, "placed_at"): Facts(1_000_000, correlation=0.99),
    (ORDERS, "deleted_at"): Facts(100, nulls=0.99),
}


@cache
def about(rows: float = 1_000_000.0, *, trigrams: bool = True) -> About:
    schema = schema_of(Snapshot(schema=SCHEMA))
    return About(State(schema=schema), FACTS, {ORDERS: rows, CUSTOMERS: 10_000.0}, {"pg_trgm": "public"} if trigrams else {})


def tried(sql: str, known: About | None = None) -> list[str]:
    """The statements, without what they have in common."""
    known = known or about()
    made = candidates(resolve(read_query(sql), known.state), known)
    statements = [index_statement(one._replace(name="x"), known.state.schema.table(known.state.resolve(one.table))) for one in made]
    return [one.replace("CREATE INDEX CONCURRENTLY x ON ", "").replace("CREATE INDEX x ON ", "") for one in statements]


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT id FROM orders WHERE total = $1", "orders (total)"),
        ("SELECT id FROM orders WHERE total = $1 AND customer_id = $2", "orders (customer_id, total)"),
        ("SELECT id FROM orders WHERE customer_id = $1 ORDER BY placed_at DESC LIMIT 10", "orders (customer_id, placed_at)"),
        ("SELECT id FROM orders WHERE customer_id = $1 AND placed_at > $2", "orders (customer_id, placed_at)"),
        ("SELECT id FROM orders ORDER BY total DESC NULLS LAST, id LIMIT 10", "orders (total DESC NULLS LAST, id)"),
        ("SELECT o.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.region = $1", "customers (region)"),
        ("SELECT total, count(*) FROM orders WHERE customer_id = $1 GROUP BY total", "orders (customer_id, total)"),
        ("SELECT total FROM orders WHERE customer_id = $1", "orders (customer_id) INCLUDE (total)"),
        ("SELECT id FROM orders WHERE status = 'open' AND total = $1", "orders (total) WHERE status = 'open'"),
        ("SELECT id FROM orders WHERE deleted_at IS NULL AND total = $1", "orders (total) WHERE deleted_at IS NULL"),
        ("SELECT id FROM orders WHERE NOT paid AND total = $1", "orders (total) WHERE NOT paid"),
        ("SELECT id FROM customers WHERE lower(email) = $1", "customers (lower(email))"),
        ("SELECT id FROM orders WHERE data ->> 'kind' = $1", "orders ((data ->> 'kind'))"),
        ("SELECT id FROM orders WHERE data @> $1", "orders USING gin (data jsonb_path_ops)"),
        ("SELECT id FROM orders WHERE data ? 'kind'", "orders USING gin (data)"),
        ("SELECT id FROM orders WHERE tags @> $1", "orders USING gin (tags)"),
        ("SELECT id FROM orders WHERE words @@ to_tsquery('x')", "orders USING gin (words)"),
        ("SELECT id FROM orders WHERE during @> now()", "orders USING gist (during)"),
        ("SELECT id FROM customers WHERE email ILIKE '%x%'", "customers USING gin (email gin_trgm_ops)"),
        ("SELECT id FROM customers WHERE email LIKE 'abc%'", "customers (email text_pattern_ops)"),
        ("SELECT id FROM customers WHERE lower(email) LIKE 'abc%'", "customers (lower(email) text_pattern_ops)"),
        ("SELECT line FROM logs WHERE id = $1", "logs (id)"),
        ("SELECT id FROM customers WHERE email ^@ 'abc'", "customers USING spgist (email)"),
        ("SELECT id FROM customers c WHERE c.email ^@ $1", "customers (email text_pattern_ops)"),
        ("SELECT id FROM customers WHERE starts_with(email, 'abc')", "customers (email text_pattern_ops)"),
    ],
)
def test_what_might_help_is_tried(sql: str, wanted: str):
    assert wanted in tried(sql)


@pytest.mark.parametrize(
    ("sql", "unwanted"),
    [
        ("SELECT id FROM orders WHERE id = $1", "orders (id)"),
        ("SELECT id FROM orders WHERE customer_id = $1", "orders (customer_id)"),
        ("SELECT id FROM orders WHERE status = $1 AND placed_at > $2", "orders (status, placed_at)"),
        ("SELECT id FROM orders WHERE status = $1", "orders (status)"),
        ("SELECT id FROM orders WHERE status = 'done' AND total = $1", "orders (total) WHERE status = 'done'"),
        ("SELECT * FROM orders WHERE customer_id = $1", "orders (customer_id) INCLUDE (id)"),
        ("SELECT id FROM orders WHERE data = $1", "orders (data)"),
        ("SELECT id FROM orders WHERE placed_at > $1", "orders USING brin (placed_at)"),
        ("SELECT id FROM orders WHERE status = $1 AND total = $2", "orders (total) WHERE status = $1"),
        ("SELECT o.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.email ^@ $1", "orders USING spgist (status)"),
        ("SELECT id FROM customers WHERE 'abc' ^@ email", "customers USING spgist (email)"),
        ("SELECT id FROM orders WHERE customer_id = 7 AND total = $1", "orders (total) WHERE customer_id = 7"),
    ],
)
def test_what_is_there_or_cannot_help_is_not_tried(sql: str, unwanted: str):
    assert unwanted not in tried(sql)


def test_nothing_is_tried_where_no_row_is_picked():
    assert tried("SELECT count(*) FROM orders") == []
    assert tried("SELECT 1") == []
    assert tried("SELECT * FROM nowhere WHERE a = 1") == []
    assert tried("not sql") == []


def test_block_ranges_are_tried_on_large_tables_that_were_appended_to():
    assert "orders USING brin (placed_at)" in tried("SELECT id FROM orders WHERE placed_at > $1", about(50_000_000.0))


def test_trigrams_are_tried_only_where_the_extension_is():
    assert not [one for one in tried("SELECT id FROM customers WHERE email ILIKE '%x%'", about(trigrams=False)) if "trgm" in one]


def test_an_index_that_begins_a_new_one_is_superfluous():
    known = about()
    table = known.state.schema.tables[ORDERS]
    made = candidates(resolve(read_query("SELECT id FROM orders WHERE customer_id = $1 AND total = $2"), known.state), known)
    by_columns = {tuple(key.column for key in one.keys): one for one in made if one.where is None and not one.include}
    assert redundant(by_columns["customer_id", "total"], table) == ("orders_customer_id_idx",)
    assert redundant(by_columns["total", "customer_id"], table) == ()


def test_a_table_behind_a_view_is_found_in_the_plan():
    plan = """Hash Join  (cost=10.00..900.00 rows=5 width=12)
  Hash Cond: (o.customer_id = c.id)
  ->  Seq Scan on public.orders o  (cost=0.00..800.00 rows=5 width=12)
        Filter: ((o.total = $1) AND (o.placed_at > $2) AND (o.data = 'x.y = z'::jsonb) AND (upper(o.status) = 'A'::text))
  ->  Hash  (cost=5.00..5.00 rows=10 width=8)
        ->  Seq Scan on public.customers c  (cost=0.00..5.00 rows=10 width=8)"""
    made = from_plan(of_text(plan)[0], about())
    assert {(str(one.table), *(key.column for key in one.keys)) for one in made} == {
        ("orders", "total"),
        ("orders", "placed_at"),
        ("orders", "total", "customer_id"),
        ("orders", "total", "placed_at"),
        ("orders", "customer_id", "total"),
        ("orders", "customer_id", "placed_at"),
    }


def test_many_conditions_make_no_explosion():
    wide = " AND ".join(f"{name} = ${number}" for number, name in enumerate(("customer_id", "status", "placed_at", "total", "deleted_at", "paid"), 1))
    assert len(tried(f"SELECT id FROM orders WHERE {wide} ORDER BY id LIMIT 3")) <= 40
