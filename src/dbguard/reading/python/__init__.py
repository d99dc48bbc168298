"""Python migrations, told from other Python by what stands in them. The interpreter is what reads them."""

from __future__ import annotations

import os
import re

# Folders of Python migrations, or folders below them, one for each database.
FOLDERS = frozenset(["migrations", "versions"])
_UPGRADE = re.compile(rb"^(?:async )?def upgrade\b", re.MULTILINE)
_REVISION = re.compile(rb"^(?:down_)?revision\b", re.MULTILINE)
_MIGRATION = re.compile(rb"^class (?:Migration\(|\w+\(.*\bMigration\b.*\):)", re.MULTILINE)


def may_be(folder: str) -> bool:
    """Whether Python migrations may lie in a folder, as its name or that of a folder above says."""
    return not FOLDERS.isdisjoint(folder.split(os.sep)[-3:])  # noqa: PTH206 - pathlib is slow over thousands of folders


def kind(raw: bytes) -> str:
    """ "alembic", "django", or "" for Python that is no migration."""
    if b"revision" in raw and _REVISION.search(raw) and (_UPGRADE.search(raw) or b"alembic" in raw):
        return "alembic"
    if b"Migration" in raw and _MIGRATION.search(raw) and b"django" in raw:
        return "django"
    return ""
