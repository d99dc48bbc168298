"""Arguments in, the SQL files that they mean out."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH112, PTH117, PTH118, PTH119, PTH120

from __future__ import annotations

import os
from collections.abc import Callable

from dbguard.config import Config, Migrations
from dbguard.errors import UsageError
from dbguard.model.finding import UnreadPart
from dbguard.reading import python
from dbguard.reading.folders import Disk, Place
from dbguard.reading.globs import is_glob, locate, matcher
from dbguard.reading.names import is_sql


class Asked:
    """What one run was asked to look at: absolute paths of SQL files, in order, each once."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.disk = Disk(self._is_excluded)
        self.files: dict[str, None] = {}
        self.python: list[tuple[str, str]] = []
        self.python_folders: dict[tuple[str, str], int] = {}
        self.skipped = 0
        self.is_search = False
        self.searched = config.cwd
        self.standard_input = ""
        self.relative = True
        self._errors: list[tuple[str, str, bool]] = []
        self._excludes = [matcher(pattern) for pattern in config.exclude]
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
        if os.path.isdir(path) and not is_sql(os.path.basename(path)):
            before = self._count()
            self.add_folder(path, fatal=True)
            if before == self._count():
                raise UsageError(f"{argument}: no SQL files in this folder")
        elif self._exists(path):
            self.add_file(path)
        elif is_glob(argument):
            folder, glob = locate(argument, base)
            found = self._find(folder, glob)
            if not found:
                raise UsageError(f"{argument}: no file matches")
            for name in found:
                self.add_file(os.path.join(folder, name))
        else:
            raise UsageError(f"{argument}: no such file or folder")

    def _exists(self, path: str) -> bool:
        """Whether something is there; what a folder without permission holds we take to be there."""
        try:
            os.lstat(path)
        except PermissionError:
            return True
        except (OSError, ValueError):
            return False
        return True

    def _count(self) -> int:
        return len(self.files) + len(self.python_folders) + len(self._errors) + self.skipped

    def add_file(self, path: str) -> None:
        if self._is_excluded(path):
            self.skipped += 1
        elif is_sql(os.path.basename(path)):
            self.files[path] = None
        elif path.endswith(".py") and (what := python.kind(path)):
            self.python.append((path, what))
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
            if os.path.basename(folder) in python.FOLDERS:
                self._add_python(folder, listing.files)

    def _add_python(self, folder: str, names: tuple[str, ...]) -> None:
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".py") and not self._is_excluded(path) and (what := python.kind(path)):
                self.python_folders[folder, what] = self.python_folders.get((folder, what), 0) + 1

    def _is_excluded(self, path: str) -> bool:
        if not self._excludes:
            return False
        relative = path.removeprefix(self.config.root.rstrip(os.sep) + os.sep).replace(os.sep, "/")
        return any(fits(relative) for fits in self._excludes)


def gather(config: Config, arguments: list[str], filename: str | None) -> Asked:
    """What `arguments` mean; without any, the configured paths, then the configured histories, then a search."""
    asked = Asked(config)
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
    for path in config.paths or tuple(entry.path for entry in config.migrations):
        asked.add(path, config.root)
    if not config.paths and not config.migrations:
        asked.is_search = True
        asked.add_folder(config.cwd, fatal=False)
    return asked
