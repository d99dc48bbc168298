"""Every kind of statement on every version: predictions are made of sensible values."""

from __future__ import annotations

import pytest

import dbguard
from tests.hostile.statements import STATEMENTS

MODES = ["ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"]
BLOCKS = ["read", "lock_rows", "write", "maintenance"]
SCHEMA = """
CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers, total numeric, note text, during tsrange);
CREATE TABLE items (order_id bigint REFERENCES orders, sku text UNIQUE);
CREATE TABLE readings (at timestamptz NOT NULL, value float8) PARTITION BY RANGE (at);
CREATE TABLE readings_2024 PARTITION OF readings FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE child () INHERITS (orders);
CREATE INDEX orders_customer_idx ON orders (customer_id);
CREATE MATERIALIZED VIEW sums AS SELECT 1 AS one;
CREATE TYPE mood AS ENUM ('sad', 'ok');
"""


@pytest.mark.parametrize("schema", [None, SCHEMA], ids=["nothing known", "everything known"])
@pytest.mark.parametrize("postgres", range(13, 19))
def test_every_statement_on_every_version(postgres: int, schema: str | None):
    for sql in STATEMENTS:
        for transaction in ("auto", "one", "none"):
            for effects in dbguard.predict(sql, postgres=postgres, schema=schema, transaction=transaction):
                assert_sensible(effects, sql)


@pytest.mark.parametrize("postgres", range(13, 19))
def test_all_statements_one_after_the_other(postgres: int):
    found = dbguard.predict(";\n".join(STATEMENTS), postgres=postgres)
    assert [effects.sql for effects in found] == list(STATEMENTS)
    for effects in found:
        assert_sensible(effects, effects.sql)


def assert_sensible(effects: dbguard.StatementEffects, sql: str) -> None:
    assert (effects.sql, effects.line > 0, effects.column > 0) == (sql, True, True)
    assert effects.transaction in {"allowed", "forbidden", "required"}
    assert effects.fails is None or effects.fails
    relations = [lock.relation for lock in effects.locks]
    assert len(relations) == len(set(relations))
    for lock in effects.locks:
        assert lock.mode in MODES
        assert "." in lock.relation
        assert list(lock.blocks) == [word for word in BLOCKS if word in lock.blocks]
        assert ("read" in lock.blocks) == (lock.mode == "ACCESS EXCLUSIVE")
        assert ("write" in lock.blocks) == (MODES.index(lock.mode) >= MODES.index("SHARE"))
    assert set(effects.rewrites).isdisjoint(effects.scans)
    for names in (effects.rewrites, effects.scans, effects.builds):
        assert len(names) == len(set(names))
        assert all("." in name for name in names)
    assert all(reason == reason.strip() != "" for reason in effects.unknown)
    assert not any(reason.startswith(("not understood (", "unknown statement")) for reason in effects.unknown)
