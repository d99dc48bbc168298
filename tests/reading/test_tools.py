from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbguard.parsing import parse
from dbguard.replay import runs_in_transaction
from tests.reading.trees import only, read, sql, ways, write


def test_golang_migrate_sends_each_file_as_one_query_and_sorts_by_number(tmp_path: Path) -> None:
    history = only(
        read(write(tmp_path, {f"migrations/{number}_x.{way}.sql": f"SELECT {number};" for number in (10, 9, 100) for way in ("up", "down")}))
    )
    assert ways(history) == [f"{number} {way} single" for number in (9, 10, 100) for way in ("up", "down")]
    assert history.description == "3 golang-migrate migrations in migrations, each sent as one query, an implicit transaction"


def test_golang_migrate_pairs_down_with_up_by_version_whatever_the_name(tmp_path: Path) -> None:
    history = only(read(write(tmp_path, {"m/1_a.up.sql": "SELECT 1", "m/1_renamed.down.sql": "SELECT 2", "m/2_b.up.sql": "SELECT 3"})))
    assert [script.source.path for script in history.scripts] == ["m/1_a.up.sql", "m/1_renamed.down.sql", "m/2_b.up.sql"]


def test_concourse_wraps_the_files_without_its_header(tmp_path: Path) -> None:
    history = only(read(write(tmp_path, {"m/1_a.up.sql": "SELECT 1", "m/2_b.up.sql": "-- NO_TRANSACTION\nCREATE INDEX CONCURRENTLY i ON t (a);"})))
    assert ways(history) == ["1 up one", "2 up single"]


def test_goose_divides_up_from_down_and_statements_at_their_marks(tmp_path: Path) -> None:
    text = "-- +goose Up\nCREATE TABLE a ()\n-- +goose StatementBegin\nDO $$ BEGIN END $$\n-- +goose StatementEnd\n  -- +goose Down\nDROP TABLE a"
    history = only(read(write(tmp_path, {"m/00002_b.sql": text, "m/00001_a.sql": "-- +goose no transaction\n-- +goose Up\nSELECT 1;"})))
    assert ways(history) == ["00001 up none", "00002 up one", "00002 down one"]
    assert sql(history)[1] == ["-- +goose Up\nCREATE TABLE a ()", "DO $$ BEGIN END $$"]
    assert sql(history)[2] == ["DROP TABLE a"]


def test_a_mark_in_a_literal_is_text(tmp_path: Path) -> None:
    text = (
        "-- +goose Up\n-- it's a comment\nSELECT 'it''s\n-- +goose Down\n', $tag$\n-- +goose Down\n$tag$, E'\\'\n-- +goose Down\n';\n"
        "-- +goose Down\nSELECT 2"
    )
    history = only(read(write(tmp_path, {"m/1_a.sql": text})))
    assert sql(history)[1] == ["SELECT 2"]


def test_a_quote_that_never_ends_does_not_hide_marks(tmp_path: Path) -> None:
    history = only(read(write(tmp_path, {"m/1_a.sql": "-- +goose Up\nSELECT 'oops;\n-- +goose Down\nSELECT 2;"})))
    assert ways(history) == ["1 up one", "1 down one"]


def test_dbmate_reads_transaction_of_each_side(tmp_path: Path) -> None:
    text = "-- dbguard: allow-file x - why\n-- migrate:up transaction:false\nSELECT 1\n    -- migrate:down\nSELECT 2"
    history = only(read(write(tmp_path, {"db/migrations/20240101_a.sql": text})))
    assert ways(history) == ["20240101 up single", "20240101 down one"]
    assert sql(history)[0][0].startswith("-- dbguard: allow-file")
    assert sql(history)[1] == ["SELECT 2"]


def test_node_pg_migrate_takes_sides_in_any_order(tmp_path: Path) -> None:
    history = only(read(write(tmp_path, {"m/1_a.sql": "-- Down Migration\nSELECT 2;\n-- Up Migration\nSELECT 1;", "m/2_b.sql": "SELECT 3;"})))
    assert sql(history) == [["SELECT 1;"], ["SELECT 2;"], ["SELECT 3;"]]
    assert history.tool == "node-pg-migrate"


