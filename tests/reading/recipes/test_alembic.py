"""Recipes as Alembic calls: they do what the SQL does, when a revision with them is run, and when it is printed."""

from __future__ import annotations

import io
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from dbguard.reading.recipes import in_alembic
from tests.reading.recipes.pages import Reached, execute, set_up, state, unlike

TEMPLATE = """\
from alembic import op
import sqlalchemy as sa

revision = {revision!r}
down_revision = None


def upgrade():
{body}
"""


def written(revision: str, recipe: str) -> str:
    return TEMPLATE.format(revision=revision, body=indent(in_alembic(recipe) + "\npass", "    "))


class Environment:
    """A folder of revisions, one per recipe and independent of each other, and a database to run them on."""

    def __init__(self, folder: Path, bodies: dict[str, str], dsn: str) -> None:
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        (folder / "versions").mkdir()
        for number, (name, body) in enumerate(bodies.items()):
            (folder / "versions" / f"r{number}.py").write_text(body.replace(repr(name), repr(f"r{number}"), 1))
        self.revisions = {name: f"r{number}" for number, name in enumerate(bodies)}
        self.config = Config()
        self.config.set_main_option("script_location", str(folder))
        self.script = ScriptDirectory(str(folder))
        self.dsn = dsn

    def upgrade(self, name: str, **settings: Any) -> None:
        from alembic.runtime.environment import EnvironmentContext

        revision = self.revisions[name]
        as_sql = settings.pop("as_sql", False)
        with EnvironmentContext(
            self.config, self.script, fn=lambda now, _: self.script._upgrade_revs(revision, now), as_sql=as_sql, destination_rev=revision
        ) as environment:
            environment.configure(**settings)
            with environment.begin_transaction():
                environment.run_migrations()

    def run(self, name: str) -> None:
        """As `alembic upgrade` does."""
        import psycopg
        import sqlalchemy as sa
        from sqlalchemy.pool import NullPool

        engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(self.dsn), poolclass=NullPool)
        with engine.connect() as connection:
            self.upgrade(name, connection=connection, transaction_per_migration=True)

    def printed(self, name: str) -> str:
        """As `alembic upgrade --sql` does."""
        output = io.StringIO()
        self.upgrade(name, as_sql=True, dialect_name="postgresql", dialect_opts={"paramstyle": "named"}, output_buffer=output)
        return output.getvalue()


