"""Queries that are broken, deep or huge: named as unread, in bounded time, and nothing raises."""

from __future__ import annotations

import random
import time

import pytest

from dbguard.parsing.query import read_query
from dbguard.parsing.query.shapes import shape_of
from tests.queries.schemas import SHOP, rules_of, step_of

DEEP = "SELECT " + "(" * 3_000 + "1" + ")" * 3_000
NESTED = "SELECT * FROM (" * 300 + "orders" + ") AS q" * 300
DOUBLING = "SELECT id FROM " + "(SELECT number || number AS number FROM " * 40 + "orders" + ") AS q" * 40 + " WHERE number = $1"
CHAIN = "SELECT " + " || ".join(["number"] * 4_000) + " FROM orders"
MANY_TABLES = "SELECT 1 FROM " + ", ".join(f"orders o{i}" for i in range(2_000))
MANY_JOINS = (
    "SELECT 1 FROM orders o0 " + " ".join(f"JOIN orders o{i} ON o{i}.number = o{i - 1}.number" for i in range(1, 300)) + " WHERE o0.number = $1"
)
LONG_LIST = f"SELECT number FROM orders WHERE id IN ({', '.join(map(str, range(20_000)))})"
MANY_ORS = "SELECT number FROM orders WHERE " + " OR ".join(f"(number = ${i} AND id > {i})" for i in range(1, 2_000))
UNIONS = " UNION ALL ".join(["SELECT id FROM orders"] * 1_500)
CTES = "WITH " + ", ".join(f"c{i} AS (SELECT * FROM {'orders' if i == 0 else f'c{i - 1}'})" for i in range(400)) + " SELECT * FROM c399"
STARS = "SELECT * FROM " + ", ".join(f"orders o{i}" for i in range(400))
QUERY_WORDS = "SELECT FROM WHERE AND OR NOT IN ( ) , $1 %s :x ? = < > JOIN LEFT ON USING id number orders o . * LIMIT 10 ORDER BY"
HUGE = "SELECT '" + "x" * 2_000_000 + "'"


@pytest.mark.parametrize(
    "text", [DEEP, NESTED, DOUBLING, CHAIN, MANY_TABLES, MANY_JOINS, LONG_LIST, MANY_ORS, UNIONS, CTES, STARS, HUGE], ids=lambda text: text[:30]
)
def test_a_monster_is_judged_or_named_in_bounded_time(text: str):
    rules_of("SELECT 1")
    began = time.process_time()
    rules_of(text)
    shape_of(text)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "text",
    ["", ";", "--", "/*", "'", '"', "$$", "\0", "SELECT * FROM", "%s", ":", "?", "@", "SELECT 1; SELECT 2", "\udcff", "WITH x AS ()", "{{ x }}"],
)
def test_what_is_no_query_says_why(text: str):
    found = read_query(text)
    assert found.body is None
    assert found.unread


def test_scrambled_queries_never_raise():
    scramble = random.Random(7)
    words = (
        SHOP.split()
        + [
            "SELECT",
            "FROM",
            "WHERE",
            "AND",
            "OR",
            "NOT",
            "IN",
            "(",
            ")",
            ",",
            "$1",
            "%s",
            ":x",
            "?",
            "=",
            "<",
            ">",
            "JOIN",
            "LEFT",
            "ON",
            "USING",
            "id",
            "number",
            "orders",
            "o",
            ".",
            "*",
            "LIMIT",
            "10",
            "ORDER",
            "BY",
        ]
        * 5
    )
    for _ in range(1_500):
        rules_of(" ".join(scramble.choices(words, k=scramble.randint(1, 25))))


def test_a_query_that_is_cut_anywhere_never_raises():
    text = "WITH c AS (SELECT o.id, $1::text AS x FROM orders o WHERE o.data @> '{}' FOR UPDATE) UPDATE items i SET sku = c.x FROM c WHERE i.order_id = c.id"
    for end in range(len(text)):
        rules_of(text[:end])


def test_names_that_do_not_exist_are_told_and_nothing_else_is():
    step = step_of("SELECT id FROM nowhere WHERE x = $1")
    assert step.query.unread == ("table `nowhere` was not found",)
    assert rules_of("SELECT id, missing FROM orders WHERE number = $1") == []
