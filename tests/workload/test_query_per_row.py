"""What counts as a query per row, with what evidence; and what looks like one."""

from __future__ import annotations

import pytest

from dbguard.model.finding import Severity
from tests.workload.units import call, findings, rounds, rules

ORDERS = call("SELECT id, customer_id FROM orders", at="shop/views.py:12", results={"id": ["1", "2", "3"], "customer_id": ["71", "72", "73"]})
ONE_ORDER = call("SELECT id, customer_id FROM orders WHERE id = $1", "1", at="shop/views.py:12", results={"id": ["1"], "customer_id": ["71"]})
CUSTOMER = "SELECT id, name FROM customers WHERE id = $1"
ITEMS = "SELECT id, price FROM items WHERE order_id = $1"
LAZY = "lazy Order.customer one sqlalchemy"


def test_a_lazy_load_per_row_is_found_at_its_loop_with_parent_and_fix():
    found = findings(ORDERS, rounds(3, call(CUSTOMER, "7#", at="shop/models.py:40 shop/views.py:14", loop="shop/views.py:14", load=LAZY)))
    assert [(one.rule, one.path, one.line) for one in found] == [("query-per-row", "shop/views.py", 14)]
    assert "Order.customer is loaded once per row of the query at shop/views.py:12: 3 calls" in found[0].message
    assert found[0].instead == "at shop/views.py:12, load it with its owner: .options(joinedload(Order.customer))"
    assert (found[0].calls, found[0].units) == (3, 1)
    assert [place[:2] for place in found[0].places] == [("shop/views.py", 14), ("shop/models.py", 40), ("shop/views.py", 12)]


def test_a_lazy_load_needs_no_loop_because_a_serializer_has_its_own():
    assert rules(ORDERS, rounds(2, call(CUSTOMER, "7#", at="shop/serializers.py:5", load=LAZY))) == ["query-per-row shop/serializers.py:5"]


def test_a_lazy_load_needs_no_results_because_rows_can_stay_on_the_server():
    assert rules(rounds(2, call(CUSTOMER, "7#", at="shop/serializers.py:5", load=LAZY))) == ["query-per-row shop/serializers.py:5"]


def test_a_deferred_column_per_row_is_found():
    found = findings(
        ORDERS, rounds(3, call("SELECT note FROM orders WHERE id = $1", "#", loop="shop/views.py:14", load="column Order.note one sqlalchemy"))
    )
    assert [one.instead for one in found] == ["at shop/views.py:12, load the column with the rest: .options(undefer(Order.note))"]


def test_raw_sql_in_a_loop_over_rows_is_found_with_its_parent():
    found = findings(ORDERS, rounds(3, call(CUSTOMER, "7#", loop="shop/views.py:14")))
    assert [one.message for one in found] == [
        "a query on `customers` is sent once per row of the query at shop/views.py:12: 3 calls in `GET /orders`"
    ]
    assert found[0].instead == "fetch them together: WHERE id = ANY($1) with all values, or join `customers` to the query that gives them"


def test_a_query_per_row_without_a_loop_of_the_user_is_found_by_its_parameters():
    assert rules(ORDERS, rounds(3, call(ITEMS, "#", at="shop/serializers.py:9"))) == ["query-per-row shop/serializers.py:9"]


def test_a_get_in_a_loop_over_keys_from_outside_is_found():
    found = findings(rounds(3, call(CUSTOMER, "7#", loop="shop/views.py:14", load="query Customer one sqlalchemy")))
    assert [one.instead for one in found] == ["fetch them together: select(Customer).where(Customer.id.in_(...))"]


def test_a_list_of_one_is_a_query_per_row():
    assert rules(rounds(3, call("SELECT id FROM customers WHERE id = ANY($1)", "[1]7#", loop="shop/a.py:4"))) == ["query-per-row shop/a.py:4"]


def test_a_count_per_row_is_grouped():
    found = findings(ORDERS, rounds(3, call("SELECT count(*) FROM items WHERE order_id = $1", "#", loop="shop/views.py:14")))
    assert [one.instead for one in found] == ["ask once for all rows: GROUP BY order_id with order_id = ANY($1)"]


