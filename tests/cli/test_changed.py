"""`--since` and `--staged` from arguments to exit code: SQL, Alembic and Django."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from tests.reading.repositories import commit, git, repository, write

import dbguard
from dbguard.cli import run

ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);\n"
INDEX = "SET lock_timeout = '2s';\nCREATE INDEX orders_customer_id_idx ON orders (customer_id);\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = repository(tmp_path / "project", {"migrations/001_orders.sql": ORDERS})
    monkeypatch.chdir(folder)
    return folder


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    code = run(["check", "--format", "concise", *arguments])
    out, err = capsys.readouterr()
    assert err == ""
    return code, [line.partition(": ")[0].replace(":1 ", " ", 1) for line in out.splitlines()]


@pytest.mark.parametrize("options", [["--since", "main"], ["--staged"]])
def test_a_new_migration_is_judged_on_the_schema_of_the_others(project: Path, options: list[str], capsys: pytest.CaptureFixture[str]):
    write(project, {"migrations/002_index.sql": INDEX})
    git(project, "add", "-A")
    assert found(capsys, *options) == (1, ["migrations/002_index.sql:2 create-index-blocking"])
    git(project, "commit", "-qm", "index")
    git(project, "branch", "-f", "main")
    assert found(capsys, *options) == (0, [])


@pytest.mark.parametrize(("options", "words"), [(["--since", "main"], "no migration changed since main"), (["--staged"], "no migration is staged")])
def test_nothing_changed_is_said_and_exits_0(project: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]):
    assert run(["check", *options]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == (f"{words}\n", "")
    assert run(["check", "--format", "json", *options]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []


def test_a_table_of_the_same_branch_is_new_because_its_migrations_go_out_together(project: Path, capsys: pytest.CaptureFixture[str]):
    commit(project, {"migrations/002_items.sql": "CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint);\n"})
    commit(project, {"migrations/003_index.sql": INDEX.replace("orders", "items")})
    assert found(capsys, "--since", "main") == (0, [])
    run(["check", "--since", "main"])
    assert "the 2 new migrations in migrations are taken to be deployed together" in capsys.readouterr().out
    write(project, {"dbguard.toml": 'deployed = "002"\n'})
    assert found(capsys, "--since", "main") == (1, ["migrations/003_index.sql:2 create-index-blocking"])


def test_a_table_that_was_merged_is_in_use_though_its_migration_was_edited_or_follows_a_new_one(project: Path, capsys: pytest.CaptureFixture[str]):
    commit(project, {"migrations/000_before.sql": "CREATE TABLE items (id bigint PRIMARY KEY);\n", "migrations/002_index.sql": INDEX})
    assert found(capsys, "--since", "main") == (1, ["migrations/002_index.sql:2 create-index-blocking"])
    write(project, {"migrations/001_orders.sql": ORDERS + "-- more\nSELECT 1;\n"})
    assert found(capsys, "--since", "main", "--ignore", "merged-migration-edited") == (1, ["migrations/002_index.sql:2 create-index-blocking"])


def test_a_table_that_an_earlier_commit_of_the_branch_creates_is_new_for_what_is_staged(project: Path, capsys: pytest.CaptureFixture[str]):
    commit(project, {"migrations/002_items.sql": "CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint);\n"})
    write(project, {"migrations/003_index.sql": INDEX.replace("orders", "items"), "migrations/004_index.sql": INDEX})
    git(project, "add", ".")
    assert found(capsys, "--staged") == (1, ["migrations/004_index.sql:2 create-index-blocking"])


def test_an_edited_merged_migration_is_a_finding_of_its_own(project: Path, capsys: pytest.CaptureFixture[str]):
    write(project, {"migrations/001_orders.sql": "\n" + ORDERS.replace("bigint P", "integer P")})
    assert found(capsys, "--since", "main", "--ignore", "schema") == (0, [])
    assert found(capsys, "--since", "main") == (0, ["migrations/001_orders.sql:2 merged-migration-edited"])
    assert found(capsys, "--since", "main", "--fail-on", "warning")[0] == 1
    write(
        project,
        {"migrations/001_orders.sql": "-- dbguard: allow merged-migration-edited - never deployed\n" + ORDERS.replace("bigint P", "integer P")},
    )
    assert found(capsys, "--since", "main") == (0, [])


def test_a_merged_migration_that_was_emptied_is_one(project: Path, capsys: pytest.CaptureFixture[str]):
    for text in ("", "-- nothing any more\n", "SELECT broken broken broken;\n"):
        write(project, {"migrations/001_orders.sql": text})
        code, lines = found(capsys, "--since", "main")
        assert code == 0
        assert "migrations/001_orders.sql:1 merged-migration-edited" in lines
    assert run(["check", "--since", "main"]) == 0
    assert "crashed" not in capsys.readouterr().out


def test_a_comment_in_a_merged_migration_is_none(project: Path, capsys: pytest.CaptureFixture[str]):
    write(project, {"migrations/001_orders.sql": "-- more words\n" + ORDERS})
    assert run(["check", "--since", "main"]) == 0
    assert capsys.readouterr().out.startswith("no migration changed since main\n")


def test_a_renamed_migration_says_what_it_was(project: Path, capsys: pytest.CaptureFixture[str]):
    git(project, "mv", "migrations/001_orders.sql", "migrations/004_orders.sql")
    run(["check", "--since", "main"])
    assert "this migration was merged as migrations/001_orders.sql: under its new version it counts as new" in capsys.readouterr().out


def test_a_checksum_that_changes_is_said(project: Path, capsys: pytest.CaptureFixture[str]):
    commit(project, {"sql/V1__a.sql": ORDERS, "sql/V2__b.sql": INDEX})
    write(project, {"sql/V1__a.sql": ORDERS + "-- more\n"})
    run(["check", "--since", "HEAD"])
    assert "and Flyway compares checksums: where it has run, the next deployment stops with an error" in capsys.readouterr().out


def test_a_deleted_migration_is_told_and_changes_no_exit_code(project: Path, capsys: pytest.CaptureFixture[str]):
    commit(project, {"migrations/002_note.sql": "COMMENT ON TABLE orders IS 'x';\n"})
    write(project, {"migrations/002_note.sql": None})
    assert run(["check", "--since", "HEAD"]) == 0
    assert "1 migration was deleted since HEAD: migrations/002_note.sql; what it did stays" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "mian"], '(did you mean "main"?)'),
        (["--since", "main", "--staged"], "give one of them"),
        (["--since", "-x"], "give a branch, a tag or a commit"),
        (["--since", "main", "-"], "standard input"),
        (["--since", "main", "/"], "not in the git repository"),
    ],
)
def test_wrong_use_exits_2(project: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert run(["check", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, words in err) == ("", True), err


def test_locks_of_what_changed(project: Path, capsys: pytest.CaptureFixture[str]):
    write(project, {"migrations/002_index.sql": INDEX})
    assert run(["locks", "--since", "main", "--format", "json"]) == 0
    assert [one["path"] for one in json.loads(capsys.readouterr().out)["statements"]] == ["migrations/002_index.sql"] * 2
    assert run(["locks"]) == 2
    assert "--since REF" in capsys.readouterr().err


def test_from_python(project: Path):
    write(project, {"migrations/002_index.sql": INDEX})
    config = dbguard.Config.load(".")
    assert [finding.rule for finding in dbguard.check(config, since="main").findings] == ["create-index-blocking"]
    assert dbguard.check(config, staged=True).findings == ()


# Python migrations


def revision(name: str, before: str | None, body: str) -> str:
    return f"""\"\"\"{name}\"\"\"