def test_tern_divides_at_its_line(tmp_path: Path) -> None:
    text = '{{ template "shared/a.sql" . }}\n\n---- create above / drop below ----\n\nSELECT 2;'
    history = only(read(write(tmp_path, {"m/001_a.sql": text, "m/002_b.sql": "---- tern: disable-tx ----\nSELECT 3;", "m/shared/a.sql": ""})))
    assert ways(history) == ["001 up one", "001 down one", "002 up none"]
    assert sql(history)[1] == ["SELECT 2;"]


def test_atlas_reads_txmode_and_sections(tmp_path: Path) -> None:
    sections = "-- atlas:txtar\n\n-- checks.sql --\nSELECT 0;\n\n-- migration.sql --\nSELECT 2;\n\n-- down.sql --\nSELECT 3;\n"
    history = only(read(write(tmp_path, {"m/atlas.sum": "", "m/1.sql": "-- atlas:txmode none\n\nSELECT 1;", "m/2_b.sql": sections})))
    assert ways(history) == ["1 up none", "2 up one", "2 down one"]
    assert sql(history)[1:] == [["SELECT 2;"], ["SELECT 3;"]]


def test_flyway_sorts_versions_by_their_numbers_and_repeatable_last(tmp_path: Path) -> None:
    names = ["V1__a", "V1_2__b", "V1.10__c", "V2__d", "R__view", "R__a_view", "U2__d", "afterMigrate"]
    history = only(read(write(tmp_path, {f"db/migration/{name}.sql": "SELECT 1;" for name in names})))
    versions = ["1 up", "1.2 up", "1.10 up", "2 up", "2 down", "a_view repeatable", "view repeatable"]
    assert ways(history) == [f"{version} unless forbidden" for version in versions]


def test_flyway_scripts_leave_the_transaction_by_conf_file_or_comment(tmp_path: Path) -> None:
    files = {
        "m/V1__a.sql": "SELECT 1;",
        "m/V1__a.sql.conf": "executeInTransaction=false\n",
        "m/V2__b.sql": "-- flyway:executeInTransaction=false\nSELECT 1;",
        "m/V3__c.sql": "SELECT 'executeInTransaction=false';",
    }
    assert ways(only(read(write(tmp_path, files)))) == ["1 up none", "2 up none", "3 up unless forbidden"]


def test_a_flyway_baseline_counts_only_where_the_versions_before_it_are_gone(tmp_path: Path) -> None:
    files = {"a/V1__x.sql": "", "a/B2__y.sql": "", "a/V3__z.sql": "", "b/B2__y.sql": "", "b/V3__z.sql": ""}
    first, second = read(write(tmp_path, files)).histories
    assert [ways(first), ways(second)] == [["1 up unless forbidden", "3 up unless forbidden"], ["2 up unless forbidden", "3 up unless forbidden"]]


def test_flyway_looks_below_its_location_but_not_at_other_databases(tmp_path: Path) -> None:
    files = {"m/V1__a.sql": "", "m/2024/V2__b.sql": "", "m/mysql/V2__c.sql": ""}
    reading = read(write(tmp_path, files))
    assert ways(only(reading)) == ["1 up unless forbidden", "2 up unless forbidden"]
    assert reading.skipped == 1
    assert "mysql" in reading.notes[0]


def test_flyway_wraps_a_script_with_begin_but_not_one_that_forbids_it(tmp_path: Path) -> None:
    files = {"m/V1__a.sql": "BEGIN;\nCREATE TABLE t (id bigint PRIMARY KEY);\nCOMMIT;", "m/V2__b.sql": "CREATE INDEX CONCURRENTLY i ON t (id);"}
    scripts = only(read(write(tmp_path, files))).scripts
    assert [runs_in_transaction(parse(script)) for script in scripts] == [True, False]


def test_refinery_is_flyway_in_a_rust_project_and_always_in_a_transaction(tmp_path: Path) -> None:
    history = only(read(write(tmp_path, {"Cargo.toml": "", "migrations/V1__a.sql": "", "migrations/V2__b.sql": ""})))
    assert (history.tool, ways(history)) == ("refinery", ["1 up one", "2 up one"])


def test_sqlx_without_transaction_is_one_query(tmp_path: Path) -> None:
    files = {"m/20240101_a.sql": "SELECT 1;", "m/20240102_b.sql": "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);"}
    history = only(read(write(tmp_path, files)))
    assert (history.tool, ways(history)) == ("sqlx", ["20240101 up one", "20240102 up single"])