def test_nested_relationships_are_found_each_with_the_whole_way_to_it():
    found = findings(
        ORDERS,
        *[
            one
            for n in "123"
            for one in (
                call(ITEMS, n, loop="shop/views.py:14", load="lazy Order.items many sqlalchemy", results={"id": [f"{n}5"], "product_id": [f"9{n}"]}),
                call("SELECT id FROM products WHERE id = $1", f"9{n}", loop="shop/views.py:15", load="lazy Item.product one sqlalchemy"),
            )
        ],
    )
    assert [(one.line, one.instead) for one in found] == [
        (14, "at shop/views.py:12, load it with its owner: .options(selectinload(Order.items))"),
        (15, "at shop/views.py:12, load it with its owner: .options(selectinload(Order.items).joinedload(Item.product))"),
    ]


@pytest.mark.parametrize(
    ("load", "fix"),
    [
        ("lazy Order.customer one django", '.select_related("customer")'),
        ("lazy Order.items many django", '.prefetch_related("items")'),
    ],
)
def test_the_fix_speaks_django(load: str, fix: str):
    found = findings(ORDERS, rounds(3, call(CUSTOMER, "7#", loop="shop/views.py:14", load=load)))
    assert [one.instead for one in found] == [f"at shop/views.py:12, load it with its owner: {fix}"]


def test_parameters_that_repeat_per_row_count_once_they_differ_at_all():
    calls = [call(CUSTOMER, key, loop="shop/views.py:14", load=LAZY) for key in ("71", "72", "71", "73")]
    assert rules(ORDERS, *calls) == ["query-per-row shop/views.py:14"]


def test_pages_of_parents_are_one_parent():
    page = "SELECT id, customer_id FROM orders WHERE id > $1 ORDER BY id LIMIT 2"
    found = findings(
        call(page, "0", at="shop/views.py:10", results={"id": ["1", "2"], "customer_id": ["71", "72"]}),
        *[call(CUSTOMER, key, loop="shop/views.py:14", load=LAZY) for key in ("71", "72")],
        call(page, "2", at="shop/views.py:10", results={"id": ["3", "4"], "customer_id": ["73", "74"]}),
        *[call(CUSTOMER, key, loop="shop/views.py:14", load=LAZY) for key in ("73", "74")],
    )
    assert [(one.rule, one.calls) for one in found] == [("query-per-row", 4)]
    assert "shop/views.py:10" in found[0].message


