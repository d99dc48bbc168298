"""Whether an index serves a condition, and an order, as PostgreSQL's own planner says with sequential scans disabled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.queries.schemas import step_of

TABLE = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE t (
    id bigint, a int NOT NULL, b int, c text, v varchar(20), f bpchar(8), n numeric, u uuid, d timestamptz, e date, j jsonb, g text[],
    k boolean NOT NULL, m mood, r int4range
);
"""
INDEXES = (
    "(a)",
    "(a, b)",
    "(b, a)",
    "(c)",
    "(v)",
    "(f)",
    "(n)",
    "(u)",
    "(d)",
    "(d DESC)",
    "(e)",
    "(k)",
    "(m, a)",
    "(lower(c))",
    "(lower(v))",
    "((c || v))",
    "((j ->> 'x'))",
    "(c text_pattern_ops)",
    '(c COLLATE "C")',
    "USING hash (a)",
    "USING gin (j)",
    "USING gin (j jsonb_path_ops)",
    "USING gin (g)",
    "USING gist (r)",
    "USING brin (d)",
    "(a) WHERE b IS NULL",
    "(a) WHERE b IS NOT NULL",
    "(a) WHERE b > 5",
    "(a) WHERE k",
    "(a) WHERE NOT k",
    "(a) WHERE m = 'good'",
    "(a) WHERE m IN ('good', 'bad')",
    "(a) WHERE c IN ('x', 'y')",
    "(a) WHERE c <> 'z'",
    "(a) WHERE b IS NULL AND k",
    "(a) INCLUDE (b)",
)
CONDITIONS = (
    "a = $1",
    "$1 = a",
    "a = $1 AND b = $2",
    "b = $1",
    "a IN ($1, $2)",
    "a = ANY ($1)",
    "a > $1",
    "a BETWEEN $1 AND $2",
    "a <> $1",
    "a = 1 OR a = 2",
    "a = 1 OR b = 2",
    "(a, b) > ($1, $2)",
    "(a, b) = ($1, $2)",
    "(b, a) = ($1, $2)",
    "a + 1 = $1",
    "a = $1 + 1",
    "a::text = $1",
    "a = $1::numeric",
    "a = $1::bigint",
    "n = $1::int",
    "n = $1::float8",
    "c = $1",
    "c = $1::varchar",
    "v = $1",
    "v::text = $1",
    "f = $1",
    "f = $1::text",
    "lower(c) = $1",
    "lower(v) = lower($1)",
    "upper(c) = $1",
    "c || v = $1",
    "c LIKE 'x%'",
    "c LIKE '%x'",
    "c LIKE 'x'",
    "c ILIKE 'x%'",
    "u = $1",
    "d = $1",
    "d > $1",
    "d > now() - interval '1 day'",
    "d::date = $1",
    "date_trunc('day', d) = $1",
    "d >= $1::date AND d < $2::timestamp",
    "e = $1",
    "e > now()",
    "j ->> 'x' = $1",
    "j -> 'x' = $1",
    "j @> $1",
    "j ? 'x'",
    "g @> $1",
    "g && ARRAY['x']",
    "$1 = ANY (g)",
    "r @> 3",
    "r && int4range(1, 2)",
    "k",
    "NOT k",
    "k = true",
    "k IS TRUE",
    "m = $1 AND a = $2",
    "m = 'good' AND a = $1",
    "a = $1 AND b IS NULL",
    "a = $1 AND b IS NOT NULL",
    "a = $1 AND b = 7",
    "a = $1 AND b = $2 AND k",
    "a = $1 AND b > 7",
    "a = $1 AND b > 4",
    "a = $1 AND NOT k",
    "a = $1 AND k = false",
    "a = $1 AND c = 'x'",
    "a = $1 AND c IN ('x', 'y')",
    "a = $1 AND c IN ('x', 'q')",
    "a = $1 AND c = ANY ('{x,y}')",
    "a = $1 AND b IS NULL AND k",
    "b IS NULL",
    "b IS NOT NULL",
    "c IS NULL",
    "a IS NOT DISTINCT FROM $1",
    "coalesce(a, 0) = $1",
    "CASE WHEN $1 > 0 THEN a = $1 ELSE b = $2 END",
    "$1::int IS NULL OR a = $1",
)
ORDERS = (
    "a",
    "a DESC",
    "a, b",
    "a, b DESC",
    "a DESC, b DESC",
    "b, a",
    "d",
    "d DESC",
    "d DESC NULLS LAST",
    "lower(c)",
    "c",
    "u, a",
)


