"""The data folder of a stopped server as one file: files in, a file out, and back. One file is written and read far faster than thousands.

A pack has two parts: the server's own files, and the database of the ghost, whose files are short. Other databases are left out. Layout:
a line of JSON (what is known of the ghost, names and sizes), then both parts, compressed.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dbguard.model.record import Record
from dbguard.postgres.ghost.files import File, extend, write_pages

MAGIC = "dbguard ghost 2"
_FOLDERS_OF_DATABASES = "base"
_LEFT_OUT = frozenset(["postmaster.pid", "postmaster.opts"])

Contents = Sequence[tuple[str, bytes]]


class Pack(Record):
    """`cluster` holds paths below the data folder, and empty folders as paths that end with "/"; `database` holds names of files."""

    about: dict[str, Any]
    cluster: Contents
    database: Contents


def read_cluster(data: Path) -> Contents:
    """Every file of a stopped server but its databases."""
    found: list[tuple[str, bytes]] = []
    for folder, folders, names in os.walk(data):
        here = os.path.relpath(folder, data)
        prefix = "" if here == "." else f"{here}/"
        if here == _FOLDERS_OF_DATABASES:
            folders.clear()
        if not names and not folders:
            found.append((prefix, b""))
        found += [(prefix + name, Path(folder, name).read_bytes()) for name in names if name not in _LEFT_OUT]
    return found


def read_database(folder: Path) -> Contents:
    """The files of a database whose files are short."""
    return [(entry.name, Path(entry.path).read_bytes()) for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]


def save(path: Path, pack: Pack) -> None:
    """Writes a pack. Raises OSError."""
    header = {
        "form": MAGIC,
        "about": pack.about,
        "cluster": [(name, len(data)) for name, data in pack.cluster],
        "database": [(name, len(data)) for name, data in pack.database],
    }
    with path.open("wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        for part in (pack.cluster, pack.database):
            packed = zlib.compress(b"".join(data for _, data in part), 1)
            file.write(len(packed).to_bytes(8, "big") + packed)


def load(path: Path) -> Pack:
    """Reads a pack. Raises OSError, or ValueError for a file that is none."""
    with path.open("rb") as file:
        header = json.loads(file.readline())
        if header["form"] != MAGIC:
            raise ValueError(header["form"])
        parts = [_cut(zlib.decompress(file.read(int.from_bytes(file.read(8), "big"))), header[part]) for part in ("cluster", "database")]
    return Pack(header["about"], *parts)


def _cut(data: bytes, sizes: Iterable[tuple[str, int]]) -> Contents:
    view = memoryview(data)
    found = []
    position = 0
    for name, size in sizes:
        if ".." in name.split("/") or name.startswith("/"):
            raise ValueError(name)
        found.append((name, bytes(view[position : position + size])))
        position += size
    if position != len(data):
        raise ValueError("cut")
    return found


def write_cluster(data: Path, contents: Contents) -> None:
    """Makes the data folder of a server, without databases."""
    data.mkdir(mode=0o700)
    (data / _FOLDERS_OF_DATABASES).mkdir(mode=0o700)
    for name, content in contents:
        path = data / name
        if name.endswith("/"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            continue
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(content)


def write_database(folder: Path, contents: Contents, long: Mapping[str, File], owner: tuple[int, int] | None = None) -> None:
    """Makes the folder of a database; files named in `long` become as long as said there."""
    folder.mkdir(mode=0o700)
    made = os.open(folder, os.O_RDONLY)
    try:
        if owner is not None:
            os.chown(folder, *owner)
        for name, content in contents:
            handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=made)
            try:
                if content:
                    os.write(handle, content)
                if owner is not None:
                    os.fchown(handle, *owner)
                file = long.get(name)
                if file is not None:
                    write_pages(handle, content[:8192], file)
                    extend(handle, file.pages)
            finally:
                os.close(handle)
            if file is not None:
                _segments(made, file, owner)
    finally:
        os.close(made)


def _segments(folder: int, file: File, owner: tuple[int, int] | None) -> None:
    for number, pages in file.segments():
        handle = os.open(f"{file.node}.{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        try:
            os.ftruncate(handle, pages * 8192)
            if owner is not None:
                os.fchown(handle, *owner)
        finally:
            os.close(handle)