@pytest.fixture(scope="module")
def environment(connection: Any, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    bodies = {name: written(name, recipe.sql) for name, recipe in unlike().items()}
    return Environment(tmp_path_factory.mktemp("alembic"), bodies, connection.info.dsn)


def test_most_recipes_can_be_executed(results: dict[str, Reached]):
    assert len(results) > 0.85 * len(unlike())


@pytest.mark.parametrize("name", unlike())
def test_a_revision_reaches_what_the_sql_reaches(name: str, environment: Environment, results: dict[str, Reached], connection: Any):
    if name not in results:
        pytest.skip("the example has no table for it")
    set_up(connection, results[name].start)
    environment.run(name)
    assert state(connection) == results[name].state


@pytest.mark.parametrize("name", [name for name in unlike() if name.endswith("-0")])
def test_a_printed_revision_reaches_it_too(name: str, environment: Environment, results: dict[str, Reached], connection: Any):
    if name not in results or "op.get_bind()" in in_alembic(results[name].recipe.sql):
        pytest.skip("the example has no table for it, or the recipe asks how many rows it changed")
    set_up(connection, results[name].start)
    execute(connection, environment.printed(name))
    connection.execute("ROLLBACK")
    assert state(connection) == results[name].state


def upgraded(sql: str) -> str:
    """What Alembic prints for the recipe, under a naming convention that puts prefixes before names."""
    import sqlalchemy as sa
    from alembic import op
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    output = io.StringIO()
    convention = {"ck": "ck_%(table_name)s_%(constraint_name)s"}
    options = {
        "as_sql": True,
        "output_buffer": output,
        "target_metadata": sa.MetaData(naming_convention=convention),
        "dialect_opts": {"paramstyle": "named"},
    }
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(context), context.begin_transaction(_per_migration=True):
        exec(in_alembic(sql), {"op": op, "sa": sa})
    return "\n".join(line for line in output.getvalue().splitlines() if line)


@pytest.mark.parametrize(
    ("sql", "call"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a, b)", "op.create_index("),
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON shop.t (a) WHERE deleted_at IS NULL", "op.create_index("),
        ("CREATE INDEX i ON t USING gin (a jsonb_path_ops)", "op.create_index("),
        ('CREATE INDEX i ON t (lower(a) text_pattern_ops, b DESC, (a || b), c COLLATE "C")', "op.create_index("),
        ('CREATE UNIQUE INDEX i ON t (a) INCLUDE ("B") NULLS NOT DISTINCT WITH (fillfactor = 70) TABLESPACE fast', "op.create_index("),
        ("DROP INDEX CONCURRENTLY IF EXISTS shop.i", "op.drop_index("),
        ("ALTER TABLE shop.t ADD CONSTRAINT c CHECK (a <> ':b' AND a LIKE '%c') NOT VALID", "op.create_check_constraint("),
        ("ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, b) DEFERRABLE INITIALLY DEFERRED", "op.create_unique_constraint("),
        ("ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (a)", "op.create_primary_key("),
        (
            "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES shop.u (b) MATCH FULL ON DELETE SET NULL DEFERRABLE NOT VALID",
            "op.create_foreign_key(",
        ),
        ("ALTER TABLE t DROP CONSTRAINT c", "op.drop_constraint("),
        ("ALTER TABLE t ADD COLUMN a NUMERIC(12, 2) DEFAULT 1.5 NOT NULL", "op.add_column("),
        ("ALTER TABLE t ADD COLUMN a TIMESTAMP WITH TIME ZONE", "op.add_column("),
        ("ALTER TABLE t ADD COLUMN a JSONB", "op.add_column("),
        ("ALTER TABLE t ADD COLUMN a TEXT[]", "op.add_column("),
        ('ALTER TABLE t ALTER COLUMN a TYPE VARCHAR(20) COLLATE "C" USING a::text', "op.alter_column("),
        ("ALTER TABLE t ALTER COLUMN a DROP NOT NULL", "op.alter_column("),
        ("ALTER TABLE shop.t RENAME TO u", "op.rename_table("),
        ("UPDATE t SET a = '\\:b' || ':c' || '%d'::text WHERE e[1:2] = '{}'", "op.execute("),
    ],
)
def test_a_call_says_what_the_statement_says(sql: str, call: str):
    assert call in in_alembic(sql)
    statements = [line.rstrip(";") for line in upgraded(sql).replace("%%", "%").splitlines() if line not in {"BEGIN;", "COMMIT;"}]
    assert [" ".join(line.replace("(", " ( ").split()) for line in statements] == [" ".join(sql.replace("(", " ( ").split())]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX ON t (a)",
        "CREATE INDEX i ON ONLY t (a)",
        "CREATE INDEX i ON t USING gin (a gin_trgm_ops (siglen = 32))",
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES u (a, b) ON DELETE SET NULL (b)",
        "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NO INHERIT NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED",
        "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (a WITH &&)",
        "ALTER TABLE ONLY t ADD CONSTRAINT c CHECK (a > 0)",
        "ALTER TABLE t ADD COLUMN a int, ADD COLUMN b int",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
        "ALTER TABLE t ADD COLUMN a int REFERENCES u",
        "ALTER TABLE t ADD COLUMN a serial",
        "ALTER TABLE t ADD COLUMN a status",
        "ALTER TABLE t ADD COLUMN a timestamptz(3)",
        "ALTER TABLE t DROP COLUMN a CASCADE",
        "ALTER TABLE t DROP CONSTRAINT IF EXISTS c",
        "ALTER TABLE t ALTER COLUMN a TYPE status",
        "ALTER VIEW v RENAME TO w",
        "DROP INDEX a, b",
        "VALIDATE everything",
    ],
)
def test_what_alembic_cannot_say_stays_sql(sql: str):
    assert in_alembic(sql) == f'op.execute("{sql}")'


def test_an_index_is_built_in_an_autocommit_block():
    assert in_alembic("-- outside a transaction\nCREATE INDEX CONCURRENTLY i ON t (a);") == (
        '# outside a transaction\nwith op.get_context().autocommit_block():\n    op.create_index("i", "t", ["a"], postgresql_concurrently=True)'
    )


def test_a_migration_is_called_a_revision():
    sql = "-- in a migration of its own\nSET lock_timeout = '2s';\n-- dbguard: allow drop-table - by migration 12\nDROP TABLE t;"
    assert in_alembic(sql).splitlines() == [
        "# in a revision of its own",
        "op.execute(\"SET lock_timeout = '2s'\")",
        "# dbguard: allow drop-table - by migration 12",
        'op.execute("DROP TABLE t")',
    ]


def test_the_transaction_is_left_to_alembic():
    assert in_alembic("BEGIN;\nDROP TABLE t;\nCOMMIT;") == 'op.execute("DROP TABLE t")'
    assert in_alembic("COMMIT;") == 'op.execute("COMMIT")'


def test_a_loop_ends_when_nothing_is_left_to_do():
    written = in_alembic("-- outside a transaction, again and again until it updates no row\nUPDATE t SET a = 1 WHERE a IS NULL;")
    assert written.splitlines()[1:] == [
        "with op.get_context().autocommit_block():",
        '    batch = sa.text("UPDATE t SET a = 1 WHERE a IS NULL")',
        "    while op.get_bind().execute(batch).rowcount > 0:",
        "        pass",
    ]
