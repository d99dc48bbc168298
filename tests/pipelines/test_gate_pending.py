"""Which migrations production does not have, as each tool's table tells it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dbguard.config import Config, Migrations
from dbguard.model.names import Name
from dbguard.model.snapshot import Applied, Snapshot
from dbguard.pipelines.gate_pending import Asked, pending_of
from dbguard.pipelines.pending import is_on, notes, on_snapshot
from dbguard.reading import read_all

FIXTURES = Path(__file__).parents[2] / "fixtures"


def pending(folder: str, tool: str, *versions: str) -> list[str]:
    """The versions that are left, of up scripts; those of the whole history if the snapshot says nothing about it."""
    config = Config.load(str(FIXTURES / folder), {"cache": False})
    snapshot = Snapshot(schema="CREATE TABLE t ();", applied=(Applied(tool, Name("public", "x"), versions),))
    reading, found = on_snapshot(read_all(config), snapshot, "prod.dbguard")
    assert len(found) == 1
    return [script.version for script in reading.histories[0].scripts if script.direction == "up"]


def _as_the_table_has_it(tool: str, number: int, version: str) -> str:
    match tool:
        case "goose":
            return str(int(version))
        case "hasura":
            return f"default.{version}"
        case "sqitch":
            return f"shop:{version}"
        case "liquibase":
            author, _, change = version.partition(":")
            return f"db/changelog/x.sql::{change}::{author}"
        case "drizzle":
            return str(1_700_000_000_000 + number)
    return version


def everything(folder: str) -> list[str]:
    reading = read_all(Config.load(str(FIXTURES / folder), {"cache": False}))
    return [script.version for script in reading.histories[0].scripts if script.direction == "up"]


@pytest.mark.parametrize("folder", ["flyway", "goose", "sqlx", "prisma", "hasura", "sqitch", "diesel", "atlas", "supabase", "drizzle", "liquibase"])
def test_of_tools_that_list_what_is_applied_the_rest_is_pending(folder: str) -> None:
    versions = everything(folder)
    written = [_as_the_table_has_it(folder, number, one) for number, one in enumerate(versions)]
    assert pending(folder, folder, *written[:-1]) == versions[-1:]
    assert pending(folder, folder, *written) == []


def test_what_was_skipped_in_the_middle_is_pending() -> None:
    versions = everything("flyway")
    assert pending("flyway", "flyway", *versions[:1], *versions[2:]) == [versions[1]]


def test_deployed_means_the_same_where_each_migration_has_a_down_file() -> None:
    versions = everything("golang-migrate")
    config = Config.load(str(FIXTURES / "golang-migrate"), {"cache": False, "deployed": versions[-3]})
    (history,) = pending_of(Asked(config, (), None, ()), None).reading.histories
    assert [script.version for script in history.scripts if history.asks_for(script)] == versions[-2:]
    assert history.undeployed_from is not None
    assert history.scripts[history.undeployed_from].version == versions[-2]


def test_golang_migrate_knows_only_where_it_is() -> None:
    versions = everything("golang-migrate")
    assert pending("golang-migrate", "golang-migrate", str(int(versions[-3]))) == versions[-2:]


def test_alembic_knows_its_heads() -> None:
    versions = everything("alembic-shop")
    assert pending("alembic-shop", "alembic", versions[-2]) == versions[-1:]


def test_django_lists_apps_and_names() -> None:
    versions = everything("django-shop")
    assert pending("django-shop", "django", "auth.0001_initial", *versions[:-2]) == versions[-2:]


def test_the_table_of_another_project_says_nothing() -> None:
    versions = everything("flyway")
    assert pending("flyway", "rails", "20190101", "20190102", "20190103") == versions


def test_pending_migrations_run_on_the_snapshots_schema(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "flyway", tmp_path / "flyway")
    config = Config.load(str(tmp_path / "flyway"), {"cache": False})
    snapshot = Snapshot(schema="CREATE TABLE only_here ();", applied=(Applied("flyway", Name("public", "x"), ("1",)),))
    reading, found = on_snapshot(read_all(config), snapshot, "prod.dbguard")
    assert reading.histories[0].base is not None
    assert reading.histories[0].base.text == "CREATE TABLE only_here ();"
    assert notes(found, "prod.dbguard")[0].startswith("prod.dbguard: 1 migration of src/main/resources/db/migration applied, ")


def two(tmp_path: Path) -> Config:
    """Two services, each with its own database and as many migrations."""
    for service, table in (("billing", "invoices"), ("shop", "orders")):
        folder = tmp_path / service / "migrations"
        folder.mkdir(parents=True)
        for number, text in enumerate((f"CREATE TABLE {table} (id bigint);", f"ALTER TABLE {table} ADD COLUMN x int;", "SELECT 1;"), start=1):
            (folder / f"{number:03}_change.up.sql").write_text(text)
    return Config.load(str(tmp_path), {"cache": False})


@pytest.mark.parametrize(("table", "root"), [("orders", "shop/migrations"), ("invoices", "billing/migrations")])
def test_of_two_histories_the_one_whose_tables_are_there_is_the_one_that_is_applied(tmp_path: Path, table: str, root: str) -> None:
    snapshot = Snapshot(schema=f"CREATE TABLE {table} (id bigint);", applied=(Applied("golang-migrate", Name("public", "x"), ("2",)),))
    _, found = on_snapshot(read_all(two(tmp_path)), snapshot, "prod.dbguard")
    assert {one.history.root: one.applied for one in found if one.applied is not None} == {root: 2}
    assert {is_on(one.history, "prod.dbguard") for one in found if one.history.root != root} == {False}


def test_of_two_histories_of_one_database_each_has_its_own_table(tmp_path: Path) -> None:
    schema = "CREATE TABLE orders (id bigint); CREATE TABLE invoices (id bigint);"
    applied = (Applied("goose", Name("public", "goose_db_version"), ("1", "2")), Applied("flyway", Name("public", "flyway_schema_history"), ("1",)))
    config = two(tmp_path)._replace(migrations=(Migrations("shop/migrations", tool="goose"), Migrations("billing/migrations", tool="flyway")))
    for path in (tmp_path / "billing" / "migrations").iterdir():
        path.rename(path.with_name(f"V{path.name[2]}__change.sql"))
    _, found = on_snapshot(read_all(config), Snapshot(schema=schema, applied=applied), "prod.dbguard")
    assert {one.history.root: one.applied for one in found} == {"shop/migrations": 2, "billing/migrations": 1}
