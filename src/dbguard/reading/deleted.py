"""What a comparison tells beside findings: that nothing changed, which migrations are no more, what could not be compared."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH206

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dbguard.reading.names import MIGRATION_FOLDER, stem
from dbguard.reading.python import kind

if TYPE_CHECKING:
    from dbguard.reading.asked import Asked
    from dbguard.reading.changes import Changes
    from dbguard.reading.history import Desk, History

_DOWN = re.compile(r"(?:^|[._-])(?:down|rollback|undo|revert)$", re.IGNORECASE)
_MOST = 3


def notes(desk: Desk, changes: Changes, asked: Asked, histories: list[History]) -> Iterator[str]:
    if not histories and not desk.unreadable:
        yield "no migration is staged" if changes.is_staged else f"no migration changed {changes.name}"
    moved = {script.merged.path for history in histories for script in history.scripts if script.merged}
    gone = sorted(shown for path in _deleted(changes, asked) if (shown := desk.shown(path)) not in moved)
    if gone:
        many = len(gone) > 1
        count = f"{len(gone)} migrations were" if many else "1 migration was"
        listed = ", ".join(gone[:_MOST]) + (f" and {len(gone) - _MOST} more" if len(gone) > _MOST else "")
        since = "" if changes.is_staged else f" {changes.name}"
        did, run = ("they", "them") if many else ("it", "it")
        yield f"{count} deleted{since}: {listed}; what {did} did stays in every database that has run {run}"
    for folder in changes.foreign:
        yield f"{desk.shown(folder)} is a git repository of its own: what changed in it is not looked at"


def _deleted(changes: Changes, asked: Asked) -> Iterator[str]:
    roots = [os.path.realpath(root) for root in asked.roots]
    for path in changes.gone():
        if any(path == root or path.startswith(root.rstrip(os.sep) + os.sep) for root in roots) and _is_migration(path, changes, asked):
            yield path


def _is_migration(path: str, changes: Changes, asked: Asked) -> bool:
    """Whether a file that is no more was a migration that runs upwards."""
    folder, name = os.path.split(path)
    if asked.disk.is_excluded(path):
        return False
    if name.endswith(".py"):
        return name != "__init__.py" and bool(kind(changes.before(path) or b""))
    if _DOWN.search(stem(name)):
        return False
    return asked.configured(path) is not None or (
        asked.disk.place(path) is not None and MIGRATION_FOLDER.search("/".join(folder.split(os.sep)[-3:])) is not None
    )
