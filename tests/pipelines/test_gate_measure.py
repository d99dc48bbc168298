"""`dbguard check --snapshot`: sizes and rates in findings, and tables known to be tiny."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.planning.risky import SCHEMA, snapshot, table

from dbguard.config import Config
from dbguard.model.finding import Finding, Result, Severity
from dbguard.model.names import Name
from dbguard.model.snapshot import Applied, StatementTotal
from dbguard.pipelines.check import check
from dbguard.pipelines.measure import tiny_tables
from dbguard.reading.snapshots import save

Checker = Callable[..., Result]


@pytest.fixture
def looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checker:
    """Check the text of one pending migration with a snapshot of 48 million orders."""
    monkeypatch.chdir(tmp_path)

    def run(
        text: str, *, with_snapshot: bool = True, statements: tuple[StatementTotal, ...] = (), rows: float = 48_000_000, toml: str = ""
    ) -> Result:
        (tmp_path / "migrations").mkdir(exist_ok=True)
        (tmp_path / "migrations" / "001_schema.up.sql").write_text(SCHEMA)
        (tmp_path / "migrations" / "002_change.up.sql").write_text(text)
        (tmp_path / "dbguard.toml").write_text(toml)
        applied = (Applied("golang-migrate", Name("public", "schema_migrations"), ("1",)),)
        save(snapshot(rows)._replace(applied=applied, statements=statements), tmp_path / "prod.dbguard")
        return check(Config.load(".", {"cache": False, "snapshot": "prod.dbguard" if with_snapshot else None}))

    return run


def one(result: Result, rule: str) -> Finding:
    return next(finding for finding in result.findings if finding.rule == rule)


def test_a_lock_is_told_with_rows_bytes_rate_and_time(looked: Checker) -> None:
    found = one(looked("CREATE INDEX orders_status_idx ON orders (status);"), "create-index-blocking")
    assert found.because[0].startswith("SHARE lock on `orders` (48 million rows, 9.2 GB): reads continue; 240 writes/s wait for about ")
    assert found.severity is Severity.ERROR


def test_reads_and_writes_are_told_apart(looked: Checker) -> None:
    found = one(looked("ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,4);"), "alter-column-type-rewrite")
    assert "1,000 reads/s and 240 writes/s wait for about" in found.because[0]


def test_statements_of_pg_stat_statements_stand_for_the_counters(looked: Checker) -> None:
    statements = (StatementTotal("SELECT * FROM orders WHERE customer_id = $1", 77_000, 10.0, 5),)
    found = one(looked("ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,4);", statements=statements), "alter-column-type-rewrite")
    assert "77 reads/s and 240 writes/s" in found.because[0]


def test_a_tiny_table_is_advice_and_counted(looked: Checker) -> None:
    result = looked("CREATE INDEX countries_name_idx ON countries (name);")
    found = one(result, "create-index-blocking")
    assert (found.severity, found.lowered) == (Severity.ADVICE, True)
    assert result.summary.lowered == sum(finding.lowered for finding in result.findings) > 0
    assert "(240 rows, 24 kB)" in found.because[0]
    assert result.exit_code == 0


def test_what_is_applied_gives_no_findings_and_is_counted(looked: Checker) -> None:
    result = looked("ALTER TABLE customers ADD COLUMN x int;")
    assert {finding.path for finding in result.findings} <= {"migrations/002_change.up.sql"}
    assert "prod.dbguard: 1 migration of migrations applied, 1 pending" in result.notes


def test_without_a_snapshot_nothing_is_measured(looked: Checker) -> None:
    found = one(looked("CREATE INDEX orders_status_idx ON orders (status);", with_snapshot=False), "create-index-blocking")
    assert found.because[0].startswith("SHARE lock on `orders`: reads continue; writes wait until ")


def test_the_snapshot_of_the_configuration_is_found_below_its_folder(looked: Checker) -> None:
    found = one(looked("CREATE INDEX i ON orders (status);", with_snapshot=False, toml='snapshot = "prod.dbguard"\n'), "create-index-blocking")
    assert "48 million rows" in found.because[0]


@pytest.mark.parametrize(("rows", "pages", "tiny"), [(240, 3, True), (10_000, 1_024, True), (10_001, 3, False), (5, 1_025, False), (-1, 0, False)])
def test_a_table_is_tiny_by_rows_and_bytes_and_never_by_ignorance(rows: float, pages: int, tiny: bool) -> None:
    found = snapshot()._replace(relations=(table("t", rows, pages),))
    assert (tiny_tables(found) == ("public.t",)) is tiny


def test_a_concurrent_build_holds_nobody_up_and_is_not_said_to(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    texts = (
        "CREATE TABLE t (id bigint PRIMARY KEY, a int); CREATE INDEX i ON t (a);",
        "CREATE INDEX CONCURRENTLY j ON t (a);",
        "CREATE INDEX k ON t (a);",
    )
    for number, text in enumerate(texts, start=1):
        (tmp_path / "migrations" / f"{number:03}_change.up.sql").write_text(text)
    found = check(Config.load(tmp_path, {"cache": False, "select": ["index-duplicate"]}))
    said = {finding.line: finding.because[-1] for finding in found.findings if finding.path.endswith("002_change.up.sql")}
    blocking = [finding.because[-1] for finding in found.findings if finding.path.endswith("003_change.up.sql")]
    assert said == {1: "builds `j`; reads and writes continue"}
    assert blocking == ["builds `k` while it holds its locks"]


def test_the_version_is_that_of_the_snapshot_unless_one_is_configured(looked: Checker) -> None:
    text = "CREATE TRIGGER t BEFORE INSERT ON orders EXECUTE FUNCTION f();"
    major = snapshot().major
    assert looked(text).postgres == (major, major)
    assert looked(text, with_snapshot=False).postgres == (14, 18)
    assert looked(text, toml='postgres = "15..16"\n').postgres == (15, 16)


def test_another_database_does_not_get_the_sizes_of_the_snapshot(looked: Checker, tmp_path: Path) -> None:
    other = tmp_path / "billing" / "migrations"
    other.mkdir(parents=True)
    (other / "001_schema.up.sql").write_text("CREATE TABLE bills (id bigint); CREATE TABLE orders (id bigint PRIMARY KEY, status text);")
    (other / "002_change.up.sql").write_text("CREATE INDEX orders_status_idx ON orders (status);")
    looked("CREATE INDEX orders_status_idx ON orders (status);")
    result = check(Config.load(".", {"cache": False, "snapshot": "prod.dbguard"}), ["migrations", "billing/migrations"])
    told = {finding.path: finding.because[0] for finding in result.findings if finding.rule == "create-index-blocking"}
    assert "48 million rows" in told["migrations/002_change.up.sql"]
    assert "rows" not in told["billing/migrations/002_change.up.sql"]


@pytest.mark.parametrize(("rows", "level"), [(48_000_000, Severity.WARNING), (10_000, Severity.ADVICE)])
def test_reading_all_of_a_table_that_is_known_to_have_many_rows_is_no_advice(looked: Checker, tmp_path: Path, rows: int, level: Severity) -> None:
    (tmp_path / "queries.sql").write_text("-- name: all\nSELECT * FROM events WHERE kind IS NOT NULL;\n")
    schema = SCHEMA + "CREATE TABLE events (id bigint PRIMARY KEY, kind text);\n"
    relations = (*snapshot().relations, table("events", rows, rows // 4))
    save(snapshot(schema=schema)._replace(relations=relations), tmp_path / "prod.dbguard")
    result = check(Config.load(tmp_path, {"cache": False, "snapshot": str(tmp_path / "prod.dbguard")}), [str(tmp_path / "queries.sql")])
    assert one(result, "unbounded-read").severity is level
