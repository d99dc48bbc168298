"""Which migrations production does not have, as each tool's table tells it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dbguard.config import Config
from dbguard.model.names import Name
from dbguard.model.snapshot import Applied, Snapshot
from dbguard.pipelines.pending import notes, on_snapshot
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
