"""Predicted effects as JSON and as text."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator
from tests.book import ROOT

from dbguard.pipelines.locks import LockTaken, StatementEffects
from dbguard.report import locks_json, locks_text

STATEMENTS = (
    StatementEffects(
        path="a.sql",
        line=1,
        column=1,
        sql="ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer_id)\n  REFERENCES app.customers",
        transaction="allowed",
        fails=None,
        locks=(
            LockTaken("app.customers", "SHARE ROW EXCLUSIVE", ("write", "maintenance")),
            LockTaken("app.orders", "SHARE ROW EXCLUSIVE", ("write", "maintenance")),
        ),
        rewrites=(),
        scans=("app.orders",),
        builds=(),
        unknown=("`app.customers` is not known",),
    ),
    StatementEffects("a.sql", 4, 1, "VACUUM", "forbidden", None, (), (), (), (), ()),
)


def test_json_follows_its_schema():
    schema = json.loads((ROOT / "docs/schemas/locks.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(locks_json.render(STATEMENTS, 18)))
    Draft202012Validator(schema).validate(json.loads(locks_json.render((), 13)))


def test_text_says_what_each_lock_blocks():
    assert locks_text.render(STATEMENTS, 18).splitlines() == [
        "a.sql:1",
        "  ALTER TABLE app.orders ADD CONSTRAINT fk FOREIGN KEY (customer_id) ...",
        "  SHARE ROW EXCLUSIVE       app.customers  (blocks writes, VACUUM and DDL)",
        "  SHARE ROW EXCLUSIVE       app.orders  (blocks writes, VACUUM and DDL)",
        "  scans         app.orders",
        "  unknown       `app.customers` is not known",
        "",
        "a.sql:4",
        "  VACUUM",
        "  transaction   forbidden",
        "  locks nothing that existed before",
        "",
        "2 statements (PostgreSQL 18).",
    ]
