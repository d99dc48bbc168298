from __future__ import annotations

from pathlib import Path

import pytest

from dbguard.errors import UsageError
from dbguard.reading.render import locate
from tests.reading.render.projects import write


def python_in(folder: Path) -> str:
    return str(write(folder / "bin" / "python", ""))


def test_the_environment_of_the_project_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".git").mkdir()
    own, active = python_in(tmp_path / ".venv"), python_in(tmp_path / "active")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    (tmp_path / "app").mkdir()

    assert locate.interpreter("", ".", str(tmp_path / "app")) == own
    assert locate.interpreter("active/bin/python", str(tmp_path), str(tmp_path)) == active
    assert locate.interpreter("./active", str(tmp_path), str(tmp_path)) == active


def test_the_active_environment_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "project" / ".git").mkdir(parents=True)
    python_in(tmp_path / ".venv")  # above the repository: somebody else's
    active = python_in(tmp_path / "active")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))

    assert locate.interpreter("", ".", str(tmp_path / "project")) == active
    monkeypatch.delenv("VIRTUAL_ENV")
    assert Path(locate.interpreter("", ".", str(tmp_path / "project"))).name.startswith("python")


def test_an_interpreter_that_is_not_there_is_wrong_use(tmp_path: Path):
    with pytest.raises(UsageError, match="no such interpreter"):
        locate.interpreter("nowhere/python", str(tmp_path), str(tmp_path))


def test_alembic_is_found_by_the_folder_of_env(tmp_path: Path):
    (tmp_path / ".git").mkdir()
    env = write(tmp_path / "src" / "app" / "db" / "env.py", "")
    revision = write(env.parent / "versions" / "1.py", "")

    for name, text, section in (
        ("alembic.ini", "[alembic]\nscript_location = %(here)s/src/app/db\n", "alembic"),
        ("alembic.ini", "[other]\nscript_location = elsewhere\n[mine]\nscript_location = app:db\n", "mine"),
        ("pyproject.toml", '[tool.alembic]\nscript_location = "%(here)s/src/app/db"\n', ""),
        ("services.cfg", "[alembic]\nscript_location = src/app/db\n", "alembic"),
    ):
        file = write(tmp_path / name, text)
        found = locate.alembic(str(revision))
        assert found is not None
        assert (found.root, found.ini or found.toml, found.section) == (str(tmp_path), str(file), section)
        file.unlink()


def test_alembic_without_settings_runs_where_its_package_is_imported_from(tmp_path: Path):
    write(tmp_path / "app" / "__init__.py", "")
    write(tmp_path / "app" / "db" / "__init__.py", "")
    env = write(tmp_path / "app" / "db" / "env.py", "")
    revision = write(env.parent / "versions" / "1.py", "")

    assert locate.alembic(str(revision)) == locate.Alembic(str(tmp_path), location=str(env.parent))
    env.unlink()
    assert locate.alembic(str(revision)) is None


def test_the_named_file_of_settings_wins(tmp_path: Path):
    write(tmp_path / "db" / "env.py", "")
    revision = write(tmp_path / "db" / "versions" / "1.py", "")
    write(tmp_path / "alembic.ini", "[alembic]\nscript_location = db\n")
    named = write(tmp_path / "ops" / "prod.ini", "[a]\nscript_location = x\n[b]\nscript_location = ../db\n")

    assert locate.alembic(str(revision), str(named)) == locate.Alembic(str(tmp_path / "ops"), str(named), "b")


def test_settings_that_are_no_settings_are_passed_by(tmp_path: Path):
    write(tmp_path / "db" / "env.py", "")
    revision = write(tmp_path / "db" / "versions" / "1.py", "")
    write(tmp_path / "alembic.ini", "script_location = before any section\n")
    write(tmp_path / "pyproject.toml", "script_location = not toml\n[tool\n")

    assert locate.alembic(str(revision)) == locate.Alembic(str(tmp_path), location=str(tmp_path / "db"))


def test_manage_is_the_nearest_above_else_the_only_one_below(tmp_path: Path):
    (tmp_path / ".git").mkdir()
    migration = write(tmp_path / "engine" / "app" / "migrations" / "0001.py", "")
    shared = write(tmp_path / "lib" / "app" / "migrations" / "0001.py", "")
    assert locate.manage(str(migration)) == ""

    manage = write(tmp_path / "engine" / "manage.py", "")
    assert locate.manage(str(migration)) == str(manage)
    assert locate.manage(str(shared)) == str(manage)

    write(tmp_path / "other" / "manage.py", "")
    assert locate.manage(str(shared)) == ""