def test_diesel_reads_metadata_and_ignores_dashes_in_versions(tmp_path: Path) -> None:
    files = {
        "migrations/20140924113530_a/up.sql": "",
        "migrations/20140924113530_a/down.sql": "",
        "migrations/2024-01-02-000000_b/up.sql": "",
        "migrations/2024-01-02-000000_b/metadata.toml": "run_in_transaction = false\n",
        "migrations/00000000000000_setup/up.sql": "",
    }
    history = only(read(write(tmp_path, files)))
    assert ways(history) == ["00000000000000 up one", "20140924113530 up one", "20140924113530 down one", "20240102000000 up single"]


def test_prisma_runs_folders_by_name(tmp_path: Path) -> None:
    files = {
        "prisma/migrations/20240102_b/migration.sql": "",
        "prisma/migrations/20230102_a/migration.sql": "",
        "prisma/migrations/migration_lock.toml": "",
    }
    history = only(read(write(tmp_path, files)))
    assert (history.tool, ways(history)) == ("prisma", ["20230102_a up single", "20240102_b up single"])


def test_hasura_is_told_from_diesel_by_its_millisecond_timestamps(tmp_path: Path) -> None:
    files = {f"migrations/default/{stamp}_x/{way}.sql": "" for stamp in ("1639359763109", "1640679052192") for way in ("up", "down")}
    history = only(read(write(tmp_path, files)))
    assert (history.tool, len(history.scripts), history.root) == ("hasura", 4, "migrations/default")


def test_drizzle_follows_its_journal_and_cuts_at_breakpoints(tmp_path: Path) -> None:
    entries = [{"idx": 0, "tag": "0000_z"}, {"idx": 1, "tag": "0001_a"}]
    files = {
        "drizzle/meta/_journal.json": json.dumps({"entries": entries}),
        "drizzle/0001_a.sql": "SELECT 1;--> statement-breakpoint\nSELECT 2\n--> statement-breakpoint\nSELECT 3",
        "drizzle/0000_z.sql": "SELECT 0;",
    }
    history = only(read(write(tmp_path, files)))
    assert sql(history) == [["SELECT 0;"], ["SELECT 1;", "SELECT 2", "SELECT 3"]]
    assert history.description == "2 Drizzle migrations in drizzle, all pending ones in one transaction"


def test_a_drizzle_journal_that_is_no_journal_is_ignored(tmp_path: Path) -> None:
    history = only(read(write(tmp_path, {"d/meta/_journal.json": "[1]", "d/0001_b.sql": "", "d/0000_a.sql": ""})))
    assert ways(history) == ["0000 up one", "0001 up one"]


def test_supabase_is_told_by_its_folder(tmp_path: Path) -> None:
    history = only(read(write(tmp_path, {"supabase/migrations/20240101000000_a.sql": "", "supabase/seed.sql": "SELECT 1;"})))
    assert history.description == "1 Supabase migration in supabase/migrations, in its own transaction"


def test_sqitch_follows_its_plan_and_reworked_changes(tmp_path: Path) -> None:
    plan = "%syntax-version=1.0.0\n%project=x\n\nusers 2024-01-01T00:00:00Z A <a@b> # x\nviews [users] 2024-01-01T00:00:00Z A <a@b>\n@v1 2024\n\nusers [users@v1] 2024\n"
    scripts = ["deploy/users", "deploy/users@v1", "deploy/views", "revert/users", "revert/users@v1", "verify/users"]
    history = only(read(write(tmp_path, {"sqitch.plan": plan} | {f"{name}.sql": "BEGIN; COMMIT;" for name in scripts})))
    assert [script.source.path for script in history.scripts] == [
        "deploy/users@v1.sql",
        "revert/users@v1.sql",
        "deploy/views.sql",
        "deploy/users.sql",
        "revert/users.sql",
    ]
    assert {script.transaction for script in history.scripts} == {"none"}


