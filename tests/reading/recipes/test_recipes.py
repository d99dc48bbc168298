"""What holds for recipes in either language: they are Python, formatted, and shown in the findings on Python migrations only."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbguard.config import Config
from dbguard.model.source import Block, Script, Source
from dbguard.pipelines.check import check_history
from dbguard.reading import History
from dbguard.reading.recipes import in_alembic, in_django
from dbguard.rulebook.select import from_config
from tests.book import BOOK, ROOT
from tests.reading.recipes.pages import recipes


def in_a_function(sql: str) -> str:
    return f"def upgrade():\n{indent(in_alembic(sql), '    ')}\n    pass\n"


def in_a_class(sql: str) -> str:
    return f"class Migration:\n{indent(in_django(sql), '    ')}\n    pass\n"


def test_every_recipe_is_formatted_python(tmp_path: Path):
    for number, recipe in enumerate(recipes()):
        for name, text in (("alembic", in_a_function(recipe.sql)), ("django", in_a_class(recipe.sql))):
            ast.parse(text)
            (tmp_path / f"{name}_{number}.py").write_text(text)
    command = ["ruff", "format", "--isolated", "--line-length", "116", "--diff", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_lines_are_short():
    for recipe in recipes():
        for line in (in_alembic(recipe.sql) + "\n" + in_django(recipe.sql)).splitlines():
            assert len(line) <= 112 or line.lstrip().startswith("#"), line


def test_every_comment_is_kept():
    for recipe in recipes():
        for line in recipe.sql.splitlines():
            if line.startswith("--"):
                comment = line.removeprefix("--").strip()
                assert comment in in_django(recipe.sql)
                assert comment in in_alembic(recipe.sql).replace("revision", "migration")


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "\n",
        ";",
        "-- only prose",
        "/* of several\n   lines */",
        "ALTER TABLE {table} ADD COLUMN ...;",
        "-- first\nCREATE TABLE {partition} (LIKE ...), then ATTACH PARTITION\n-- last",
        "SELECT 'a\\'; \x00 \ud800 \"\"\" ''' ",
        "SELECT '\"\"\"\n''';",
        "INSERT INTO t VALUES ('two\n  lines');",
        'CREATE TABLE "a\nb" (c int);',
        "DO $$ BEGIN RAISE NOTICE 'a\n b'; END $$;",
        "\\d orders\nSELECT 1;",
        "VACUUM t; -- outside a transaction",
        "COMMIT;\nBEGIN;",
        "SELECT " + "(" * 3000,
        "SELECT 1\u2028;\x85SELECT 2;",
        "\\\r'\r'",
    ],
)
def test_any_text_becomes_python(sql: str):
    ast.parse(in_a_function(sql).encode("utf-8", "replace").decode())
    ast.parse(in_a_class(sql).encode("utf-8", "replace").decode())


@given(
    st.lists(
        st.sampled_from(["SELECT", "'", '"', "\n", "--", "/*", "$$", ";", "ALTER TABLE t", "ADD", "x", "\\", ":a", " ", "{b}", "...", "\r", "é"])
    )
)
def test_any_pieces_become_python(pieces: list[str]):
    ast.parse(in_a_function("".join(pieces)))
    ast.parse(in_a_class("".join(pieces)))


def strings_of(text: str) -> list[str]:
    return [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


@pytest.mark.parametrize(
    "sql", ["INSERT INTO t VALUES ('two\n  lines')", "INSERT INTO t VALUES ('a\\b', '\t', '\"\"\"')", "COMMENT ON TABLE t IS " + "'long text' " * 30]
)
def test_quoted_text_is_not_changed(sql: str):
    assert sql.strip() in strings_of(in_django(sql))


def found(path: str, text: str, tool: str, block: Block) -> str | None:
    """The recipe that a finding on the second of two migrations shows."""
    first = Script(Source("1.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);"), ((0, 64),), "one")
    way = "read" if block.sql else ""
    second = Script(Source(path, text), () if way else ((0, len(text)),), "one", tool=tool, blocks=(block,) if way else (), way=way)
    config = Config.load("/", {"select": ["create-index-blocking"]})
    part = check_history(History("", tool, "", (first, second), frozenset({path})), config, from_config(config, BOOK))
    return part.findings[0].recipe


def test_a_finding_on_a_revision_shows_op_calls():
    text = 'op.create_index("i", "orders", ["customer_id"])'
    recipe = found("2.py", text, "alembic", Block(0, len(text), "CREATE INDEX i ON orders (customer_id)"))
    assert recipe is not None
    assert 'op.create_index("i", "orders", ["customer_id"], postgresql_concurrently=True)' in recipe


def test_a_finding_on_a_django_migration_shows_operations():
    text = 'migrations.AddIndex(model_name="order", index=models.Index(fields=["customer"], name="i"))'
    recipe = found("2.py", text, "django", Block(0, len(text), "CREATE INDEX i ON orders (customer_id)"))
    assert recipe is not None
    assert 'AddIndexConcurrently(model_name="order", index=models.Index(fields=["customer"], name="i"))' in recipe


@pytest.mark.parametrize("tool", ["plain", "alembic", "django"])
def test_a_finding_on_sql_shows_sql(tool: str):
    text = "CREATE INDEX i ON orders (customer_id);"
    assert found("2.sql", text, tool, Block(0, 0)) == "-- outside a transaction\nCREATE INDEX CONCURRENTLY i ON orders (customer_id);"


def test_neither_framework_is_imported():
    program = (
        "import sys; from dbguard.reading.recipes import in_alembic, in_django\n"
        "in_alembic('CREATE INDEX CONCURRENTLY i ON t (a)'); in_django('CREATE INDEX CONCURRENTLY i ON t (a)')\n"
        "assert not {'sqlalchemy', 'alembic', 'django'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