LOOK_ALIKES = {
    "one object and what belongs to it": [ONE_ORDER, call(CUSTOMER, "71", at="shop/views.py:14", load=LAZY)],
    "one object after the other": [
        one
        for n in "123"
        for one in (
            call(
                "SELECT id, customer_id FROM jobs LIMIT 1 FOR UPDATE SKIP LOCKED",
                loop="shop/work.py:5",
                results={"id": [n], "customer_id": [f"7{n}"]},
            ),
            call(CUSTOMER, f"7{n}", loop="shop/work.py:6", load=LAZY),
        )
    ],
    "an empty list": [call("SELECT id, customer_id FROM orders", at="shop/views.py:12", rows=0)],
    "a helper called twice": [call(CUSTOMER, "5", at="shop/helper.py:3"), call(CUSTOMER, "6", at="shop/helper.py:3")],
    "a helper called twice, and small numbers meet": [
        call("SELECT id FROM countries", at="shop/views.py:2", results={"id": ["1", "2", "3", "4"]}),
        call("SELECT id FROM accounts WHERE id = $1", "2", at="shop/helper.py:3"),
        call("SELECT id FROM accounts WHERE id = $1", "1", at="shop/helper.py:3"),
    ],
    "a loop over two constants": [rounds(2, call("SELECT count(*) FROM orders WHERE state = $1", "s#", loop="shop/views.py:4"))],
    "different places": [call(CUSTOMER, "5", at="shop/a.py:3"), call(CUSTOMER, "6", at="shop/a.py:9")],
    "pages by keyset": [rounds(4, call("SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT 50", "#", loop="shop/export.py:4"))],
    "pages by a keyset of two columns": [
        rounds(4, call("SELECT id FROM orders WHERE (placed_at, id) > ($1, $2) ORDER BY placed_at, id LIMIT 50", "a#", "#", loop="shop/export.py:4"))
    ],
    "chunks of IN": [ORDERS, rounds(3, call("SELECT id FROM customers WHERE id IN ($1, $2)", "7#", "8#", loop="shop/export.py:4"))],
    "chunks of ANY": [rounds(3, call("SELECT id FROM customers WHERE id = ANY($1)", "[500]#", loop="shop/export.py:4"))],
    "eager loads": [ORDERS, rounds(3, call(ITEMS, "#", at="shop/views.py:12", load="eager Order.items many sqlalchemy"))],
    "refreshes by the ORM": [
        ORDERS,
        rounds(3, call("SELECT id FROM orders WHERE id = $1", "#", loop="shop/views.py:14", load="refresh Order one sqlalchemy")),
    ],
    "flushes": [
        ORDERS,
        rounds(6, call("UPDATE orders SET a = $1 WHERE id = $2", "x#", "#", loop="shop/views.py:14", load="flush Order one sqlalchemy")),
    ],
    "rows read back after they were written": [
        rounds(
            4,
            call("INSERT INTO orders (number) VALUES ($1) RETURNING id", "n#", loop="shop/load.py:5", results={"id": ["8#"]}),
            call("SELECT id, total FROM orders WHERE id = $1", "8#", loop="shop/load.py:6", rows=1),
        )
    ],
    "the catalog": [rounds(5, call("SELECT oid FROM pg_catalog.pg_type WHERE typname = $1", "t#", loop="shop/types.py:5"))],
    "the information schema": [
        rounds(5, call("SELECT column_name FROM information_schema.columns WHERE table_name = $1", "t#", loop="shop/types.py:5"))
    ],
    "pings": [rounds(9, call("SELECT 1", loop="shop/pool.py:5"))],
    "settings": [rounds(9, call("SET LOCAL statement_timeout = '#'", loop="shop/pool.py:5"))],
    "functions": [rounds(4, call("SELECT pg_advisory_xact_lock($1)", "#", loop="shop/lock.py:5"))],
    "savepoints": [rounds(9, call("SAVEPOINT s#", loop="shop/pool.py:5"), call("RELEASE SAVEPOINT s#", loop="shop/pool.py:6"))],
    "retries after an error": [
        call(CUSTOMER, "1", loop="shop/retry.py:5", error="40001"),
        call(CUSTOMER, "1", loop="shop/retry.py:5", error="40001"),
        call(CUSTOMER, "1", loop="shop/retry.py:5"),
    ],
    "transactions that are tried again": [
        one
        for n in range(3)
        for one in (
            call(CUSTOMER, "1", loop="shop/retry.py:5", transaction=str(n)),
            call("ROLLBACK" if n < 2 else "COMMIT", loop="shop/retry.py:5", transaction=str(n)),
        )
    ],
    "polling": [rounds(6, call("SELECT id FROM jobs WHERE state = $1", "new", loop="shop/wait.py:5", rows=0))],
    "polling until there is something": [
        rounds(6, call("SELECT id FROM jobs WHERE state = $1", "new", loop="shop/wait.py:5", rows=0)),
        call("SELECT id FROM jobs WHERE state = $1", "new", loop="shop/wait.py:5", rows=1, results={"id": ["4"]}),
    ],
    "nine calls in a row in a log": [rounds(9, call(CUSTOMER, "7#", transaction="1"))],
    "calls of many transactions in a log": [rounds(30, call(CUSTOMER, "7#", transaction="#"))],
    "calls of a log with others in between": [
        rounds(20, call(CUSTOMER, "7#", transaction="1"), *[call(f"SELECT a FROM t{n}", f"#{n}", transaction="1") for n in "abc"])
    ],
    "windows of keys": [rounds(6, call("SELECT id FROM orders WHERE id >= $1 AND id < $2", "#0", "#9", loop="shop/export.py:5"))],
    "windows of time": [rounds(6, call("SELECT sum(a) FROM orders WHERE placed_at BETWEEN $1 AND $2", "#0", "#9", loop="shop/export.py:5"))],
    "jobs of a worker, each in its own transaction": [
        rounds(
            6,
            call("BEGIN", at="shop/work.py:4", transaction="#"),
            call(CUSTOMER, "7#", at="shop/jobs.py:9", loop="shop/work.py:5", transaction="#"),
            call("SELECT name FROM settings", at="shop/jobs.py:8", loop="shop/work.py:5", transaction="#", rows=1),
            call("INSERT INTO log (job) VALUES ($1)", "#", at="shop/jobs.py:10", loop="shop/work.py:5", transaction="#"),
            call("COMMIT", at="shop/work.py:6", transaction="#"),
        )
    ],
    "content types": [rounds(4, call("SELECT id FROM django_content_type WHERE id = %s", "#", loop="a.py:5", load="query ContentType one django"))],
    "polling with rows": [rounds(6, call("SELECT state FROM jobs WHERE id = $1", "1", loop="shop/wait.py:5", rows=1, after=0.5))],
    "rows that are locked in order": [rounds(4, call("SELECT id FROM accounts WHERE id = $1 FOR UPDATE", "#", loop="shop/pay.py:5"))],
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_look_alike_is_silent(name: str):
    assert rules(*LOOK_ALIKES[name]) == []


def test_a_walk_down_a_tree_is_said_in_its_own_words():
    child = "SELECT id FROM categories WHERE parent_id = $1"
    load = "lazy Category.children many sqlalchemy"
    walk = [call(child, str(n), at="shop/tree.py:5", load=load, results={"id": [str(n * 2), str(n * 2 + 1)]}) for n in range(1, 6)]
    assert rules(*walk) == ["tree-per-node shop/tree.py:5"]


def test_a_walk_up_a_tree_is_said_in_its_own_words():
    up = [
        call("SELECT id, parent_id FROM categories WHERE id = $1", str(n), loop="shop/tree.py:5", results={"id": [str(n)], "parent_id": [str(n - 1)]})
        for n in range(9, 4, -1)
    ]
    assert rules(*up) == ["tree-per-node shop/tree.py:5"]


def test_ten_calls_in_a_row_are_a_hint_where_nothing_else_is_known():
    found = findings(*LOOK_ALIKES["nine calls in a row in a log"], call(CUSTOMER, "80", transaction="1"), kind="session")
    assert [(one.rule, one.severity, len(one.assumes), one.calls) for one in found] == [("query-per-row", Severity.ADVICE, 1, 10)]
    assert rules(rounds(30, call(CUSTOMER, "7#")), kind="session") == []


def test_a_window_per_row_is_a_query_per_row():
    sql = "SELECT sum(a) FROM payments WHERE customer_id = $1 AND at >= $2 AND at < $3"
    assert rules(rounds(3, call(sql, "7#", "a", "b", loop="shop/a.py:4"))) == ["query-per-row shop/a.py:4"]


def test_rows_of_one_list_with_a_transaction_each_are_found():
    assert rules(ORDERS, rounds(3, call(CUSTOMER, "7#", loop="shop/a.py:4", transaction="#"))) == ["query-per-row shop/a.py:4"]


def test_small_numbers_in_children_do_not_make_a_tree():
    calls = [call(ITEMS, n, loop="shop/views.py:14", load="lazy Order.items many django", results={"id": ["1", "2", "3"]}) for n in "123"]
    assert rules(*calls) == ["query-per-row shop/views.py:14"]


@pytest.mark.parametrize("phase", ["setup", "teardown"])
def test_what_prepares_a_test_is_silent(phase: str):
    assert rules(ORDERS, rounds(9, call(CUSTOMER, "7#", loop="shop/views.py:14", load=LAZY)), kind="test", phase=phase) == []


def test_what_a_test_repeats_itself_is_silent():
    calls = [ORDERS, rounds(9, call(CUSTOMER, "7#", at="shop/models.py:5", loop="tests/test_shop.py:14", load=LAZY))]
    assert rules(*calls, kind="test", phase="call") == []
    assert rules(*calls, kind="request") == ["query-per-row tests/test_shop.py:14"]


def test_junk_does_not_crash():
    rules(
        call("", "1"),
        call("", "2"),
        call("SELECT (((", "1", loop="a.py:1"),
        call("\0" * 9, loop="a.py:1"),
        rounds(5, call("x" * 9999, "#", loop="a.py:2")),
    )