def test_liquibase_changesets_are_scripts_of_their_own(tmp_path: Path) -> None:
    text = (
        "--liquibase formatted sql\n\n--changeset ann:1\nCREATE TABLE a ();\n--rollback DROP TABLE a;\n\n"
        "-- changeset bob:2 runInTransaction:false\nCREATE INDEX CONCURRENTLY i ON a (b)\n/* liquibase rollback\nDROP INDEX i;\n*/\n"
        "--changeset ann:3 dbms:mysql\nSELECT 1;\n--changeset ann:4\nSELECT 2;\n--rollback empty\n"
    )
    history = only(read(write(tmp_path, {"db/changelog/main.sql": text})))
    assert ways(history) == ["ann:1 up one", "ann:1 down one", "bob:2 up none", "bob:2 down none", "ann:4 up one"]
    assert sql(history)[1] == ["DROP TABLE a;"]
    assert sql(history)[3] == ["DROP INDEX i;"]


def test_pop_prefers_the_file_for_postgres_and_leaves_out_other_dialects(tmp_path: Path) -> None:
    names = [
        "1_a.up",
        "1_a.mysql.up",
        "1_a.postgres.up",
        "1_a.down",
        "2_b.cockroach.up",
        "2_b.postgres.autocommit.up",
        "2_b.postgres.autocommit.down",
    ]
    reading = read(write(tmp_path, {f"m/{name}.sql": "SELECT 1;" for name in names}))
    history = only(reading)
    assert [script.source.path for script in history.scripts] == [
        "m/1_a.postgres.up.sql",
        "m/1_a.down.sql",
        "m/2_b.postgres.autocommit.up.sql",
        "m/2_b.postgres.autocommit.down.sql",
    ]
    assert [script.transaction for script in history.scripts] == ["one", "one", "single", "single"]
    assert reading.skipped == 3
    assert "m/1_a.mysql.up.sql and 2 more" in reading.notes[0]


def test_extension_scripts_follow_their_target_versions(tmp_path: Path) -> None:
    names = ["x--1.0", "x--1.0--1.2", "x--1.2--1.10", "x--1.10"]
    history = only(read(write(tmp_path, {f"sql/{name}.sql": "" for name in names}), "sql"))
    assert ways(history) == ["1.0 up one", "1.0--1.2 up one", "1.2--1.10 up one"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["1_a", "2_b", "10_c"], ["1", "2", "10"]),
        (["0001##a b", "0002##c"], ["0001", "0002"]),
        (["2024-01-02-x", "2023-12-31-y"], ["2023", "2024"]),
        (["v1.10.0", "v1.9.0"], ["1.9.0", "1.10.0"]),
        (["001_a", "001_a_down", "002_scale_down"], ["001", "001", "002"]),
    ],
)
def test_plain_files_sort_by_number(tmp_path: Path, names: list[str], expected: list[str]) -> None:
    history = only(read(write(tmp_path, {f"migrations/{name}.sql": "SELECT 1;" for name in names})))
    assert [script.version for script in history.scripts] == expected
    assert {script.transaction for script in history.scripts} == {"auto"}


def test_version_folders_are_one_history(tmp_path: Path) -> None:
    files = {"m/3.9/0000##a.sql": "", "m/3.10/0000##b.sql": "", "m/3.9/0001##c.sql": "", "m/LATEST.sql": ""}
    history = only(read(write(tmp_path, files)))
    assert [script.version for script in history.scripts] == ["3.9/0000", "3.9/0001", "3.10/0000"]


def test_migrations_written_as_programs_are_named(tmp_path: Path) -> None:
    reading = read(write(tmp_path, {"m/1_a.sql": "-- +goose Up\nSELECT 1;", "m/2_b.go": "package m", "m/helper.go": "package m"}))
    assert [(part.reason, part.fatal) for part in reading.unreadable] == [
        ("1 migration is written in Go (2_b.go), which dbguard does not read", False)
    ]


def test_a_configured_transaction_overrides_the_tools(tmp_path: Path) -> None:
    history = only(read(write(tmp_path, {"m/1_a.up.sql": "", "m/2_b.up.sql": ""}), transaction="none"))
    assert ways(history) == ["1 up none", "2 up none"]
    assert history.description.endswith("without a transaction, as configured")


def test_a_plain_file_with_a_suffix_is_a_variant_of_the_one_before_it(tmp_path: Path) -> None:
    text = "CREATE TABLE a (id int);"
    history = only(read(write(tmp_path, {"migrations/0001_a.sql": text, "migrations/0001_a_customers.sql": text, "migrations/0002_a_b.sql": text})))
    assert [script.direction for script in history.scripts] == ["up", "variant", "up"]