from alembic import op
import sqlalchemy as sa

revision = "{name}"
down_revision = {before!r}


def upgrade():
    {body}


def downgrade():
    pass
"""


CREATE = 'op.create_table("orders", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("customer_id", sa.BigInteger()))'
ADD = 'op.create_index("orders_idx", "orders", ["customer_id"])'


@pytest.fixture
def revisions(project: Path) -> Path:
    ini = "[alembic]\nscript_location = alembic\n"
    commit(project, {"migrations/001_orders.sql": None, "alembic.ini": ini, "alembic/versions/a_orders.py": revision("a1", None, CREATE)})
    git(project, "branch", "-f", "main")
    return project


@pytest.mark.parametrize("options", [["--since", "main"], ["--staged"]])
def test_a_new_revision_is_judged_on_the_schema_of_the_others(revisions: Path, options: list[str], capsys: pytest.CaptureFixture[str]):
    assert found(capsys, *options) == (0, [])
    write(revisions, {"alembic/versions/b_index.py": revision("b2", "a1", ADD)})
    git(revisions, "add", "-A")
    if options == ["--staged"]:
        write(revisions, {"alembic/versions/b_index.py": "nothing(", "alembic/versions/a_orders.py": "nothing("})
    code, lines = found(capsys, *options, "--ignore", "lock-timeout-missing")
    assert (code, lines) == (1, ["alembic/versions/b_index.py:10:5 create-index-blocking"])


def test_an_edited_revision_is_one(revisions: Path, capsys: pytest.CaptureFixture[str]):
    write(revisions, {"alembic/versions/a_orders.py": revision("a1", None, f"pass  # more\n    {CREATE}").replace('"""a1"""', '"""words"""')})
    assert found(capsys, "--since", "main") == (0, [])
    write(revisions, {"alembic/versions/a_orders.py": revision("a1", None, CREATE.replace("BigInteger()))", "Integer()))"))})
    assert found(capsys, "--since", "main") == (0, ["alembic/versions/a_orders.py:10:5 merged-migration-edited"])
    git(revisions, "mv", "alembic/versions/a_orders.py", "alembic/versions/other.py")
    assert found(capsys, "--since", "main") == (0, ["alembic/versions/other.py:10:5 merged-migration-edited"])


def test_a_renamed_revision_is_the_same(revisions: Path, capsys: pytest.CaptureFixture[str]):
    git(revisions, "mv", "alembic/versions/a_orders.py", "alembic/versions/other.py")
    assert found(capsys, "--since", "main") == (0, [])


MIGRATION = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = {dependencies}
    operations = [
        {operation},
    ]
"""
TABLE = 'migrations.CreateModel("Order", fields=[("id", models.BigAutoField(primary_key=True)), ("customer", models.BigIntegerField())])'
ON_TABLE = 'migrations.AddIndex("order", models.Index(fields=["customer"], name="order_idx"))'


