"""In the transaction that truncated a table, no work on it takes time: it is empty, and locked until the end anyway."""

from __future__ import annotations

import pytest

from dbguard.model.source import Script, Source
from dbguard.model.state import State
from dbguard.parsing import parse
from dbguard.pipelines.inspect import Inspection
from dbguard.replay import replay
from dbguard.rulebook import Rulebook
from dbguard.rulebook.select import select

SCHEMA = "CREATE TABLE customers (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY, a int, at timestamp);"
WORK = {
    "create-index-blocking": "CREATE INDEX i ON orders (a);",
    "add-check-validating": "ALTER TABLE orders ADD CONSTRAINT c CHECK (a > 0);",
    "add-foreign-key-validating": "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES customers;",
    "add-unique-constraint-blocking": "ALTER TABLE orders ADD CONSTRAINT u UNIQUE (a);",
    "add-exclusion-constraint-blocking": "ALTER TABLE orders ADD CONSTRAINT e EXCLUDE (a WITH =);",
    "add-column-volatile-default": "ALTER TABLE orders ADD COLUMN u uuid DEFAULT gen_random_uuid();",
    "add-column-identity": "ALTER TABLE orders ADD COLUMN n int GENERATED ALWAYS AS IDENTITY;",
    "add-column-inline-unique": "ALTER TABLE orders ADD COLUMN n int UNIQUE;",
    "alter-column-type-rewrite": "ALTER TABLE orders ALTER COLUMN a TYPE bigint;",
    "alter-column-type-timestamptz": "ALTER TABLE orders ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'UTC';",
    "set-not-null-scan": "ALTER TABLE orders ALTER COLUMN a SET NOT NULL;",
    "table-rewrite": "ALTER TABLE orders SET UNLOGGED;",
    "update-without-where": "UPDATE orders SET a = 1;",
    "reindex-blocking": "REINDEX TABLE orders;",
}


def found(text: str, *, seen: bool = True) -> set[str]:
    scripts = [Script(Source(f"{n}.sql", sql), ((0, len(sql)),), "one") for n, sql in enumerate((SCHEMA if seen else "SELECT 1;", text))]
    inspection = Inspection(select(Rulebook.load()), (18, 18))
    steps = replay([parse(script) for script in scripts], State(), 18, lambda script: script.source.path == "1.sql")
    return {finding.rule for finding in inspection.findings(steps)}


@pytest.mark.parametrize("rule", WORK)
def test_work_on_a_table_that_the_transaction_truncated_is_not_told(rule: str) -> None:
    assert rule in found(WORK[rule])
    assert rule not in found(f"TRUNCATE orders; {WORK[rule]}")


@pytest.mark.parametrize("rule", ["create-index-blocking", "add-check-validating", "set-not-null-scan"])
def test_nor_is_it_for_a_table_that_was_never_seen(rule: str) -> None:
    assert rule in found(WORK[rule], seen=False)
    assert rule not in found(f"TRUNCATE orders; {WORK[rule]}", seen=False)


@pytest.mark.parametrize(
    "before",
    [
        "TRUNCATE orders; INSERT INTO orders SELECT id FROM customers;",
        "TRUNCATE orders; COMMIT; BEGIN;",
        "TRUNCATE customers;",
        "DELETE FROM orders;",
    ],
)
def test_it_is_told_where_rows_can_be_in_the_table(before: str) -> None:
    assert "create-index-blocking" in found(f"{before} {WORK['create-index-blocking']}")
