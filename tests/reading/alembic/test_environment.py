"""Which environment a revision belongs to, and how its env.py runs revisions: compared with what Alembic really does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dbguard.errors import UsageError
from dbguard.model.operations import AutocommitBlock
from dbguard.reading.alembic.env_file import read_env
from dbguard.reading.alembic.environment import find
from dbguard.reading.folders import Disk

from .environments import ENV, INI, read, read_all, revision, up, write

ONLINE = """
from alembic import context
from sqlalchemy import create_engine, pool, text

engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
"""
PLAIN = (
    ONLINE
    + """
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
)
ENVIRONMENTS = {
    "plain": PLAIN,
    "one transaction": PLAIN.replace(", transaction_per_migration=True", ""),
    "engine.begin()": PLAIN.replace("engine.connect()", "engine.begin()"),
    "set before configure": PLAIN.replace("    context.configure", "    connection.execute(text('SET lock_timeout = 1000'))\n    context.configure"),
    "lock between configure and begin": PLAIN.replace(
        "    with context.begin", "    connection.execute(text('SELECT pg_advisory_lock(7)'))\n    with context.begin"
    ),
    "lock inside": PLAIN.replace("        context.run", "        connection.execute(text('SELECT pg_advisory_lock(7)'))\n        context.run"),
    "committed before configure": PLAIN.replace(
        "    context.configure", "    connection.execute(text('SELECT 1'))\n    connection.commit()\n    context.configure"
    ),
    "begun by hand": PLAIN.replace("    context.configure", "    connection.begin()\n    context.configure"),
    "in a function": ONLINE
    + """
def migrate(connection):
    context.configure(connection=connection, **{"transaction_per_migration": True})
    with context.begin_transaction():
        context.run_migrations()


def online():
    with engine.begin() as connection:
        migrate(connection)


if context.is_offline_mode():
    raise RuntimeError
else:
    online()
""",
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_autocommit_block_is_said_to_fail_exactly_where_it_does(name: str, tmp_path: Path, database: str):
    from alembic import command
    from alembic.config import Config
    from psycopg.conninfo import conninfo_to_dict

    text = "with op.get_context().autocommit_block():\n    op.execute('SELECT 1')"
    script = up(tmp_path, text, env=ENVIRONMENTS[name])
    (said,) = [operation for block in script.blocks for operation in block.operations if isinstance(operation, AutocommitBlock)]
    config = Config(tmp_path / "alembic.ini")
    given = conninfo_to_dict(database)
    url = f"postgresql+psycopg://{given.get('user', '')}@/{given['dbname']}?host={given['host']}&port={given.get('port', 5432)}"
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    try:
        command.upgrade(config, "heads")
        fails = False
    except AssertionError:
        fails = True
    finally:
        for module in [one for one in sys.modules if one.startswith("env_py") or one == "one_py"]:
            del sys.modules[module]
    assert bool(said.broken_by) is fails


def test_a_connection_that_commits_first_may_enter_an_autocommit_block(tmp_path):
    body = "op.get_bind().commit()\nwith op.get_context().autocommit_block():\n    op.execute('SELECT 1')"
    script = up(tmp_path, body, env=ENVIRONMENTS["engine.begin()"])
    assert AutocommitBlock("") in [operation for block in script.blocks for operation in block.operations]


@pytest.mark.parametrize(
    ("env", "how"),
    [
        (PLAIN, "each in its own transaction"),
        (ENVIRONMENTS["one transaction"], "all pending ones in one transaction"),
        (ENVIRONMENTS["engine.begin()"], "all pending ones in the transaction that env.py has open (`engine.begin()`)"),
        (PLAIN.replace("create_engine(", "create_engine(isolation_level='AUTOCOMMIT', url="), "each statement by itself"),
        ("syntax error here", "all pending ones in one transaction"),
    ],
)
def test_the_description_says_how_revisions_run(env: str, how: str, tmp_path):
    write(tmp_path, {"one": revision("one"), "two": revision("two", "one")}, env)
    assert read(tmp_path).description == f"2 Alembic revisions in migrations, {how}"


def test_what_runs_offline_only_is_not_taken_for_what_runs():
    offline = "def offline():\n    context.configure(url='x', transaction_per_migration=True)\n    context.run_migrations()\n"
    assert not read_env(
        f"from alembic import context\n{offline}\nif context.is_offline_mode():\n    offline()\n"
        + PLAIN.replace(", transaction_per_migration=True", "")
    ).per_migration


def test_a_statement_that_may_not_run_begins_nothing():
    env = PLAIN.replace("    context.configure", "    if role():\n        connection.execute(text('SET ROLE x'))\n    context.configure")
    assert read_env(env).external == ""


def test_an_engine_of_asyncio_is_followed():
    env = """
import asyncio
from alembic import context
from sqlalchemy.ext.asyncio import async_engine_from_config

def migrate(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def online():
    connectable = async_engine_from_config({})
    async with connectable.begin() as connection:
        await connection.run_sync(migrate)

asyncio.run(online())
"""
    assert read_env(env).external == "connectable.begin()"
    assert read_env(env.replace("connectable.begin()", "connectable.connect()")).external == ""


@pytest.mark.parametrize(
    "line",
    [
        "connection.execute(text('SET lock_timeout = 1000'))",
        "engine = create_engine('', connect_args={'options': '-c lock_timeout=4s'})",
        "engine = create_async_engine('', connect_args={'server_settings': {'lock_timeout': '4000'}})",
    ],
)
def test_a_lock_timeout_of_the_runner_is_seen(line: str, tmp_path):
    write(tmp_path, {"one": revision("one")}, ENV + line)
    assert read(tmp_path).runner_lock_timeout


def test_a_lock_timeout_that_is_only_talked_about_is_none(tmp_path):
    write(tmp_path, {"one": revision("one")}, '"""We do not set lock_timeout."""\n# lock_timeout\n' + ENV)
    assert not read(tmp_path).runner_lock_timeout


def test_a_lock_timeout_in_the_url_is_seen(tmp_path):
    write(tmp_path, {"one": revision("one")}, ini=INI + "sqlalchemy.url = postgresql:///x?options=-c%%20lock_timeout=1s\n")
    assert read(tmp_path).runner_lock_timeout


@pytest.mark.parametrize(
    ("ini", "folders"),
    [
        ("script_location = migrations", ["migrations/versions"]),
        (
            "script_location = %(here)s/migrations\nversion_path_separator = :\nversion_locations = %(here)s/a:%(here)s/migrations/versions",
            ["a", "migrations/versions"],
        ),
        ("script_location = migrations\npath_separator = newline\nversion_locations =\n  a\n  migrations/versions", ["a", "migrations/versions"]),
        ("script_location = migrations\nversion_locations = a, migrations/versions", ["a", "migrations/versions"]),
        ("script_location = shop:db:migrations", ["shop/db/migrations/versions"]),
    ],
)
def test_locations_are_read_as_alembic_reads_them(ini: str, folders: list[str], tmp_path):
    write(tmp_path, {"one": revision("one")}, ini=f"[alembic]\n{ini}\n", a__x="", shop__db__migrations__versions__x="")
    found = find(Disk(lambda _: False), str(tmp_path / folders[-1]))
    assert [str(Path(folder).relative_to(tmp_path)) for folder in found.folders] == folders


def test_a_project_file_may_configure_it(tmp_path):
    toml = '[tool.alembic]\nscript_location = "%(here)s/migrations"\nversion_locations = ["%(here)s/a", "%(here)s/migrations/versions"]\n'
    write(tmp_path, {"one": revision("one")}, ini="", a__x="")
    (tmp_path / "pyproject.toml").write_text(toml)
    assert len(find(Disk(lambda _: False), str(tmp_path / "a")).folders) == 2


def test_an_environment_without_configuration_is_that_of_the_nearest_env_py(tmp_path):
    write(tmp_path, {"one": revision("one")}, ini="")
    assert read(tmp_path).root == "migrations"


def test_a_broken_configuration_is_no_error(tmp_path):
    write(tmp_path, {"one": revision("one")}, ini="[alembic\nscript_location = %(nothing)s/%(")
    assert [script.version for script in read(tmp_path).scripts] == ["one"]


def test_two_environments_are_two_histories(tmp_path):
    write(tmp_path / "a", {"one": revision("one")})
    write(tmp_path / "b", {"one": revision("one")})
    found = read_all(tmp_path, ["a/migrations/versions/one.py", "b/migrations/versions/one.py"])
    assert [history.root for history in found] == ["a/migrations", "b/migrations"]


def test_revisions_for_another_database_are_left_alone(tmp_path):
    write(tmp_path, {"sqlite/one": revision("one"), "postgresql/two": revision("two")})
    assert [script.version for history in read_all(tmp_path) for script in history.scripts] == ["two"]


def test_a_revision_that_nobody_asked_for_builds_the_schema_only(tmp_path):
    write(tmp_path, {"one": revision("one"), "two": revision("two", "one")})
    history = read(tmp_path, ["migrations/versions/two.py"])
    assert [script.version for script in history.scripts] == ["one", "two"]
    assert history.asked == {"migrations/versions/two.py"}


def test_an_unknown_start_is_an_error_of_use(tmp_path):
    from dbguard.config import Config
    from dbguard.reading import alembic
    from dbguard.reading.history import Desk

    write(tmp_path, {"one": revision("abcdef"), "two": revision("123456", "abcdef")})
    paths = {str(path): None for path in tmp_path.glob("migrations/versions/*.py")}

    def asked(start: str) -> frozenset[str]:
        config = Config(cwd=str(tmp_path), root=str(tmp_path), start_after=start)
        return alembic.histories(Desk(config, True), Disk(lambda _: False), paths)[0].asked

    assert asked("abcd") == {"migrations/versions/two.py"}
    assert asked("one") == {"migrations/versions/two.py"}
    with pytest.raises(UsageError, match="no revision of that name"):
        asked("zzz")


CONVENTION = {"uq": "uq_%(table_name)s_%(column_0_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"}
METADATA = f"from sqlalchemy import MetaData\nNAMES = {CONVENTION!r}\nmetadata = MetaData(naming_convention=NAMES)\n"


@pytest.mark.parametrize(
    ("imported", "target", "files"),
    [
        ("from shop.meta import metadata", "metadata", {"shop__meta": METADATA}),
        ("from shop import meta", "meta.metadata", {"shop__meta": METADATA}),
        (
            "from shop.models import Base",
            "Base.metadata",
            {"shop__meta": METADATA, "shop__models": "from .meta import metadata\nclass Base:\n    metadata = metadata\n"},
        ),
        (
            "from shop.models import Model",
            "[Model.metadata]",
            {
                "shop__meta": METADATA,
                "shop__models": "from shop.meta import metadata as m\nclass Base(object):\n    metadata = m\nclass Model(Base): pass\n",
            },
        ),
        ("from shop.models import metadata", "metadata", {"shop__meta": METADATA, "shop__models": "from .meta import *\n"}),
        (
            "from shop.models import db",
            "db.metadata",
            {
                "shop__meta": METADATA,
                "shop__models": "from flask_sqlalchemy import SQLAlchemy\nfrom shop.meta import metadata as m\ndb = SQLAlchemy(metadata=m)\n",
            },
        ),
        (
            "from shop.models import Base",
            "Base.metadata",
            {
                "shop__meta": METADATA,
                "shop__models": "import shop.meta\nfrom sqlalchemy.orm import declarative_base\nBase = declarative_base(metadata=shop.meta.metadata)\n",
            },
        ),
        (METADATA, "metadata", {}),
    ],
)
def test_the_naming_convention_is_found_by_file(imported: str, target: str, files: dict[str, str], tmp_path):
    env = f"from alembic import context\n{imported}\n" + ENV.replace("target_metadata = None", f"target_metadata = {target}")
    write(tmp_path, {"one": revision("one", None, "op.create_unique_constraint(None, 't', ['a', 'b'])")}, env)
    for name, text in files.items():
        path = tmp_path / (name.replace("__", "/") + ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert read(tmp_path).scripts[0].blocks[0].sql == "ALTER TABLE t ADD CONSTRAINT uq_t_a UNIQUE (a, b);"


def test_a_convention_that_is_computed_is_not_guessed(tmp_path):
    env = ENV.replace("target_metadata = None", "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention=make())")
    write(tmp_path, {"one": revision("one", None, "op.create_unique_constraint(None, 't', ['a'])")}, env)
    assert read(tmp_path).scripts[0].blocks[0].sql == "ALTER TABLE t ADD UNIQUE (a);"
