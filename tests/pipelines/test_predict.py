"""`dbguard.predict`, as a program would call it."""

from __future__ import annotations

import pytest

import dbguard

SCHEMA = """
CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, status varchar(20));
CREATE INDEX orders_status_idx ON orders (lower(status));
"""


def one(sql: str, **settings: object) -> dbguard.StatementEffects:
    (found,) = dbguard.predict(sql, **{"schema": SCHEMA, **settings})
    return found


def test_locks_come_with_what_they_block():
    found = one("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers")

    assert [(lock.relation, lock.mode, lock.blocks) for lock in found.locks] == [
        ("public.customers", "SHARE ROW EXCLUSIVE", ("write", "maintenance")),
        ("public.orders", "SHARE ROW EXCLUSIVE", ("write", "maintenance")),
    ]
    assert found.scans == ("public.orders",)


def test_a_wider_varchar_rebuilds_the_index_on_an_expression_of_it_and_nothing_else():
    found = one("ALTER TABLE orders ALTER COLUMN status TYPE varchar(40)")

    assert (found.rewrites, found.scans, found.builds) == ((), (), ("public.orders_status_idx",))


def test_positions_count_code_points_from_one():
    first, second = dbguard.predict("SELECT 'é'; \n\tSELECT 2")

    assert (first.line, first.column, first.sql) == (1, 1, "SELECT 'é'")
    assert (second.line, second.column, second.sql) == (2, 2, "SELECT 2")


def test_every_statement_has_one_entry_also_those_that_are_not_understood():
    found = dbguard.predict("SELECT 1; this is no statement; SELECT 2")

    assert [statement.fails for statement in found] == [None, 'syntax error at or near "this"', None]


def test_the_statements_of_a_do_block_are_one_entry():
    found = one("DO $$ BEGIN ALTER TABLE orders ADD COLUMN note text; CREATE TABLE made (id int); CREATE INDEX ON made (id); END $$")

    assert [lock.relation for lock in found.locks] == ["public.orders"]
    assert found.builds == ()


def test_what_a_called_function_does_is_counted():
    *_, call = dbguard.predict(
        "CREATE FUNCTION grow() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE orders ADD COLUMN note text; END $$; SELECT grow()",
        schema=SCHEMA,
    )

    assert [(lock.relation, lock.mode) for lock in call.locks] == [("public.orders", "ACCESS EXCLUSIVE")]


def test_a_table_that_was_never_seen_is_assumed_and_said_to_be():
    (found,) = dbguard.predict("CREATE INDEX ON orders (id)")

    assert [(lock.relation, lock.mode) for lock in found.locks] == [("public.orders", "SHARE")]
    assert found.fails is None
    assert "`public.orders` was not seen being created" in found.unknown[0]


def test_with_a_schema_a_table_that_is_not_there_fails():
    assert one("CREATE INDEX ON invoices (id)").fails is not None


@pytest.mark.parametrize("transaction", ["auto", "none"])
def test_concurrently_forbids_a_transaction(transaction: str):
    found = one("CREATE INDEX CONCURRENTLY ON orders (customer_id)", transaction=transaction)

    assert (found.transaction, found.fails) == ("forbidden", None)


def test_the_version_decides():
    sql = "ALTER TABLE orders ADD CONSTRAINT n NOT NULL customer_id NOT VALID"

    assert one(sql, postgres=18).fails is None
    assert one(sql, postgres=17).fails is not None


@pytest.mark.parametrize("wrong", [{"postgres": 12}, {"postgres": 19}, {"transaction": "two"}])
def test_settings_that_do_not_exist_are_usage_errors(wrong: dict[str, object]):
    with pytest.raises(dbguard.UsageError):
        one("SELECT 1", **wrong)
