"""A folder of revisions in, the Alembic environment that runs it out: which folders belong to it, and how it runs revisions."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from dbguard.errors import UnreadableSource
from dbguard.reading.alembic.env_file import EnvFile, read_env
from dbguard.reading.alembic.module import Module
from dbguard.reading.alembic.naming import convention_of
from dbguard.reading.alembic.project import Project, roots_of
from dbguard.reading.alembic.settings import Settings, settings_of
from dbguard.reading.files import decode
from dbguard.reading.folders import Disk

_HIGHEST = 12  # folders above the revisions in which a configuration file is looked for


class Environment:
    """`root` is the folder of `env.py` (else of the revisions), `folders` hold revisions, `files` are theirs, in Alembic's order."""

    def __init__(self, disk: Disk, root: str, folders: tuple[str, ...], settings: Settings | None) -> None:
        self.root = root
        self.folders = folders
        self.settings = settings
        self._disk = disk

    @cached_property
    def files(self) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for folder in self.folders:
            for below in self._with_subfolders(folder):
                for name in self._disk.listing(below).files:
                    if name.endswith(".py") and not name.startswith((".#", "__init__")):
                        found[os.path.join(below, name)] = None
        return tuple(found)

    def _with_subfolders(self, folder: str) -> Iterator[str]:
        yield folder
        if self.settings is not None and self.settings.recursive:
            for name in self._disk.listing(folder).folders:
                if name != "__pycache__":
                    yield from self._with_subfolders(os.path.join(folder, name))

    @property
    def env_path(self) -> str:
        return os.path.join(self.root, "env.py")

    @cached_property
    def env(self) -> EnvFile:
        try:
            return read_env(decode(self._disk.files.read(self.env_path)).text)
        except UnreadableSource:
            return EnvFile()

    @cached_property
    def sets_lock_timeout(self) -> bool:
        return self.env.sets_lock_timeout or (self.settings is not None and self.settings.sets_lock_timeout)

    @cached_property
    def project(self) -> Project:
        first = (os.path.dirname(self.settings.file),) if self.settings is not None else ()
        files = self._disk.files
        return Project(files, roots_of(files, self.root, first), Module)

    @cached_property
    def naming_convention(self) -> dict[str, Any] | None:
        return None if self.env.metadata is None else convention_of(self.env.metadata, self.project)


def find(disk: Disk, folder: str) -> Environment:
    """The environment that runs the revisions in `folder`: one that a configuration file describes, else the nearest `env.py`."""
    nearest: Settings | None = None
    for settings in _above(disk, folder):
        if any(_holds(settings, versions, folder) for versions in settings.versions):
            return Environment(disk, settings.location or os.path.dirname(folder), settings.versions, settings)
        if nearest is None and settings.location and (folder + os.sep).startswith(settings.location + os.sep):
            nearest = settings
    root = _env_folder(disk, folder)
    return Environment(disk, root or folder, (folder,), nearest._replace(recursive=False) if nearest is not None else None)


def _holds(settings: Settings, versions: str, folder: str) -> bool:
    return folder == versions or (settings.recursive and folder.startswith(versions + os.sep))


def _above(disk: Disk, folder: str) -> Iterator[Settings]:
    """What the configuration files in `folder` and above it describe, the nearest first, up to the repository's folder."""
    for _ in range(_HIGHEST):
        names = disk.listing(folder).files
        for name in ("alembic.ini", "pyproject.toml", *(name for name in names if name.endswith(".ini") and name != "alembic.ini")):
            if name in names:
                yield from settings_of(os.path.join(folder, name), disk.files)
        above = os.path.dirname(folder)
        if above == folder or disk.files.exists(os.path.join(folder, ".git")):
            return
        folder = above


def _env_folder(disk: Disk, folder: str) -> str:
    for _ in range(4):
        if "env.py" in disk.listing(folder).files:
            return folder
        folder = os.path.dirname(folder)
    return ""
