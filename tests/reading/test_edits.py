"""Which edits of merged migrations count: what a database would run, and what tools compare."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbguard.reading import History
from dbguard.reading.python.edits import first_difference
from tests.reading.repositories import commit, git, repository, since, write

ORDERS = "-- the orders\nCREATE TABLE orders (\n  id bigint PRIMARY KEY,\n  note text DEFAULT 'A b'\n);\nSELECT 1;\n"


@pytest.fixture(autouse=True)
def _no_git_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


def edits(folder: Path, before: dict[str, str], after: dict[str, str]) -> list[str]:
    """`path way line` of every script that gives findings."""
    repository(folder, {**before})
    write(folder, {**after})
    return [line for history in since(folder, ref="HEAD").histories for line in lines(history)]


def lines(history: History) -> list[str]:
    found = []
    for script in history.scripts:
        if history.asks_for(script):
            merged = script.merged
            where = f" {merged.way} {script.source.text.count(chr(10), 0, merged.at) + 1}" if merged else ""
            found.append(f"{script.source.path} {script.direction}{where}")
    return found


def one(folder: Path, text: str, name: str = "migrations/001_orders.sql", before: str = ORDERS) -> list[str]:
    return edits(folder, {name: before}, {name: text})


@pytest.mark.parametrize(
    "text",
    [
        ORDERS.replace("the orders", "what customers buy"),
        ORDERS.removeprefix("-- the orders\n"),
        ORDERS + "\n/* more\n /* nested */ */\n",
        ORDERS.replace("\n", "\r\n"),
        "\ufeff" + ORDERS,
        " ".join(ORDERS.split("\n")[1:]),
        ORDERS.replace("CREATE TABLE", "create   table").replace("bigint", "BIGINT"),
        ORDERS.rstrip("\n;"),
        "-- dbguard: allow-file drop-table - nobody needs it\n" + ORDERS,
    ],
)
def test_what_runs_the_same_is_no_edit(tmp_path: Path, text: str) -> None:
    assert one(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ORDERS.replace("bigint", "integer"), 3),
        (ORDERS.replace("A b", "A B"), 4),
        (ORDERS.replace("A b", "A  b"), 4),
        (ORDERS.replace("orders (", '"Orders" ('), 2),
        (ORDERS.replace("SELECT 1", "SELECT 2"), 6),
        (ORDERS + "DROP TABLE orders;\n", 7),
        (ORDERS.replace("SELECT 1;\n", ""), 5),
        (ORDERS.replace("SELECT 1", "-- SELECT 1"), 6),
        ("", 1),
        ("-- nothing any more\n", 1),
    ],
)
def test_what_runs_otherwise_is_an_edit(tmp_path: Path, text: str, line: int) -> None:
    assert one(tmp_path, text) == [f"migrations/001_orders.sql up edited {line}"]


def test_a_down_script_may_be_edited(tmp_path: Path) -> None:
    goose = "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"
    assert one(tmp_path, goose.replace("2", "3"), "m/001_x.sql", goose) == ["m/001_x.sql down edited 4"]
    assert lines_of_pair(tmp_path / "pair") == ["m/001_x.down.sql down edited 1"]


def lines_of_pair(folder: Path) -> list[str]:
    return edits(folder, {"m/001_x.up.sql": "SELECT 1;", "m/001_x.down.sql": "SELECT 2;"}, {"m/001_x.down.sql": "SELECT 3;"})


def test_repeatable_scripts_are_meant_to_be_edited(tmp_path: Path) -> None:
    files = {"m/V1__a.sql": "SELECT 1;", "m/R__view.sql": "SELECT 1;"}
    assert edits(tmp_path, files, {"m/R__view.sql": "SELECT 2;"}) == ["m/R__view.sql repeatable"]


@pytest.mark.parametrize(("name", "sibling"), [("m/V1__x.sql", "m/V2__y.sql"), ("migrations/20260101000000_x.sql", ".sqlx/query.json")])
def test_tools_that_compare_checksums_of_files_notice_comments(tmp_path: Path, name: str, sibling: str) -> None:
    write(tmp_path, {"Cargo.toml": "[dependencies]\nsqlx = '0.8'\n"})
    found = edits(tmp_path, {name: ORDERS, sibling: "{}" if sibling.endswith("json") else "SELECT 1;"}, {name: ORDERS + "-- more\n"})
    assert found == [f"{name} up checksum 7"]


def test_flyway_does_not_notice_line_ends(tmp_path: Path) -> None:
    assert one(tmp_path, ORDERS.replace("\n", "\r\n"), "m/V1__x.sql") == []


LOG = "--liquibase formatted sql\n\n--changeset a:1\nSELECT 1;\n--rollback SELECT 2;\n\n--changeset a:2 runOnChange:true\nSELECT 3;\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (LOG + "--changeset a:3\nSELECT 4;\n", ["up"]),
        (LOG.replace("SELECT 1", "-- new words\nSELECT 1"), []),
        (LOG.replace("SELECT 1", "SELECT 9"), ["up checksum 4"]),
        (LOG.replace("SELECT 2", "SELECT 9"), ["down checksum 5"]),
        (LOG.replace("SELECT 3", "SELECT 9"), ["up"]),
        (LOG.replace("--changeset a:1\n", "--changeset a:0\nSELECT 0;\n--changeset a:1\n"), ["up"]),
    ],
)
def test_changesets_are_compared_one_by_one(tmp_path: Path, text: str, found: list[str]) -> None:
    result = one(tmp_path, text, "db/changelog/log.sql", LOG)
    assert [line.removeprefix("db/changelog/log.sql ") for line in result if " up" not in line or "same" not in line][: len(found)] == found


def test_a_reworked_change_of_sqitch_is_deployed_once_more(tmp_path: Path) -> None:
    when = "2026-01-01T00:00:00Z a <a@example.org>"
    plan = f"%syntax-version=1.0.0\nview {when}\n@v1 {when}\n"
    before = {"sqitch.plan": plan, "deploy/view.sql": "SELECT 1;\n", "revert/view.sql": "SELECT 0;\n"}
    after = {"sqitch.plan": f"{plan}view [view@v1] {when}\n", "deploy/view.sql": "SELECT 2;\n", "deploy/view@v1.sql": "SELECT 1;\n"}
    assert not any("edited" in line for line in edits(tmp_path, before, after) if "deploy" in line)


def test_a_change_of_sqitch_that_is_not_reworked_is_edited(tmp_path: Path) -> None:
    when = "2026-01-01T00:00:00Z a <a@example.org>"
    before = {"sqitch.plan": f"%syntax-version=1.0.0\nview {when}\n", "deploy/view.sql": "SELECT 1;\n"}
    assert edits(tmp_path, before, {"deploy/view.sql": "SELECT 2;\n"}) == ["deploy/view.sql up edited 1"]


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        ("2026-01-01-000000_a/up.sql", "2026-02-02-000000_a/up.sql", "renamed"),
        ("20260101000000_a/migration.sql", "20260202000000_a/migration.sql", "renamed"),
    ],
)
def test_a_folder_per_migration_may_be_renamed(tmp_path: Path, old: str, new: str, way: str) -> None:
    repository(tmp_path, {f"m/{old}": ORDERS, "m/migration_lock.toml": 'provider = "postgresql"\n'})
    (tmp_path / "m" / new).parent.mkdir()
    git(tmp_path, "mv", f"m/{old}", f"m/{new}")
    assert [line.split()[2] for line in [x for h in since(tmp_path).histories for x in lines(h)]] == [way]


def test_a_date_with_dashes_is_no_version(tmp_path: Path) -> None:
    repository(
        tmp_path, {"migrations/2026-01-01-a.sql": ORDERS, "migrations/2026-01-02-b.sql": "SELECT 1;", "migrations/2026-01-03-c.sql": "SELECT 2;"}
    )
    write(tmp_path, {"migrations/2026-01-02-b.sql": None, "migrations/2026-02-02-new.sql": "SELECT 7;"})
    git(tmp_path, "mv", "migrations/2026-01-03-c.sql", "migrations/2026-03-03-c.sql")
    found = [line for history in since(tmp_path).histories for line in lines(history)]
    assert found == ["migrations/2026-02-02-new.sql up", "migrations/2026-03-03-c.sql up renamed 1"]


def test_an_empty_migration_is_renamed_to_nothing(tmp_path: Path) -> None:
    repository(tmp_path, {"migrations/001_a.sql": "-- nothing\n", "migrations/002_b.sql": ORDERS})
    git(tmp_path, "mv", "migrations/001_a.sql", "migrations/003_c.sql")
    assert [line for history in since(tmp_path).histories for line in lines(history)] == ["migrations/003_c.sql up"]


def test_a_version_that_was_taken_again_is_edited(tmp_path: Path) -> None:
    repository(tmp_path, {"migrations/001_a.sql": ORDERS, "migrations/002_b.sql": "SELECT 1;"})
    write(tmp_path, {"migrations/002_b.sql": None, "migrations/002_c.sql": "SELECT 3;"})
    assert [line for history in since(tmp_path).histories for line in lines(history)] == ["migrations/002_c.sql up edited 1"]


def test_what_cannot_be_decoded_is_just_changed(tmp_path: Path) -> None:
    repository(tmp_path, {"migrations/001_a.sql": b"\0\1\2", "migrations/002_b.sql": ORDERS})
    commit(tmp_path)
    write(tmp_path, {"migrations/001_a.sql": "SELECT 1;"})
    assert [line for history in since(tmp_path).histories for line in lines(history)] == ["migrations/001_a.sql up"]


def test_other_encodings_of_the_same_text_are_the_same(tmp_path: Path) -> None:
    repository(tmp_path, {"migrations/001_a.sql": ORDERS, "migrations/002_b.sql": ORDERS})
    write(tmp_path, {"migrations/001_a.sql": ORDERS.encode("utf-16")})
    assert [line for history in since(tmp_path).histories for line in lines(history)] == []


def test_a_pointer_of_git_lfs_is_the_file_it_stands_for(tmp_path: Path) -> None:
    from hashlib import sha256

    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(ORDERS.encode()).hexdigest()}\nsize {len(ORDERS)}\n"
    assert edits(tmp_path, {"migrations/001_a.sql": pointer, "migrations/002_b.sql": ""}, {"migrations/001_a.sql": ORDERS}) == []


# Python migrations

ALEMBIC = '''"""orders

