"""`dbguard check --render` on whole projects: what is rendered, what is read, and what the report says about it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.reading.render.projects import alembic_project, django_project, sent

import dbguard
from dbguard.config import KEYS
from dbguard.errors import UsageError
from dbguard.pipelines.check import check
from dbguard.pipelines.rendering import rendered
from dbguard.reading import Reading, read_all

REVISIONS = {
    "first": "op.create_table('orders', sa.Column('id', sa.Integer, primary_key=True), sa.Column('note', sa.Text))",
    "second": "op.create_index('i', 'orders', [name for name in open(__file__).name and ['note']])",
    "fails": "op.create_index('j', 'orders', ['id'])\nraise ValueError('no')",
}
MIGRATIONS = {
    "shop/0001_initial": """
        class Migration(migrations.Migration):
            operations = [migrations.CreateModel("Order", [("id", models.BigAutoField(primary_key=True)), ("note", models.TextField())])]
        """,
    "shop/0002_index": """
        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [
                migrations.AddIndex("order", models.Index(fields=["note"], name="note_idx")),
            ]
        """,
}


def config(folder: Path, **settings: object) -> dbguard.Config:
    return dbguard.Config.load(folder, {"lock-timeout": "runner", "python": sys.executable, **settings})


def test_what_renders_is_rendered_and_what_does_not_is_read_and_named(tmp_path: Path):
    alembic_project(tmp_path, REVISIONS)
    settings = config(tmp_path)

    reading = rendered(read_all(settings, ["migrations"]), settings)

    (history,) = reading.histories
    ways = {script.version: script.way for script in history.scripts if script.direction == "up"}
    assert ways == {"first": "rendered", "second": "rendered", "fails": "read"}
    assert history.description.endswith(f"2 rendered with {sys.executable}, 1 read")
    assert [note for note in reading.notes if note == "migrations/versions/fails.py: read, not rendered: ValueError: no"]


def test_findings_on_what_is_rendered_point_at_the_python(tmp_path: Path):
    alembic_project(tmp_path, REVISIONS)

    result = check(config(tmp_path), ["migrations/versions/second.py"], render=True)

    found = [finding for finding in result.findings if finding.rule == "create-index-blocking"]
    assert [(finding.path, finding.line, finding.excerpt.partition("(")[0]) for finding in found] == [
        ("migrations/versions/second.py", 8, "op.create_index")
    ]
    assert result.crashed == ()


def test_django_is_rendered_on_a_server_of_its_own(tmp_path: Path):
    django_project(tmp_path, MIGRATIONS)
    settings = config(tmp_path)

    (history,) = rendered(read_all(settings, ["shop"]), settings).histories

    assert [script.way for script in history.scripts if script.direction == "up"] == ["rendered", "rendered"]
    assert sent(history.scripts[-1 if history.scripts[-1].direction == "up" else -2].blocks) == ['CREATE INDEX "note_idx" ON "shop_order" ("note")']


def test_without_being_asked_to_nothing_is_run(tmp_path: Path):
    mark = tmp_path / "ran"
    alembic_project(tmp_path, {"one": f"open({str(mark)!r}, 'w').close()"})

    check(config(tmp_path), ["migrations"])
    assert not mark.exists()
    check(config(tmp_path), ["migrations"], render=True)
    assert mark.exists()


def test_no_configuration_file_can_turn_it_on():
    assert "render" not in KEYS


def test_text_that_is_not_on_disk_is_read(tmp_path: Path):
    (file,) = alembic_project(tmp_path, {"one": "op.execute('SELECT 1')"})
    settings = config(tmp_path)
    reading = read_all(settings, ["migrations"])
    file.write_text(file.read_text() + "\n")

    after = rendered(reading, settings)

    assert [script.way for script in after.histories[0].scripts if script.direction == "up"] == ["read"]
    assert after.notes[-1] == "migrations/versions/one.py: read, not rendered: the file on disk is not the text that is checked"


def test_sql_beside_it_is_left_as_it_is(tmp_path: Path):
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "001_a.sql").write_text("SELECT 1;")
    settings = config(tmp_path)
    reading = read_all(settings, ["sql"])

    assert rendered(reading, settings) == reading
    assert rendered(Reading(()), settings) == Reading(())


def test_an_interpreter_that_is_not_there_is_wrong_use(tmp_path: Path):
    alembic_project(tmp_path, REVISIONS)

    with pytest.raises(UsageError, match="no such interpreter"):
        check(config(tmp_path, python="./nowhere"), ["migrations"], render=True)
    with pytest.raises(UsageError, match="no such file"):
        check(config(tmp_path, **{"alembic-config": "nowhere.ini"}), ["migrations"], render=True)


def dbguard_check(folder: Path, *arguments: str) -> Any:
    return subprocess.run([sys.executable, "-m", "dbguard", "check", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_the_report_says_which_way_was_used(tmp_path: Path):
    alembic_project(tmp_path, REVISIONS)

    done = dbguard_check(tmp_path, "--render", "--python", sys.executable, "migrations")

    assert done.returncode == 1, done.stderr
    assert "env.py prints this" not in done.stdout + done.stderr
    assert f"2 rendered with {sys.executable}, 1 read\n" in done.stdout
    assert "migrations/versions/fails.py: read, not rendered: ValueError: no\n" in done.stdout


def test_options_of_rendering_need_rendering(tmp_path: Path):
    done = dbguard_check(tmp_path, "--settings", "project.settings")

    assert done.returncode == 2
    assert "--settings goes with --render" in done.stderr
