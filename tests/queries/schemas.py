"""A state from SQL text, and a query in it."""

from __future__ import annotations

from functools import cache

from dbguard.model.query import Query, QueryStep
from dbguard.model.source import Source
from dbguard.model.state import State
from dbguard.parsing.query import read_query
from dbguard.pipelines.locks import base_state
from dbguard.pipelines.queries_inspect import QueryInspection
from dbguard.queries.resolve import resolve
from dbguard.rulebook.select import select
from tests.book import BOOK

SHOP = """
CREATE TYPE order_status AS ENUM ('new', 'paid', 'sent');
CREATE TABLE countries (id smallint PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE customers (
    id bigint PRIMARY KEY, email text NOT NULL UNIQUE, name text, country_id smallint REFERENCES countries, deleted_at timestamptz
);
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, status order_status NOT NULL, number text NOT NULL,
    paid boolean NOT NULL DEFAULT false, placed_at timestamptz NOT NULL DEFAULT now(), data jsonb, tags text[]
);
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
CREATE TABLE items (order_id bigint NOT NULL REFERENCES orders, line int NOT NULL, sku text NOT NULL, PRIMARY KEY (order_id, line));
CREATE VIEW open_orders AS SELECT id, customer_id FROM orders WHERE NOT paid;
CREATE SCHEMA archive;
CREATE TABLE archive.old_orders (id bigint PRIMARY KEY, customer_id bigint);
"""


@cache
def state_of(sql: str = SHOP) -> State:
    return base_state(Source("schema.sql", sql), 18)


def resolved(sql: str, schema: str = SHOP) -> Query:
    return resolve(read_query(sql), state_of(schema))


def step_of(sql: str, schema: str = SHOP, *, small: tuple[str, ...] = (), rows: str = "") -> QueryStep:
    return QueryInspection(select(BOOK), (14, 18), small).step(sql, state_of(schema), rows=rows)


def rules_of(sql: str, schema: str = SHOP, *, extend: tuple[str, ...] = (), small: tuple[str, ...] = (), rows: str = "") -> list[str]:
    """The rules that fire on a query."""
    inspection = QueryInspection(select(BOOK, extended=extend), (14, 18), small)
    found = [finding.rule for finding in inspection.findings(inspection.step(sql, state_of(schema), rows=rows))]
    assert inspection.crashed == []
    return found
