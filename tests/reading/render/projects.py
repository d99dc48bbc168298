"""Small real projects of Alembic and Django, rendered by the interpreter that runs the tests."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

from dbguard.model.source import Block
from dbguard.reading.render import Rendered, Request, Server, locate, render

ENV = """
    from alembic import context
    from sqlalchemy import MetaData

    target_metadata = MetaData(naming_convention={"uq": "uq_%(table_name)s_%(column_0_name)s"})
    print("env.py prints this")

    def run():
        context.configure(url="driver://user:secret@localhost/db", target_metadata=target_metadata)
        with context.begin_transaction():
            context.run_migrations()

    run()
"""
SETTINGS = """
    SECRET_KEY = "x"
    INSTALLED_APPS = ["shop"]
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "production", "HOST": "127.0.0.1", "PORT": 1}}
"""
MANAGE = """
    import os, sys
    if __name__ == "__main__":
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    return path


def alembic_project(root: Path, revisions: dict[str, str], env: str = ENV) -> list[Path]:
    """A project whose revisions follow each other in the order given, each a body of `upgrade()` or a whole module."""
    write(root / "alembic.ini", "[alembic]\nscript_location = migrations\n")
    write(root / "migrations" / "env.py", env)
    files, parent = [], None
    for name, body in revisions.items():
        head = f"import sqlalchemy as sa\nfrom alembic import op\n\nrevision = {name!r}\ndown_revision = {parent!r}\n\n"
        whole = dedent(body) if "def upgrade" in body else "def upgrade():\n" + indented(body) + "\ndef downgrade():\n    pass\n"
        files.append(write(root / "migrations" / "versions" / f"{name}.py", head + whole))
        parent = name
    return files


def indented(body: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in dedent(body).strip("\n").split("\n"))


def rendered_alembic(files: list[Path], timeout: float = 20.0, python: str = sys.executable) -> Rendered:
    found = locate.alembic(str(files[0]))
    assert found is not None
    request = Request(python, texts(files), timeout, ini=found.ini, section=found.section, toml=found.toml, location=found.location)
    return render("alembic", found.root, request)


def django_project(root: Path, migrations: dict[str, str], settings: str = SETTINGS) -> list[Path]:
    """A project with migrations `app/name`, each the body of its module below the usual imports."""
    write(root / "manage.py", MANAGE)
    write(root / "project" / "__init__.py", "")
    write(root / "project" / "settings.py", settings)
    files = []
    for name, body in migrations.items():
        app, _, migration = name.partition("/")
        write(root / app / "__init__.py", "")
        write(root / app / "migrations" / "__init__.py", "")
        files.append(write(root / app / "migrations" / f"{migration}.py", "from django.db import migrations, models\n" + dedent(body)))
    return files


def rendered_django(files: list[Path], folder: str, timeout: float = 30.0, settings: str = "") -> Rendered:
    manage = locate.manage(str(files[0]))
    request = Request(sys.executable, texts(files), timeout, manage=manage, settings=settings, server=Server(folder))
    return render("django", str(Path(manage).parent), request)


def texts(files: list[Path]) -> dict[str, str]:
    return {str(file): file.read_text(encoding="utf-8") for file in files}


def sent(blocks: tuple[Block, ...]) -> list[str]:
    return [" ".join(block.sql.split()).rstrip(";") for block in blocks]


def calls(file: Path, blocks: tuple[Block, ...]) -> list[str]:
    """The Python that each block points at, on one line."""
    text = file.read_text(encoding="utf-8")
    return [" ".join(text[block.start : block.end].split()) for block in blocks]
