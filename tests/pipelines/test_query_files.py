"""Query files beside migrations: `dbguard check` looks at them on the schema that the migrations leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.book import ROOT

from dbguard.config import Config
from dbguard.model.finding import Result
from dbguard.pipelines.check import check
from dbguard.report import as_json

SCHEMA = """CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers (id), status text NOT NULL);
"""
QUERIES = """-- name: GetOrder :one
SELECT id, status FROM orders WHERE id = $1;

-- name: CustomerByEmail :one
SELECT id FROM customers WHERE email = $1;

-- name: OrdersOfCustomer :many
SELECT id, status FROM orders WHERE customer_id = $1 LIMIT 20;
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001_shop.sql").write_text(SCHEMA)
    (tmp_path / "queries.sql").write_text(QUERIES)
    return tmp_path


def run(project: Path, *paths: str, **overrides: Any) -> Result:
    return check(Config.load(project, overrides | {"cache": False}), [str(project / path) for path in paths])


def told(result: Result) -> list[tuple[str, int]]:
    return [(finding.rule, finding.line) for finding in result.findings if finding.path.endswith("queries.sql")]


def test_a_query_is_looked_at_on_the_schema_of_the_migrations(project: Path) -> None:
    result = run(project, "queries.sql")
    assert ("missing-index-filter", 8) in told(result)
    assert {line for _, line in told(result)} == {8}, "a primary key and a unique column are served"


def test_an_index_of_a_later_migration_ends_the_finding(project: Path) -> None:
    (project / "migrations" / "002_index.sql").write_text("CREATE INDEX orders_customer_id_idx ON orders (customer_id);\n")
    assert ("missing-index-filter", 8) not in told(run(project, "queries.sql"))


def test_a_schema_file_serves_as_well(project: Path, tmp_path: Path) -> None:
    (project / "migrations" / "001_shop.sql").unlink()
    (project / "schema.sql").write_text(SCHEMA)
    assert ("missing-index-filter", 8) in told(run(project, "queries.sql", schema="schema.sql"))


def test_configured_query_files_are_part_of_every_run(project: Path) -> None:
    (project / "dbguard.toml").write_text('queries = ["*.sql"]\n')
    assert ("missing-index-filter", 8) in told(check(Config.load(project, {"cache": False})))


def test_a_written_exception_holds_for_the_query_below_it(project: Path) -> None:
    text = QUERIES.replace(
        "SELECT id, status FROM orders WHERE customer_id",
        "-- dbguard: allow missing-index-filter, limit-without-order - few\nSELECT id, status FROM orders WHERE customer_id",
    )
    (project / "queries.sql").write_text(text)
    assert told(run(project, "queries.sql")) == []


def test_small_tables_are_silent(project: Path) -> None:
    assert ("missing-index-filter", 8) not in told(run(project, "queries.sql", small_tables=("orders",)))


def test_a_project_without_migrations_says_so(project: Path) -> None:
    (project / "migrations" / "001_shop.sql").unlink()
    result = run(project, "queries.sql")
    assert [rule for rule, _ in told(result) if rule.startswith("missing-index")] == []
    assert any("without a schema" in note for note in result.notes)


def test_findings_on_queries_have_their_own_fields(project: Path) -> None:
    document = json.loads(as_json.render(run(project, "queries.sql")))
    Draft202012Validator(json.loads((ROOT / "docs/schemas/check.json").read_text())).validate(document)
    (finding,) = (one for one in document["findings"] if one["rule"] == "missing-index-filter")
    assert finding["index"].startswith("CREATE INDEX CONCURRENTLY")
    assert finding["serves"] == [finding["shape"]]
    assert (finding["calls"], finding["units"], finding["places"]) == (0, 0, [])