@pytest.fixture(scope="module")
def connection(server: Any) -> Iterator[Any]:
    import psycopg

    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as one:
        one.execute(TABLE)
        one.execute("SET enable_seqscan = off; SET enable_sort = on")
        yield one
    server.drop_database(name)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def planned(connection: Any, index: str, queries: list[str]) -> list[list[dict[str, Any]]]:
    found = []
    with connection.transaction(force_rollback=True):
        connection.execute(f"CREATE INDEX one ON t {index}")
        for query in queries:
            answer = connection.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {query}").fetchone()[0]
            found.append(list(nodes((answer if isinstance(answer, list) else json.loads(answer))[0]["Plan"])))
    return found


def is_walk(index: str, condition: str) -> bool:
    """Where PostgreSQL reads an index from end to end, or the test server's collation (C) is not that of others."""
    if condition == "b IS NOT NULL" or (index == "(c)" and condition == "c LIKE 'x%'"):
        return True
    return " OR " in condition and index in {"(a, b)", "(b, a)", "(m, a)"}


def is_partial_walk(index: str, plan: list[dict[str, Any]]) -> bool:
    """A partial index that is read whole: whether that is of use depends on its rows, not on the planner's rules."""
    return " WHERE " in index and not any("Index Cond" in node for node in plan)


@pytest.mark.parametrize("index", INDEXES)
def test_an_index_serves_a_condition_exactly_if_the_planner_can_use_it(connection: Any, index: str):
    plans = planned(connection, index, [f"SELECT * FROM t WHERE {condition}" for condition in CONDITIONS])
    wrong = []
    for condition, plan in zip(CONDITIONS, plans, strict=True):
        conditions = [node.get("Index Cond", "") for node in plan if "Index Cond" in node]
        (access,) = step_of(f"SELECT * FROM t WHERE {condition}", f"{TABLE} CREATE INDEX one ON t {index};").serving.accesses
        ours = access.use is not None and bool(access.use.clauses)
        if ours != bool(conditions) and not is_partial_walk(index, plan) and not is_walk(index, condition):
            wrong.append((condition, conditions, access.use and access.use.clauses))
    assert wrong == []


@pytest.mark.parametrize("index", [index for index in INDEXES if "WHERE" not in index and "USING" not in index])
def test_an_index_gives_an_order_exactly_if_the_planner_needs_no_sort(connection: Any, index: str):
    equal = {"": (), "WHERE a = $1 ": ("a",)}
    wrong = []
    cases = [(where, order) for where, order in product(equal, ORDERS) if not (where and order.startswith("b, a"))]
    plans = planned(connection, index, [f"SELECT * FROM t {where}ORDER BY {order} LIMIT 10" for where, order in cases])
    for (where, order), plan in zip(cases, plans, strict=True):
        sorts = any(node["Node Type"] in {"Sort", "Incremental Sort"} for node in plan)
        step = step_of(f"SELECT * FROM t {where}ORDER BY {order} LIMIT 10", f"{TABLE} CREATE INDEX one ON t {index};")
        ours = any(candidate.why == "order" for candidate in step.serving.candidates)
        if not where and ours and not sorts:
            wrong.append((order, "proposed, though the planner reads it in order"))
    assert wrong == []


def test_every_proposed_index_is_one_that_the_planner_uses(connection: Any):
    queries = [f"SELECT * FROM t WHERE {condition}" for condition in CONDITIONS]
    queries += ["SELECT * FROM t ORDER BY d DESC, a DESC LIMIT 5", "SELECT * FROM t WHERE a = $1 ORDER BY d DESC LIMIT 5"]
    proposed = 0
    for query in queries:
        for candidate in step_of(query, TABLE).serving.candidates:
            create = candidate.create
            keys = ", ".join(f"{key.column}{' DESC' if key.descending else ''}" for key in create.keys)
            where = f" WHERE {create.where.sql}" if create.where is not None else ""
            (plan,) = planned(connection, f"({keys}){where}", [query])
            assert any("Index Name" in node for node in plan), (query, keys)
            proposed += 1
    assert proposed > 25
