"""`dbguard.check` over whole histories: what is new, what is deployed, which versions, which direction."""

from __future__ import annotations

from pathlib import Path

import pytest

import dbguard
from dbguard.model.finding import Finding


def write(folder: Path, **files: str) -> Path:
    (folder / "migrations").mkdir()
    for name, text in files.items():
        (folder / "migrations" / f"{name}.sql").write_text(text)
    return folder


def findings(folder: Path, *paths: str, **settings: object) -> list[Finding]:
    config = dbguard.Config.load(folder, {"lock-timeout": "runner", **settings})
    result = dbguard.check(config, paths or ("migrations",))
    assert result.crashed == ()
    return list(result.findings)


def rules(folder: Path, *paths: str, **settings: object) -> list[str]:
    return [f"{finding.path.rsplit('/')[-1]} {finding.rule}" for finding in findings(folder, *paths, **settings)]


TABLE = "CREATE TABLE orders (id bigint PRIMARY KEY, status text);"
INDEX = "CREATE INDEX orders_status_idx ON orders (status);"


def test_an_index_on_a_table_of_an_earlier_migration_is_reported(tmp_path: Path):
    assert rules(write(tmp_path, **{"001_a": TABLE, "002_b": INDEX})) == ["002_b.sql create-index-blocking"]


def test_an_index_on_a_table_of_the_same_migration_is_not(tmp_path: Path):
    assert rules(write(tmp_path, **{"001_a": TABLE + INDEX})) == []


def test_migrations_that_are_deployed_together_are_one_batch(tmp_path: Path):
    folder = write(tmp_path, **{"001_a": "CREATE TABLE old (id bigint PRIMARY KEY);", "002_b": TABLE, "003_c": INDEX})

    assert rules(folder, deployed="001") == []
    assert rules(folder, deployed="002") == ["003_c.sql create-index-blocking"]


def test_earlier_files_are_read_and_stay_silent(tmp_path: Path):
    folder = write(tmp_path, **{"001_a": TABLE, "002_b": INDEX, "003_c": "DROP TABLE orders;"})

    assert rules(folder, "migrations/002_b.sql") == ["002_b.sql create-index-blocking"]
    assert rules(folder, **{"start-after": "002"}) == ["003_c.sql drop-table"]


def test_the_type_of_a_column_is_known_from_history(tmp_path: Path):
    wider = "ALTER TABLE people ALTER COLUMN name TYPE varchar(40);"
    folder = write(tmp_path, **{"001_a": "CREATE TABLE people (id bigint PRIMARY KEY, name varchar(20));", "002_b": wider})

    assert rules(folder) == []


def test_a_finding_names_the_versions_where_it_holds(tmp_path: Path):
    sql = "ALTER TABLE orders ADD COLUMN loud text GENERATED ALWAYS AS (upper(status)) VIRTUAL;"
    folder = write(tmp_path, **{"001_a": TABLE, "002_b": sql})

    assert [(f.rule, f.postgres) for f in findings(folder, postgres="14..18")] == [("statement-fails", (14, 17))]
    assert findings(folder, postgres=18) == []


def test_down_parts_are_judged_one_level_lower_and_for_locks_only(tmp_path: Path):
    folder = write(tmp_path, **{"001_a.up": TABLE + INDEX, "001_a.down": "DROP INDEX orders_status_idx; DROP TABLE orders;", "002_b.up": "SELECT 1;"})
    (folder / "migrations/002_b.down.sql").write_text("CREATE INDEX again ON orders (status);")

    assert [(f.rule, str(f.severity)) for f in findings(folder)] == [("create-index-blocking", "warning")]


@pytest.mark.parametrize("fail_on", ["error", "warning"])
def test_small_tables_lower_what_blocks_them(tmp_path: Path, fail_on: str):
    folder = write(tmp_path, **{"001_a": TABLE, "002_b": INDEX})

    result = dbguard.check(dbguard.Config.load(folder, {"lock-timeout": "runner", "small-tables": ["orders"], "fail-on": fail_on}), ["migrations"])

    assert [str(f.severity) for f in result.findings] == ["advice"]
    assert (result.summary.lowered, result.exit_code) == (1, 0)


def test_what_a_dynamic_statement_mentions_is_no_longer_fully_known(tmp_path: Path):
    dynamic = "DO $$ BEGIN EXECUTE 'ALTER TABLE orders ADD COLUMN ' || current_setting('x'); END $$;"
    folder = write(tmp_path, **{"001_a": TABLE, "002_b": dynamic, "003_c": "ALTER TABLE orders ALTER COLUMN other SET DEFAULT 1;"})

    assert [finding.rule for finding in findings(folder) if finding.rule == "statement-fails"] == []


def test_a_name_that_another_loose_file_took_is_a_guess_about_order(tmp_path: Path):
    for name, text in {
        "alpha": TABLE,
        "beta": TABLE,
        "gamma": "CREATE TABLE own (id int PRIMARY KEY);\nCREATE TABLE own (id int PRIMARY KEY);",
    }.items():
        (tmp_path / f"{name}.sql").write_text(text)
    assert rules(tmp_path, ".", select=["statement-fails"]) == ["gamma.sql statement-fails"]
    assert rules(write(tmp_path, **{"001_a": TABLE, "002_b": TABLE}), select=["statement-fails"]) == ["002_b.sql statement-fails"]