@pytest.fixture
def app(project: Path) -> Path:
    initial = MIGRATION.format(dependencies=[], operation=TABLE)
    files = {"manage.py": "", "shop/__init__.py": "", "shop/migrations/__init__.py": "", "shop/migrations/0001_initial.py": initial}
    commit(project, {"migrations/001_orders.sql": None, **files})
    git(project, "branch", "-f", "main")
    return project


@pytest.mark.parametrize("options", [["--since", "main"], ["--staged"]])
def test_a_new_django_migration_is_judged_on_the_models_of_the_others(app: Path, options: list[str], capsys: pytest.CaptureFixture[str]):
    assert found(capsys, *options) == (0, [])
    write(app, {"shop/migrations/0002_index.py": MIGRATION.format(dependencies=[("shop", "0001_initial")], operation=ON_TABLE)})
    git(app, "add", "-A")
    if options == ["--staged"]:
        write(app, {"shop/migrations/0002_index.py": "nothing(", "shop/migrations/0001_initial.py": "nothing("})
    code, lines = found(capsys, *options, "--select", "create-index-blocking")
    assert (code, lines) == (1, ["shop/migrations/0002_index.py:7:9 create-index-blocking"])


def test_an_edited_django_migration_is_one(app: Path, capsys: pytest.CaptureFixture[str]):
    path = "shop/migrations/0001_initial.py"
    write(app, {path: "# more\n" + (app / path).read_text().replace("    dependencies", "    initial = True\n    dependencies")})
    assert found(capsys, "--since", "main") == (0, [])
    write(app, {path: (app / path).read_text().replace('("customer", models.BigInteger', '("customer", models.Integer')})
    assert found(capsys, "--since", "main", "--select", "merged-migration-edited") == (0, [f"{path}:9:9 merged-migration-edited"])


def test_a_renamed_django_migration_runs_again(app: Path, capsys: pytest.CaptureFixture[str]):
    git(app, "mv", "shop/migrations/0001_initial.py", "shop/migrations/0001_first.py")
    run(["check", "--since", "main", "--select", "merged-migration-edited"])
    assert "this migration was merged as shop/migrations/0001_initial.py" in capsys.readouterr().out
