"""What the text of a call asks for."""

from __future__ import annotations

from typing import Any

import pytest

from dbguard.workload.shapes import asked

ASKED: dict[str, dict[str, Any]] = {
    'SELECT "shop_order"."id" FROM "shop_order" WHERE "shop_order"."id" = %s LIMIT 21': {
        "tables": ("shop_order",),
        "equal": ("id",),
        "keyset": False,
    },
    "SELECT a FROM t WHERE id IN (%s, %s)": {"many_keys": True},
    "SELECT a FROM t WHERE id IN (%s)": {"many_keys": False, "equal": ("id",)},
    "SELECT a FROM t WHERE id = ANY(%(ids)s)": {"listed": True, "equal": ("id",)},
    "SELECT a FROM t WHERE id > 7 ORDER BY id LIMIT 10": {"keyset": True},
    "SELECT a FROM t WHERE at BETWEEN $1 AND $2": {"window": True},
    "SELECT a FROM t WHERE b = $3 AND at BETWEEN $1 AND $2": {"window": False},
    "SELECT a FROM t LIMIT 10 OFFSET 40": {"offset": "constant", "offset_at": 40},
    "SELECT a FROM t LIMIT 10 OFFSET 50": {"offset": "constant", "offset_at": 50},
    "SELECT a FROM t WHERE b = $1 LIMIT $2 OFFSET $3": {"offset": "parameter", "offset_at": -1},
    "SELECT 1": {"catalog": True},
    "SHOW server_version": {"command": "control"},
    "ROLLBACK TO SAVEPOINT a": {"command": "control"},
    "ROLLBACK": {"command": "rollback"},
    "/* route='/x' */ COMMIT": {"command": "commit"},
    "BEGIN ISOLATION LEVEL SERIALIZABLE": {"command": "begin"},
    "SELECT count(*) AS n FROM t": {"counted": True},
    "SELECT count(*) FROM t WHERE id = 1 FOR UPDATE": {"locks": True},
    "SELECT 1 AS a FROM t WHERE id = $1 LIMIT 1": {"exists": True},
    "INSERT INTO t (a) VALUES ($1)": {"command": "insert", "one_row": True},
    "INSERT INTO t (a) VALUES ($1), ($2)": {"command": "insert", "one_row": False},
    "WITH u AS (SELECT 1 FROM b) UPDATE a SET c = 1 FROM u": {"command": "update", "tables": ("a", "b")},
    "CREATE TABLE t (a int)": {"command": "other"},
    "SELECT ((": {"command": "select", "tables": ()},
    "": {"command": "other"},
}


@pytest.mark.parametrize("sql", ASKED)
def test_the_text_of_a_call_says(sql: str):
    found = asked(sql)._asdict()
    assert {key: found[key] for key in ASKED[sql]} == ASKED[sql]
