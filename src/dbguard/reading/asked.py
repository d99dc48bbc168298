"""Arguments in, the SQL files that they mean out."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH117, PTH118, PTH119, PTH120

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from dbguard.config import Config, Migrations
from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.finding import UnreadPart
from dbguard.reading import python
from dbguard.reading.folders import Disk, Place
from dbguard.reading.globs import is_glob, locate, matcher
from dbguard.reading.names import is_sql

if TYPE_CHECKING:
    from dbguard.reading.changes import Changes

WORKLOAD = (".jsonl", ".jsonl.gz", ".log", ".log.gz", ".csv", ".csv.gz", ".json", ".json.gz")
CAPTURES = ".dbguard"  # the folder in which `dbguard capture` and `pytest --dbguard` write


class Asked:
    """What one run was asked to look at: absolute paths of files, in order, each once."""

    def __init__(self, config: Config, changes: Changes | None = None) -> None:
        self.config = config
        self.changes = changes
        self.disk = Disk(self._is_excluded, changes.files if changes else None)
        self.files: dict[str, None] = {}
        self.python: dict[str, str] = {}  # Python migrations, and whether they are Alembic's or Django's
        self.skipped = 0
        self.is_search = False
        self.searched = config.cwd
        self.standard_input = ""
        self.workload: list[str] = []  # captures, logs, traces and exports
        self.roots: list[str] = []  # what was named, or where it was searched
        self._changed: set[str] | None = None
        self.relative = True
        self._errors: list[tuple[str, str, bool]] = []
        self._excludes = [matcher(pattern) for pattern in config.exclude]
        located = [locate(pattern, config.root) for pattern in config.queries]
        self._queries = [(folder, matcher(glob, anchored=True) if glob else None) for folder, glob in located]
        self._histories = [(*locate(entry.path, config.root), entry) for entry in config.migrations]
        self._names: dict[Place, tuple[list[str], set[str]]] = {}

    def unreadable(self, shown: Callable[[str], str]) -> list[UnreadPart]:
        return [UnreadPart(shown(path), 1, reason, fatal) for path, reason, fatal in self._errors]

    def names_of(self, place: Place) -> tuple[list[str], set[str]] | None:
        """The files of a history that a glob configured; None when its layout says them."""
        return self._names.get(place)

    def configured(self, path: str) -> tuple[Place, Migrations] | None:
        """The configured history that a file belongs to. The first that matches wins."""
        for folder, glob, entry in self._histories:
            if path == folder:
                return self._listed(os.path.dirname(folder), os.path.basename(folder)), entry
            if not path.startswith(folder + os.sep):
                continue
            relative = path[len(folder) + 1 :].replace(os.sep, "/")
            if not glob:
                return Place(folder, self.disk.layout(folder)), entry
            if not matcher(glob, anchored=True)(relative):
                continue
            if is_sql(glob):
                return self._listed(folder, glob), entry
            is_root = matcher(glob, anchored=True, below=False)
            parts = relative.split("/")
            root = next((root for end in range(1, len(parts)) if is_root(root := "/".join(parts[:end]))), "")
            if root:
                root = os.path.join(folder, root)
                return Place(root, self.disk.layout(root)), entry
            return self._listed(folder, glob), entry
        return None

    def _listed(self, folder: str, glob: str) -> Place:
        """A history of the files that a glob finds."""
        place = Place(folder, f"glob {glob}")
        if place not in self._names:
            self._names[place] = [name for name in self._find(folder, glob) if is_sql(name)], set()
        return place

    def _find(self, folder: str, glob: str) -> list[str]:
        fits = matcher(glob, anchored=True)
        return [
            relative
            for here, listing in self.disk.walk(folder)
            for name in listing.files
            if fits(relative := os.path.join(here, name)[len(folder.rstrip(os.sep)) + 1 :].replace(os.sep, "/"))
        ]

    def add(self, argument: str, base: str) -> None:
        """A file, a folder or a glob, relative to `base`."""
        if "\0" in argument:
            raise UsageError("a path cannot contain a NUL character")
        path = os.path.normpath(os.path.join(base, argument))
        if self.changes is not None:
            self.roots.append(locate(argument, base)[0])
            if not self.changes.is_below(self.roots[-1]):
                raise UsageError(f"{argument}: not in the git repository that is compared, {self.changes.root}")
        if path.endswith(WORKLOAD) and self.disk.has(path):
            self.workload.append(path)
        elif path.endswith(os.sep + CAPTURES) and self.disk.files.is_folder(path):
            self.workload += [os.path.join(path, name) for name in self.disk.listing(path).files if name.endswith(WORKLOAD)]
        elif self.disk.has(path):
            self.add_file(path)
        elif self.disk.files.is_folder(path) and not is_sql(os.path.basename(path)):
            before = self._count()
            self.add_folder(path, fatal=True)
            if before == self._count() and not self._is_elsewhere(path):
                raise UsageError(f"{argument}: no migrations in this folder")
        elif self.disk.files.exists(path):
            self.add_file(path)
        elif is_glob(argument):
            folder, glob = locate(argument, base)
            found = self._find(folder, glob)
            if not found and not self._is_elsewhere(folder):
                raise UsageError(f"{argument}: no file matches")
            for name in found:
                self.add_file(os.path.join(folder, name))
        elif not self._is_elsewhere(path):
            raise UsageError(f"{argument}: no such file or folder")

    def _is_elsewhere(self, path: str) -> bool:
        """Whether only the other side of a comparison has it: a file that was deleted, or that is not staged."""
        return self.changes is not None and self.changes.was_there(path)

    def changed(self, paths: Iterable[str]) -> set[str]:
        """Those of the files that give findings: all, or in a comparison those that are new or edited."""
        if self.changes is None:
            return set(paths)
        if self._changed is None:
            self._changed = self.changes.changed([*self.files, *self.python])
        return self._changed & set(paths)

    def is_query_file(self, path: str) -> bool:
        """Whether the configuration says that a file holds queries."""
        for folder, fits in self._queries:
            if path == folder or (path.startswith(folder + os.sep) and (fits is None or fits(path[len(folder) + 1 :].replace(os.sep, "/")))):
                return True
        return False

    def _count(self) -> int:
        return len(self.files) + len(self.python) + len(self._errors) + self.skipped

    def add_file(self, path: str) -> None:
        if self._is_excluded(path):
            self.skipped += 1
        elif is_sql(path):
            self.files[path] = None
        elif path.endswith(".py") and (what := self._python_kind(path)):
            self.python[path] = what
        else:
            self.skipped += 1

    def add_folder(self, path: str, fatal: bool) -> None:
        for folder, listing in self.disk.walk(path):
            if listing.error:
                self._errors.append((folder, listing.error, fatal))
            for name in listing.files:
                if is_sql(name):
                    full = os.path.join(folder, name)
                    if self._is_excluded(full):
                        self.skipped += 1
                    else:
                        self.files[full] = None
            if python.may_be(folder):
                for name in listing.files:
                    path = os.path.join(folder, name)
                    if name.endswith(".py") and not self._is_excluded(path) and (what := self._python_kind(path)):
                        self.python[path] = what

    def _python_kind(self, path: str) -> str:
        if os.path.basename(path) == "__init__.py":
            return ""
        try:
            return python.kind(self.disk.files.read(path))
        except UnreadableSource:
            return ""

    def _is_excluded(self, path: str) -> bool:
        if not self._excludes:
            return False
        relative = path.removeprefix(self.config.root.rstrip(os.sep) + os.sep).replace(os.sep, "/")
        return any(fits(relative) for fits in self._excludes)


def gather(config: Config, arguments: list[str], filename: str | None, changes: Changes | None = None) -> Asked:
    """What `arguments` mean; without any, the configured paths, then the configured histories, then a search."""
    asked = Asked(config, changes)
    asked.relative = not any(os.path.isabs(argument) for argument in arguments)
    for argument in arguments:
        if argument == "-":
            if filename is None:
                raise UsageError("- reads standard input, and there is none")
            asked.standard_input = os.path.normpath(os.path.join(config.cwd, filename or "<stdin>.sql"))
            asked.files[asked.standard_input] = None
        else:
            asked.add(argument, config.cwd)
    if arguments:
        return asked
    for path in (*(config.paths or tuple(entry.path for entry in config.migrations)), *config.queries):
        asked.add(path, config.root)
    if not config.paths and not config.migrations:
        asked.is_search = True
        asked.roots.append(config.cwd)
        asked.add_folder(config.cwd, fatal=False)
    return asked
