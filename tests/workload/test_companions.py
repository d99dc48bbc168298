"""Writes, commits, repeated questions, pages, transactions and locks; the larger half is what must be silent."""

from __future__ import annotations

from typing import Any

import pytest

from dbguard.model.finding import Severity
from tests.workload.told import inspect_units
from tests.workload.units import SELECTION, call, findings, rounds, rules
from tests.written_calls import unit_of

INSERT = "INSERT INTO items (order_id, product_id) VALUES ($1, $2)"
UPDATE = "UPDATE products SET price = $1 WHERE id = $2"
SETTING = "SELECT theme FROM settings WHERE account_id = $1"


def begin(at: str = "shop/pay.py:10", **more: Any) -> dict[str, Any]:
    return call("BEGIN", at=at, transaction="1", **more)


def commit(at: str = "shop/pay.py:19", **more: Any) -> dict[str, Any]:
    return call("COMMIT", at=at, transaction="1", **more)


def inside(sql: str, *parameters: str, at: str, **more: Any) -> dict[str, Any]:
    return call(sql, *parameters, at=at, transaction="1", rows=1, **more)


FOUND = {
    "inserts in a loop": ([rounds(5, call(INSERT, "1", "#", loop="shop/cart.py:40"))], ["insert-per-row shop/cart.py:40"]),
    "many inserts at one line": ([rounds(10, call(INSERT, "1", "#", at="shop/signals.py:4"))], ["insert-per-row shop/signals.py:4"]),
    "updates in a loop": ([rounds(5, call(UPDATE, "#0", "#", loop="shop/prices.py:4"))], ["update-per-row shop/prices.py:4"]),
    "updates of arrays": ([rounds(5, call("UPDATE t SET tags = $1 WHERE id = $2", "[3]#", "#", loop="a.py:4"))], ["update-per-row a.py:4"]),
    "deletes in a loop": ([rounds(5, call("DELETE FROM t WHERE id = $1", "#", loop="shop/a.py:4"))], ["update-per-row shop/a.py:4"]),
    "rows that are fetched, changed and written": (
        [rounds(5, call("SELECT stock FROM products WHERE id = $1", "#", loop="shop/a.py:4", rows=1), call(UPDATE, "#0", "#", loop="shop/a.py:6"))],
        ["read-write-per-row shop/a.py:4"],
    ),
    "commits in a loop": (
        [rounds(11, call("UPDATE t SET a = 1", at="shop/a.py:3", rows=1), call("COMMIT", loop="shop/a.py:4"))],
        ["commit-per-row shop/a.py:4"],
    ),
    "the same question twice": ([rounds(2, call(SETTING, "7", at="shop/a.py:4", rows=1))], ["query-repeated shop/a.py:4"]),
    "the same question at two places": (
        [call(SETTING, "7", at="shop/a.py:4", rows=1), call(SETTING, "7", at="shop/b.py:4", rows=1)],
        ["query-repeated shop/b.py:4"],
    ),
    "offsets that are parameters": (
        [rounds(3, call("SELECT id FROM t ORDER BY id LIMIT 10 OFFSET $1", "#", loop="shop/a.py:4"))],
        ["offset-growing shop/a.py:4"],
    ),
    "a count of what is paged": (
        [
            call("SELECT count(*) AS count_1 FROM orders WHERE a = %(a_1)s", "1", at="shop/a.py:4", rows=1),
            call("SELECT id FROM orders WHERE a = %(a_1)s ORDER BY id LIMIT 10", "1", at="shop/a.py:5", rows=10),
        ],
        ["count-then-fetch shop/a.py:4"],
    ),
    "a count around a query": (
        [
            call("SELECT count(*) FROM (SELECT id FROM orders WHERE a = $1) AS anon_1", "1", at="shop/a.py:4", rows=1),
            call("SELECT id FROM orders WHERE a = $1 LIMIT 10 OFFSET 20", "1", at="shop/a.py:5", rows=10),
        ],
        ["count-then-fetch shop/a.py:4"],
    ),
    "a pause in a transaction": (
        [begin(), inside("SELECT 1 FROM t", at="shop/pay.py:11"), inside("INSERT INTO t VALUES ($1)", at="shop/pay.py:14", after=1.5), commit()],
        ["transaction-idle shop/pay.py:11"],
    ),
    "a pause under a lock": (
        [
            begin(),
            inside("SELECT 1 FROM t FOR UPDATE", at="shop/pay.py:11"),
            inside("INSERT INTO t VALUES ($1)", at="shop/pay.py:14", after=0.5),
            commit(),
        ],
        ["lock-held-idle shop/pay.py:11"],
    ),
    "a pause between an update and the commit": (
        [begin(), inside("UPDATE t SET a = 1 WHERE id = $1", "1", at="shop/pay.py:11"), commit(after=0.5)],
        ["lock-held-idle shop/pay.py:11"],
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_it_is_found(name: str):
    calls, wanted = FOUND[name]
    assert rules(*calls) == wanted


SILENT = {
    "four inserts": [rounds(4, call(INSERT, "1", "#", loop="shop/cart.py:40"))],
    "an executemany in a loop": [rounds(9, call(INSERT, many=500, loop="shop/cart.py:40"))],
    "inserts of many rows": [rounds(9, call("INSERT INTO t (a) VALUES ($1), ($2)", "1#", "2#", loop="shop/cart.py:40"))],
    "inserts from a query": [rounds(9, call("INSERT INTO t (a) SELECT a FROM u WHERE b = $1", "1#", loop="shop/cart.py:40"))],
    "inserts by a flush": [rounds(9, call(INSERT, "1", "#", at="shop/cart.py:40", load="flush Item one sqlalchemy"))],
    "inserts that need the row before": [
        call("INSERT INTO nodes (parent_id) VALUES ($1) RETURNING id", str(n), loop="shop/cart.py:40", results={"id": [str(n + 1)]}) for n in range(8)
    ],
    "inserts by the set-up of a test": [rounds(9, call(INSERT, "1", "#", at="shop/models.py:4", loop="tests/conftest.py:40"))],
    "updates of whole tables": [rounds(9, call("UPDATE t SET a = $1", "#", loop="shop/a.py:4"))],
    "updates in batches": [rounds(9, call("UPDATE t SET a = true WHERE id = ANY($1)", "[500]#", loop="shop/a.py:4"))],
    "deletes in batches": [rounds(9, call("DELETE FROM t WHERE id IN (SELECT id FROM t WHERE old LIMIT 1000)", loop="shop/a.py:4", rows=1000))],
    "four updates": [rounds(4, call(UPDATE, "#0", "#", loop="shop/prices.py:4"))],
    "ten commits": [
        rounds(10, call(INSERT, "#", "1", at="shop/a.py:3", rows=1, load="flush Item one sqlalchemy"), call("COMMIT", loop="shop/a.py:4"))
    ],
    "commits of batches": [rounds(30, call(INSERT, many=1000, at="shop/a.py:3", rows=1000), call("COMMIT", loop="shop/a.py:4"))],
    "commits after reads": [rounds(30, call("SELECT id FROM t", at="shop/a.py:3", rows=0), call("COMMIT", loop="shop/a.py:4"))],
    "workers of a queue": [
        rounds(
            30,
            call("SELECT id FROM jobs LIMIT 1 FOR UPDATE SKIP LOCKED", loop="shop/a.py:2", rows=1, results={"id": ["#"]}),
            call("SELECT id FROM jobs WHERE state = $1 FOR UPDATE", "#", at="shop/a.py:3", rows=1),
            call("UPDATE jobs SET done = true WHERE done = false", at="shop/a.py:3", rows=1),
            call("COMMIT", loop="shop/a.py:4"),
        )
    ],
    "a question after its table was written": [call(SETTING, "7", rows=1), call("DELETE FROM settings", rows=9), call(SETTING, "7", rows=0)],
    "a question of another database": [call(SETTING, "7", rows=1, at="a.py:1"), call(SETTING, "8", rows=1, at="a.py:2")],
    "a question with a function": [rounds(3, call("SELECT nextval('s') FROM t", rows=1, at="a.py:1"))],
    "a question under a lock": [rounds(3, call("SELECT id FROM t FOR UPDATE", rows=1, at="a.py:1"))],
    "one page by OFFSET": [call("SELECT id FROM t ORDER BY id LIMIT 10 OFFSET $1", "20", at="shop/a.py:4")],
    "the same page of two lists": [
        rounds(3, call("SELECT id FROM t WHERE a = $1 ORDER BY id LIMIT 10 OFFSET $2", "#", "0", loop="shop/a.py:4", rows=3))
    ],
    "a count of something else": [
        call("SELECT count(*) FROM orders WHERE a = $1", "1", at="shop/a.py:4", rows=1),
        call("SELECT id FROM orders WHERE b = $1 LIMIT 10", "1", at="shop/a.py:5", rows=10),
    ],
    "a count alone": [call("SELECT count(*) FROM orders", at="shop/a.py:4", rows=1)],
    "a transaction that works": [
        begin(),
        *[inside("SELECT a FROM t WHERE b = $1", str(n), at=f"shop/pay.py:{n}", seconds=1.0) for n in range(20, 23)],
        commit(),
    ],
    "a short pause": [
        begin(),
        inside("SELECT a FROM t", at="shop/pay.py:11"),
        inside("INSERT INTO t VALUES ($1)", at="shop/pay.py:14", after=0.5),
        commit(),
    ],
    "a pause before the first statement": [begin(), inside("UPDATE t SET a = 1", at="shop/pay.py:11", after=5), commit()],
    "a pause before the lock": [
        begin(),
        inside("SELECT a FROM t", at="shop/pay.py:11"),
        inside("UPDATE t SET a = $1", "1", at="shop/pay.py:14", after=0.5),
        commit(),
    ],
    "an update that changed nothing": [begin(), call("UPDATE t SET a = 1", at="shop/pay.py:11", rows=0, transaction="1"), commit(after=0.5)],
    "a transaction of the test": [
        begin(at="tests/conftest.py:4"),
        inside("UPDATE t SET a = 1", at="shop/pay.py:11"),
        inside("SELECT a FROM t", at="shop/pay.py:12", after=4),
        commit(at="tests/conftest.py:9"),
    ],
}


@pytest.mark.parametrize("name", SILENT)
def test_a_look_alike_is_silent(name: str):
    assert rules(*SILENT[name], kind="test" if "test" in name else "request", phase="call" if "test" in name else "") == []


def test_a_few_repeats_are_advice_and_many_a_warning():
    assert [one.severity for one in findings(rounds(4, call(SETTING, "7", at="a.py:1", rows=1)))] == [Severity.ADVICE]
    assert [one.severity for one in findings(rounds(5, call(SETTING, "7", at="a.py:1", rows=1)))] == [Severity.WARNING]


def test_findings_of_several_units_are_one():
    text = '{"times": %d, "sql": "SELECT id FROM customers WHERE id = $1", "parameters": ["#"], "loop": "shop/a.py:4"}'
    units = [unit_of(text % times, name=f"GET /{times}") for times in (3, 9, 5)]
    found = list(inspect_units(units, SELECTION))
    assert [(one.calls, one.units) for one in found] == [(9, 3)]
    assert "up to 9 calls in each of 3 units of work, such as `GET /9`" in found[0].message


def test_a_relationship_that_every_row_shares_is_repeated_and_has_its_fix():
    found = findings(rounds(5, call("SELECT id FROM orders WHERE id = $1", "7", loop="shop/a.py:4", rows=1, load="lazy Item.order one django")))
    assert [(one.rule, one.instead) for one in found] == [("query-repeated", 'load it with its owner: .select_related("order")')]
