"""Plans from a real server: what is planned, what is refused, and that nothing is ever changed or executed unasked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from dbguard.errors import UsageError
from dbguard.parsing.explainable import explainable
from dbguard.postgres.called_functions import folded_functions
from dbguard.postgres.column_values import column_values
from dbguard.postgres.explain import NotPlannedError, analyzed, plan, planning, plans_with, prepared, sizes
from dbguard.postgres.session import open_read_only
from tests.planning.queries import SCHEMA


@pytest.fixture(scope="module")
def shop(server: Any) -> Iterator[str]:
    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(SCHEMA)
    yield server.dsn(name)
    server.drop_database(name)


@pytest.fixture
def connection(shop: str) -> Iterator[Any]:
    with open_read_only(shop) as opened, planning(opened):
        yield opened


def count(shop: str, query: str) -> Any:
    with psycopg.connect(shop) as other:
        return other.execute(query).fetchone()[0]


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        ("SELECT * FROM orders WHERE id = %s", ("bigint",)),
        ("SELECT * FROM orders WHERE id = :id AND status = :status", ("bigint", "text")),
        ("SELECT * FROM orders WHERE id = ?", ("bigint",)),
        ("SELECT * FROM orders WHERE id = %(id)s LIMIT %(n)s", ("bigint", "bigint")),
        ("SELECT * FROM orders WHERE status IN %s", ("text",)),
        ("SELECT * FROM orders WHERE customer_id = ANY($1) OFFSET $2", ("bigint[]", "bigint")),
        ("SELECT * FROM orders WHERE placed_at > now() - $1", ("interval",)),
        ("SELECT * FROM orders WHERE ($1 IS NULL OR status = $1)", ("text",)),
        ("SELECT count(*) FROM generate_series($1, $2)", ("bigint", "bigint")),
        ("SELECT jsonb_build_object('a', $1)", ("text",)),
        ("UPDATE orders SET total = total + $1 WHERE id = $2", ("numeric", "bigint")),
        ("SELECT $$a$1$$, '$2', $1::int", ("integer",)),
    ],
)
def test_placeholders_of_any_style_are_planned(connection: Any, sql: str, types: tuple[str, ...]):
    ready = prepared(connection, sql)
    assert ready.types == types
    assert plan(connection, ready).cost > 0


def test_a_plan_for_any_value_does_not_fold_its_parameters(connection: Any):
    found = plan(connection, prepared(connection, "SELECT * FROM orders WHERE id = $1"))
    assert (found.root.kind, found.root.facts["Index Cond"]) == ("Index Scan", "(orders.id = $1)")
    assert found.root.relation == "public.orders"


def test_plans_for_values_differ_from_each_other(connection: Any):
    ready = prepared(connection, "SELECT * FROM orders WHERE status = $1")
    common, rare = plans_with(connection, ready, [("delivered",), ("it's 'not' there",)])
    assert common.root.kind == "Seq Scan"
    assert rare.root.kind != "Seq Scan"
    assert common.rows > 100 * rare.rows


def test_a_statement_can_be_planned_again_and_again(connection: Any):
    ready = prepared(connection, "SELECT * FROM orders WHERE status = $1")
    costs = {plan(connection, ready).cost for _ in range(12)}
    assert len(costs) == 1
    assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; DROP TABLE orders",
        "DROP TABLE orders",
        "DO $$ BEGIN DELETE FROM orders; END $$",
        "COPY orders TO PROGRAM 'touch /tmp/x'",
        "COPY (SELECT 1) TO STDOUT",
        "CALL something()",
        "PREPARE x AS EXECUTE y",
        "EXECUTE x",
        "CREATE TABLE y AS EXECUTE x",
        "CREATE MATERIALIZED VIEW y AS SELECT 1; DROP TABLE orders",
        "DECLARE c CURSOR FOR VACUUM",
        "EXPLAIN EXPLAIN SELECT 1",
        "SET work_mem = '1GB'",
        "VACUUM",
        "LOCK TABLE orders",
        "BEGIN",
        "",
        "-- nothing",
        "not sql at all",
        "SELECT $99999",
    ],
)
def test_what_is_no_query_is_refused_before_the_server_sees_it(sql: str):
    with pytest.raises(UsageError):
        explainable(sql)


def test_explain_before_a_query_is_left_out(connection: Any):
    for sql in ("EXPLAIN SELECT 1", "explain (analyze, buffers) SELECT 1", "EXPLAIN ANALYZE VERBOSE SELECT 1"):
        found = plan(connection, prepared(connection, sql))
        assert not found.executed


@pytest.mark.parametrize(
    "wrapped",
    [
        "PREPARE one (bigint) AS SELECT * FROM orders WHERE id = $1",
        'DECLARE "c_1" NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM orders WHERE id = $1',
        "CREATE TEMP TABLE copied AS SELECT * FROM orders WHERE id = $1 WITH NO DATA",
        "create materialized view copied as (SELECT * FROM orders WHERE id = $1)",
        "CREATE TABLE copied (id) WITH (fillfactor = 70) AS SELECT * FROM orders WHERE id = $1",
    ],
)
def test_of_a_cursor_and_the_like_the_query_inside_is_planned(connection: Any, wrapped: str):
    found = plan(connection, prepared(connection, wrapped))
    assert (found.root.kind, found.root.index) == ("Index Scan", "orders_pkey")


def test_a_refusal_says_what_was_given():
    with pytest.raises(UsageError, match=r"this is VACUUM$"):
        explainable("vacuum orders")
    with pytest.raises(UsageError, match=r"this is CREATE UNIQUE INDEX$"):
        explainable("CREATE UNIQUE INDEX ON orders (id)")
    with pytest.raises(UsageError, match="2 statements in one text: only one is planned at a time; put them into a file"):
        explainable("SELECT 1; SELECT 2")


def test_planning_a_change_changes_nothing(shop: str, connection: Any):
    for sql in (
        "DELETE FROM items",
        "UPDATE orders SET total = 0",
        "INSERT INTO customers (name, tenant_id) VALUES ('x', 1)",
        "SELECT nextval('numbers')",
        "WITH gone AS (DELETE FROM items RETURNING 1) SELECT count(*) FROM gone",
        "SELECT * INTO copied FROM orders",
        "SELECT * FROM orders FOR UPDATE",
        "MERGE INTO orders USING customers c ON c.id = orders.id WHEN MATCHED THEN DELETE",
    ):
        assert not plan(connection, prepared(connection, sql)).executed
    assert count(shop, "SELECT count(*) FROM items") == 40_000
    assert count(shop, "SELECT last_value FROM numbers") == 1
    assert count(shop, "SELECT count(*) FROM pg_class WHERE relname = 'copied'") == 0


def test_changes_and_functions_with_effects_are_not_executed(shop: str, connection: Any):
    for sql in (
        "DELETE FROM items",
        "WITH gone AS (DELETE FROM items RETURNING 1) SELECT count(*) FROM gone",
        "SELECT * FROM orders FOR UPDATE",
        "SELECT nextval('numbers')",
        "SELECT pg_sleep(1)",
        "SELECT noisy(id) FROM orders LIMIT 1",
        "SELECT set_config('work_mem', '1GB', false)",
        "SELECT * INTO copied FROM orders",
        "WITH few AS (SELECT * FROM orders LIMIT 3) SELECT * INTO copied FROM few",
    ):
        with pytest.raises(UsageError, match="--disposable"):
            analyzed(connection, prepared(connection, sql))
    assert count(shop, "SELECT count(*) FROM items") == 40_000
    assert count(shop, "SELECT last_value FROM numbers") == 1


def test_a_query_that_only_reads_is_executed_when_asked_for(connection: Any):
    found = analyzed(connection, prepared(connection, "SELECT count(*) FROM large_orders WHERE random() >= 0"))
    assert found.executed
    assert found.execution_seconds is not None


def test_a_view_with_a_volatile_function_is_not_executed(shop: str):
    with psycopg.connect(shop, autocommit=True) as other:
        other.execute("CREATE VIEW loud AS SELECT noisy(id) FROM orders")
    try:
        with open_read_only(shop) as opened, planning(opened), pytest.raises(UsageError, match="noisy"):
            analyzed(opened, prepared(opened, "SELECT * FROM loud"))
    finally:
        with psycopg.connect(shop, autocommit=True) as other:
            other.execute("DROP VIEW loud")


HIDDEN = """
CREATE FUNCTION "Loud one"() RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 1; END';
CREATE FUNCTION random(int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN $1; END';
CREATE FUNCTION behind_operator(int, int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN $1; END';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = behind_operator);
CREATE FUNCTION behind_aggregate(int, int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN $1; END';
CREATE AGGREGATE summed(int) (SFUNC = behind_aggregate, STYPE = int, INITCOND = '0');
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION behind_cast(int) RETURNS pair LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN ROW($1, $1)::pair; END';
CREATE CAST (int AS pair) WITH FUNCTION behind_cast(int);
"""


def test_a_volatile_function_is_found_under_any_name(server: Any):
    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as other:
        other.execute(HIDDEN)
    try:
        with open_read_only(server.dsn(name)) as opened, planning(opened):
            for expression, called in (
                ('"Loud one"()', "Loud one"),
                ("random(i)", "random"),
                ("i === 1", "behind_operator"),
                ("summed(i)", "behind_aggregate"),
                ("i::pair", "behind_cast"),
            ):
                with pytest.raises(UsageError, match=f"calls {called}, which is volatile"):
                    analyzed(opened, prepared(opened, f"SELECT {expression} FROM generate_series(1, 3) i"))
            assert analyzed(opened, prepared(opened, "SELECT gen_random_uuid(), sum(i + 1), max(i::text) FROM generate_series(1, 3) i")).executed
    finally:
        server.drop_database(name)


def test_functions_that_planning_may_call_are_named(connection: Any):
    assert folded_functions(connection, explainable("SELECT taxed(5), lower('A') FROM orders WHERE total > taxed($1)")) == (["public.taxed"], [])
    assert folded_functions(connection, explainable("SELECT noisy(id), now() FROM orders")) == ([], [])


def test_a_refusal_is_postgresqls_own_words(connection: Any):
    for sql, words in (
        ("SELECT nothing FROM orders", 'column "nothing" does not exist'),
        ("SELECT * FROM nowhere", "migrations applied"),
        ("SELECT * FROM orders WHERE placed_at > $1 - $2", r"as in \$1::bigint"),
        ("SELECT sum(id, id) FROM orders", "does not exist"),
    ):
        with pytest.raises(NotPlannedError, match=words):
            plan(connection, prepared(connection, sql))
        assert plan(connection, prepared(connection, "SELECT 1")).rows == 1


def test_sizes_are_those_that_the_planner_takes(connection: Any):
    found = sizes(connection, [plan(connection, prepared(connection, "SELECT * FROM large_orders"))])
    assert found["public.orders"].rows == pytest.approx(20_000, rel=0.01)
    assert found["public.orders"].pages > 100


def test_a_table_that_was_never_analyzed_has_the_rows_that_the_planner_takes(shop: str):
    with psycopg.connect(shop, autocommit=True) as other:
        other.execute("CREATE TABLE \"Fresh\" AS SELECT i AS id, 'x' || i AS name FROM generate_series(1, 5000) i")
    try:
        with open_read_only(shop) as opened, planning(opened):
            found = sizes(opened, [plan(opened, prepared(opened, 'SELECT * FROM "Fresh" JOIN orders USING (id) WHERE name = $1'))])
            assert found["public.Fresh"].guessed
            assert found["public.Fresh"].rows == plan(opened, prepared(opened, 'SELECT * FROM "Fresh"')).rows > 1_000
            assert not found["public.orders"].guessed
    finally:
        with psycopg.connect(shop, autocommit=True) as other:
            other.execute('DROP TABLE "Fresh"')


def test_values_that_the_server_does_not_take_cost_no_plan(connection: Any):
    found = plans_with(connection, prepared(connection, "SELECT * FROM orders WHERE placed_at > $1"), [("2020-05-01",), ("not a date",), ("now",)])
    assert [one is None for one in found] == [False, True, False]


def test_values_of_columns_are_read_for_the_planner(connection: Any):
    found = column_values(connection, [("public.orders", "status"), ("public.orders", "nothing"), ("public.nowhere", "a")])
    assert set(found) == {("public.orders", "status")}
    assert found["public.orders", "status"].common[0] == "delivered"
    assert found["public.orders", "status"].frequencies[0] == pytest.approx(0.95, abs=0.02)


def test_the_transaction_stays_read_only_and_is_rolled_back(shop: str):
    with open_read_only(shop) as opened:
        with planning(opened):
            assert opened.execute("SHOW transaction_read_only").fetchone() == ("on",)
            assert opened.execute("SHOW statement_timeout").fetchone() == ("5s",)
            assert opened.execute("SHOW search_path").fetchone() == ('"$user", public',)
        assert opened.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
