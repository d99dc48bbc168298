"""Folders on disk: listed once, walked without following links to folders, and their place in a history."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH112, PTH118, PTH119, PTH120, PTH206

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from dbguard.model.record import Record
from dbguard.reading.files import read_bytes
from dbguard.reading.names import is_other_database, is_sql, is_version_folder, is_versioned
from dbguard.reading.tools.flyway import is_flyway_name
from dbguard.reading.tools.folders import JOURNAL
from dbguard.reading.tools.listed import PLAN

SKIPPED = frozenset(["node_modules", "venv", "target", "dist", "build", "vendor", "__pycache__", "site-packages"])
_UNITS = frozenset(["up.sql", "down.sql", "migration.sql"])
_SQITCH = frozenset(["deploy", "revert"])


class Listing(Record):
    """Names in a folder. Links to folders are among neither; everything that ends like SQL is among the files."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    error: str = ""


class Place(Record):
    """A history's folder and how its files lie in it: flat, units (a folder each), versions, flyway, sqitch, deep."""

    root: str
    layout: str


class Files:
    """Where folders and files are looked up: the disk. A run that reads what would be committed gets another one."""

    def listing(self, folder: str) -> Listing:
        return _list(folder)

    def read(self, path: str) -> bytes:
        """Raises UnreadableSource with a reason that does not name the file."""
        return read_bytes(path)

    def exists(self, path: str) -> bool:
        """Whether something is there; what a folder without permission holds we take to be there."""
        try:
            os.lstat(path)
        except PermissionError:
            return True
        except (OSError, ValueError):
            return False
        return True

    def is_folder(self, path: str) -> bool:
        return os.path.isdir(path)


class Disk:
    """What the folders of one run hold. Each is listed once."""

    def __init__(self, is_excluded: Callable[[str], bool], files: Files | None = None) -> None:
        self.is_excluded = is_excluded
        self.files = files or Files()
        self._listings: dict[str, Listing] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._places: dict[tuple[str, str], Place | None] = {}

    def listing(self, folder: str) -> Listing:
        found = self._listings.get(folder)
        if found is None:
            found = self._listings[folder] = self.files.listing(folder)
        return found

    def has(self, path: str) -> bool:
        """Whether the listing of its folder shows a file; a run that names thousands asks the disk once for each folder."""
        folder, _, name = path.rpartition(os.sep)
        names = self._names.get(folder)
        if names is None:
            names = self._names[folder] = frozenset(self.listing(folder or os.sep).files)
        return name in names

    def walk(self, folder: str) -> Iterator[tuple[str, Listing]]:
        """`folder` and what lies below, without hidden, generated and excluded folders."""
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            listing = self.listing(here)
            yield here, listing
            for name in reversed(listing.folders):
                below = os.path.join(here, name)
                if name not in SKIPPED and not name.startswith(".") and not self.is_excluded(below):
                    waiting.append(below)

    def place(self, path: str) -> Place | None:
        """The history that a file belongs to by the layout of its surroundings, None for a loose file."""
        folder, _, name = path.rpartition(os.sep)
        kind = "unit" if name in _UNITS else "flyway" if is_flyway_name(name) else "versioned" if is_versioned(name) else "loose"
        if (folder, kind) not in self._places:
            self._places[folder, kind] = self._find(folder or os.sep, kind)
        return self._places[folder, kind]

    def layout(self, folder: str) -> str:
        """How a folder that is said to hold migrations holds them."""
        listing = self.listing(folder)
        if PLAN in listing.files:
            return "sqitch"
        if any(is_sql(name) and is_versioned(name) for name in listing.files) or self.has_journal(folder):
            return "flyway" if any(is_flyway_name(name) for name in listing.files) else "flat"
        below = [(name, self.listing(os.path.join(folder, name)).files) for name in listing.folders]
        if any(_UNITS & set(files) for _, files in below):
            return "units"
        if any(is_version_folder(name) and any(map(is_sql, files)) for name, files in below):
            return "versions"
        return "deep"

    def _find(self, folder: str, kind: str) -> Place | None:
        parent, name = os.path.split(folder)
        if kind == "unit" and (is_versioned(name) or "migration_lock.toml" in self.listing(parent).files):
            return Place(parent, "units")
        if sqitch := self._sqitch(folder):
            return sqitch
        if kind == "flyway":
            return Place(self._flyway_root(folder), "flyway")
        if is_version_folder(name) and self._has_versions(parent):
            return Place(parent, "versions")
        return Place(folder, "flat") if kind == "versioned" or self.has_journal(folder) else None

    def _sqitch(self, folder: str) -> Place | None:
        for _ in range(6):
            folder, name = os.path.split(folder)
            if name in _SQITCH and PLAN in self.listing(folder).files:
                return Place(folder, "sqitch")
        return None

    def _has_versions(self, parent: str) -> bool:
        folders = [name for name in self.listing(parent).folders if is_version_folder(name)]
        return sum(any(map(is_sql, self.listing(os.path.join(parent, name)).files)) for name in folders) > 1

    def has_journal(self, folder: str) -> bool:
        return "meta" in self.listing(folder).folders and "_journal.json" in self.listing(os.path.join(folder, "meta")).files

    def _flyway_root(self, folder: str) -> str:
        """Flyway looks below its locations: a folder above that has migrations itself, or years below it, is the location."""
        parent = os.path.dirname(folder)
        while parent != folder and (
            is_version_folder(os.path.basename(folder)) or any(is_flyway_name(name) for name in self.listing(parent).files if is_sql(name))
        ):
            folder, parent = parent, os.path.dirname(parent)
        return folder


def sql_below(disk: Disk, place: Place) -> tuple[list[str], set[str]]:
    """The SQL files of a history, and the other files that say how it runs: names relative to its root, slashes forward."""
    root = place.root
    below = os.path.join(root, "")
    listing = disk.listing(root)
    match place.layout:
        case "flat":
            names = [name for name in listing.files if is_sql(name)]
            sides = {name for name in listing.files if not is_sql(name)}
            if disk.has_journal(root):
                sides.add(JOURNAL)
            else:
                names = [name for name in names if is_versioned(name)]
        case "units" | "versions":
            names, sides = [], set(listing.files)
            for folder in listing.folders:
                if place.layout == "versions" and not is_version_folder(folder):
                    continue
                for name in disk.listing(below + folder).files:
                    is_script = name in _UNITS if place.layout == "units" else is_sql(name)
                    (names.append if is_script else sides.add)(f"{folder}/{name}")
        case _:
            names, sides = [], set()
            for folder, found in disk.walk(root):
                prefix = folder[len(root) :].lstrip(os.sep).replace(os.sep, "/")
                if any(map(is_other_database, prefix.split("/"))):
                    continue
                for name in found.files:
                    is_script = is_sql(name) and (place.layout != "flyway" or is_flyway_name(name))
                    (names.append if is_script else sides.add)(f"{prefix}/{name}" if prefix else name)
    return [name for name in names if not disk.is_excluded(below + name)], sides


def other_database(path: str, below: str) -> str:
    """The name of another database among the folders of `path` below a folder, `""` if there is none."""
    return next((part for part in path.removeprefix(below).split(os.sep)[-5:-1] if is_other_database(part)), "")


def _list(folder: str) -> Listing:
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) and not is_sql(entry.name):
                    folders.append(entry.name)
                elif is_sql(entry.name) or not entry.is_symlink() or entry.is_file():
                    files.append(entry.name)
    except OSError as error:
        return Listing(error=f"cannot be listed: {(error.strerror or str(error)).lower()}")
    return Listing(tuple(sorted(files)), tuple(sorted(folders)))
