"""Small Alembic environments for the tests, and what was read of them in short."""

from __future__ import annotations

from pathlib import Path

from dbguard.config import Config
from dbguard.model.source import Block, Script
from dbguard.reading import alembic
from dbguard.reading.folders import Disk
from dbguard.reading.history import Desk, History

ENV = """
from alembic import context
from sqlalchemy import create_engine

target_metadata = None

engine = create_engine("postgresql+psycopg://")
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=target_metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
INI = "[alembic]\nscript_location = %(here)s/migrations\n"
HEADER = """import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

"""


def revision(name: str, down: object = None, upgrade: str = "pass", downgrade: str = "pass", before: str = "") -> str:
    """The text of a revision file. `upgrade` and `downgrade` are bodies, `before` stands at module level."""
    body = upgrade.strip("\n").replace("\n", "\n    ")
    back = downgrade.strip("\n").replace("\n", "\n    ")
    return (
        f"{HEADER}revision = {name!r}\ndown_revision = {down!r}\nbranch_labels = None\ndepends_on = None\n\n{before}\n\n"
        f"def upgrade():\n    {body}\n\n\ndef downgrade():\n    {back}\n"
    )


def write(folder: Path, revisions: dict[str, str], env: str = ENV, ini: str = INI, **others: str) -> Path:
    """An environment in `folder`: revisions by file name without `.py`, other files by path with `__` for `/`."""
    files = {"alembic.ini": ini, "migrations/env.py": env, ".git/HEAD": "", **{name.replace("__", "/"): text for name, text in others.items()}}
    files |= {f"migrations/versions/{name}.py": text for name, text in revisions.items()}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def desk(folder: Path) -> Desk:
    return Desk(Config(cwd=str(folder), root=str(folder)), relative=True)


def read_all(folder: Path, asked: list[str] | None = None, at: Desk | None = None) -> list[History]:
    """The histories of the revisions asked for, else of all in `migrations/versions`."""
    paths = [str(folder / path) for path in asked] if asked is not None else sorted(map(str, folder.glob("migrations/versions/**/*.py")))
    return alembic.histories(at or desk(folder), Disk(lambda _: False), dict.fromkeys(paths))


def read(folder: Path, asked: list[str] | None = None) -> History:
    (history,) = read_all(folder, asked)
    return history


def up(folder: Path, text: str, downgrade: str = "pass", before: str = "", **files: str) -> Script:
    """The script of one `upgrade()`, given its body."""
    write(folder, {"one": revision("one", None, text, downgrade, before)}, **files)
    return read(folder).scripts[0]


def sql(script: Script) -> list[str]:
    """SQL of every block, on one line, without the semicolon at its end."""
    return [" ".join(block.sql.split()).removesuffix(";") for block in script.blocks if block.sql]


def unread(script: Script) -> list[str]:
    return [block.unread for block in script.blocks if block.unread]


def written(script: Script, block: Block) -> str:
    return script.source.text[block.start : block.end]