Revises: a1
"""
from typing import Union

from alembic import op
import sqlalchemy as sa

revision: str = "b2"
down_revision: Union[str, None] = "a1"
TABLE = "orders"


def upgrade() -> None:
    op.create_table(TABLE, sa.Column("id", sa.Integer()))
    # an index
    op.create_index("i", TABLE, ["id"])


def downgrade() -> None:
    op.drop_table(TABLE)
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# an index", "# the index\n"),
        ("orders\n\nRevises: a1", "what customers buy"),
        ("from typing import Union\n\n", ""),
        ("import sqlalchemy as sa", "import sqlalchemy as sa\nfrom . import helpers"),
        ('revision: str = "b2"', "revision = 'b2'"),
        ('Union[str, None] = "a1"', 'Union[str, None] = "a9"'),
        ("upgrade() -> None", "upgrade()"),
        ('["id"])', '\n        [\n            "id",\n        ],\n    )'),
        ('op.create_table(TABLE, sa.Column("id", sa.Integer()))', "op.create_table(TABLE, sa.Column('id', sa.Integer()))"),
        ("op.drop_table(TABLE)", "pass"),
    ],
)
def test_python_that_runs_the_same_is_no_edit(old: str, new: str) -> None:
    assert old in ALEMBIC
    assert first_difference(ALEMBIC.replace(old, new), ALEMBIC, frozenset(["downgrade"])) is None


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ('TABLE = "orders"', 'TABLE = "order"', '"order"'),
        ("sa.Integer()", "sa.BigInteger()", "sa.BigInteger"),
        ('    op.create_index("i", TABLE, ["id"])\n', "", "def upgrade"),
        ('["id"])', '["id"], unique=True)', "op.create_index"),
        ('"i"', '"\u00e9", 1', '"\u00e9"'),
        ("    op.drop_table(TABLE)", "    op.drop_table('x')", None),
    ],
)
def test_python_that_runs_otherwise_is_an_edit(old: str, new: str, at: str | None) -> None:
    text = ALEMBIC.replace(old, new)
    place = first_difference(text, ALEMBIC, frozenset(["downgrade"]))
    if at is None:
        assert place is None
        assert first_difference(text, ALEMBIC, frozenset(["upgrade"])) == text.index("'x'")
    else:
        assert place is not None
        assert text[place:].startswith(at)


DJANGO = """from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("shop", "Order").objects.update(paid=False)


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    replaces = [("shop", "0002_a")]
    operations = [migrations.RunPython(fill), migrations.AddField("order", "paid", models.BooleanField(null=True))]
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('    replaces = [("shop", "0002_a")]\n', ""),
        ('[("shop", "0001_initial")]', '[("shop", "0001_squashed"), ("users", "0001_initial")]'),
        ("(migrations.Migration):", "(migrations.Migration):\n    initial = True\n    atomic = False\n"),
    ],
)
def test_the_order_of_django_migrations_is_no_edit(old: str, new: str) -> None:
    assert old in DJANGO
    assert first_difference(DJANGO.replace(old, new), DJANGO) is None


@pytest.mark.parametrize(
    ("old", "new"), [("paid=False", "paid=True"), ("null=True", "default=False"), ("RunPython(fill), ", "RunPython(fill) ,*x, ")]
)
def test_what_a_django_migration_does_is_one(old: str, new: str) -> None:
    assert first_difference(DJANGO.replace(old, new), DJANGO) is not None


def test_python_that_cannot_be_read_is_compared_by_lines() -> None:
    old = "print 'x'\nexec 'y'\n"
    assert first_difference("# more\n\n" + old, old) is None
    assert first_difference(old + "print 'z'\n", old) == 0
    deep = "x = " + "(" * 5000 + ")" * 5000
    assert first_difference(deep, deep) is None
