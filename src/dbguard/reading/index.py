"""The index of git as the place that a run reads from: the files that would be committed."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from dbguard.errors import UnreadableSource
from dbguard.reading.folders import Files, Listing
from dbguard.reading.git import LFS, LINK, MOST_LINKS, SUBMODULE, hashed
from dbguard.reading.names import is_sql

if TYPE_CHECKING:
    from dbguard.reading.changes import Changes, Comparison


class Index(Files):
    """The files that would be committed. What lies outside of the repository is read from the disk."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def listing(self, folder: str) -> Listing:
        located = self._changes.locate_folder(folder)
        if located is None:
            return Listing() if self._changes.is_below(folder) else super().listing(folder)
        comparison, relative = located
        if relative not in comparison.folders:
            return Listing(error="" if self.is_folder(folder) else "cannot be listed: not in the index")
        files, folders = comparison.folders[relative]
        kept = [name for name in files if is_sql(name) or not self._is_link_to_folder(comparison, os.path.join(folder, name), relative, name)]
        return Listing(tuple(sorted(kept)), tuple(sorted(name for name in folders if not is_sql(name))))

    def _is_link_to_folder(self, comparison: Comparison, path: str, folder: str, name: str) -> bool:
        entry = (comparison.now or {}).get(f"{folder}/{name}" if folder else name)
        return entry is not None and entry.mode == LINK and self._followed(path) is None

    def _followed(self, path: str) -> tuple[Comparison, str] | None:
        """Where a file of the index is in the end; None where there is none."""
        for _ in range(MOST_LINKS):
            located = self._changes.locate(path)
            entry = (located[0].now or {}).get(located[1]) if located else None
            if located is None or entry is None or entry.mode == SUBMODULE:
                return None
            if entry.mode != LINK:
                return located
            target = os.fsdecode(located[0].repository.blob(entry.blob))
            path = os.path.normpath(os.path.join(os.path.dirname(path), target))
        return None

    def read(self, path: str) -> bytes:
        if not self._changes.is_below(path):
            return super().read(path)
        if (located := self._followed(path)) is None:
            reason = "a broken link" if self.exists(path) else "not in the index"
            raise UnreadableSource(reason if not self.is_folder(path) else "a folder, not a file")
        comparison, relative = located
        entry = (comparison.now or {})[relative]
        if not entry.blob:
            raise UnreadableSource("in conflict: merge it and stage it")
        try:
            here = super().read(path)  # most files are as they were staged: their hash says so, and a pipe is slower
        except UnreadableSource:
            here = b""
        if hashed(here, entry.blob) == entry.blob:
            return here
        raw = comparison.repository.blob(entry.blob)
        return here if raw.startswith(LFS) and sha256(here).hexdigest().encode() in raw else raw

    def exists(self, path: str) -> bool:
        if not self._changes.is_below(path):
            return super().exists(path)
        located = self._changes.locate(path)
        return located is not None and (located[1] in (located[0].now or {}) or self.is_folder(path))

    def is_folder(self, path: str) -> bool:
        if not self._changes.is_below(path):
            return super().is_folder(path)
        located = self._changes.locate_folder(path)
        if located is None:
            return False
        entry = (located[0].now or {}).get(located[1])
        return located[1] in located[0].folders or (entry is not None and entry.mode == SUBMODULE)
