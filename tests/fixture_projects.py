"""The whole projects below `fixtures/`, each with the report that `dbguard check` gives in its folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dbguard.config import Config
from dbguard.model.finding import Result
from dbguard.pipelines.check import check
from dbguard.reading import History, read_all

FIXTURES = Path(__file__).parent.parent / "fixtures"

RECOGNISED = {
    "alembic-shop": "9 Alembic revisions in migrations, each in its own transaction",
    "atlas": "8 Atlas migrations in migrations, each in its own transaction unless marked txmode none",
    "careful": "13 goose migrations in db/migrations, each in its own transaction unless marked NO TRANSACTION",
    "diesel": "8 Diesel migrations in migrations, each in its own transaction unless its metadata.toml says otherwise",
    "django-shop": "12 Django migrations of 2 apps in ., each in its own transaction (atomic = False for 2)",
    "drizzle": "6 Drizzle migrations in drizzle, all pending ones in one transaction",
    "flyway": "11 Flyway migrations in src/main/resources/db/migration, each in its own transaction",
    "golang-migrate": "8 golang-migrate migrations in migrations, each sent as one query, an implicit transaction",
    "goose": "8 goose migrations in internal/db/migrations, each in its own transaction unless marked NO TRANSACTION",
    "hasura": "7 Hasura migrations in hasura/migrations/default, each in its own transaction",
    "liquibase": "13 Liquibase changesets in db/changelog, each in its own transaction unless it says runInTransaction:false",
    "plain": "8 numbered SQL files in migrations, each in one transaction unless it says otherwise",
    "prisma": "7 Prisma migrations in prisma/migrations, each sent as one query, an implicit transaction",
    "shop": "6 dbmate migrations in db/migrations, each in its own transaction unless marked transaction:false",
    "sqitch": "8 Sqitch changes in ., each as psql runs it, in the transaction that it writes",
    "sqlx": "7 sqlx migrations in migrations, each in its own transaction unless it begins with -- no-transaction",
    "supabase": "7 Supabase migrations in supabase/migrations, each in its own transaction",
}
APPLICATIONS = {"bookshop", "clinic"}  # what they send is looked at: tests/workload/test_applications.py
PROJECTS = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir() and path.name not in APPLICATIONS)


def config_of(project: str) -> Config:
    return Config.load(FIXTURES / project)


def history_of(project: str) -> History:
    (history,) = read_all(config_of(project)).histories
    return history


def report_on(project: str, paths: Iterable[str] = ()) -> Result:
    return check(config_of(project), paths)
