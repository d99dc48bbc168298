"""Python migrations, told from other Python by their first lines. They are named in the report, never silently left out."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH119

from __future__ import annotations

import os

from dbguard.errors import UnreadableSource
from dbguard.reading.files import read_bytes

FOLDERS = frozenset(["migrations", "versions"])


def kind(path: str) -> str:
    """`Alembic revisions`, `Django migrations`, or `""` for Python that is neither."""
    if os.path.basename(path) == "__init__.py":
        return ""
    try:
        raw = read_bytes(path)
    except UnreadableSource:
        return ""
    if b"down_revision" in raw and b"def upgrade" in raw:
        return "Alembic revisions"
    if b"migrations.Migration" in raw and b"django" in raw:
        return "Django migrations"
    return ""


def reason(what: str, count: int = 0) -> str:
    return f"{f'{count} ' if count else ''}{what[:-1] if count == 1 else what} {'is' if count == 1 else 'are'} not read by this version"
