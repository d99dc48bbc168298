"""The Django version that a project states in its requirements or lock file."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from dbguard.errors import UnreadableSource
from dbguard.reading.folders import Disk

DEFAULT = (5, 2)
_LARGEST = 20_000_000  # bytes of a lock file
_LOCKED = re.compile(r"""^name = "django"\s*\nversion = "(\d+)\.(\d+)""", re.MULTILINE | re.IGNORECASE)
_PIPFILE = re.compile(r'"django": \{[^{}]*?"version": "==(\d+)\.(\d+)', re.DOTALL | re.IGNORECASE)
_STATED = re.compile(
    r"""^[ \t]*["']?django["']?(?:\[[^\]]*\])?[ \t]*(?:=[ \t]*)?(?:\{[^}\n]*?version[ \t]*=[ \t]*)?["' \t(]*"""
    r"(==|~=|>=|<=|<|>|\^|~|)[ \t]*(\d+)\.(\d+)",
    re.MULTILINE | re.IGNORECASE,
)
_FILES = re.compile(r"requirements[\w.-]*\.(?:txt|in)$|pyproject\.toml$|setup\.(?:py|cfg)$|Pipfile$|constraints[\w.-]*\.txt$")
_IN_FOLDER = re.compile(r"[\w.-]+\.(?:txt|in)$")


def stated(disk: Disk, root: str) -> tuple[int, int]:
    """Of the project in `root`, or of the repository around it; the default if nothing says which."""
    folder = root
    for _ in range(4):
        found = _in(disk, folder)
        if found is not None:
            return found
        listing = disk.listing(folder)
        if ".git" in listing.folders or ".git" in listing.files or os.path.dirname(folder) == folder:
            break
        folder = os.path.dirname(folder)
    return DEFAULT


def _in(disk: Disk, folder: str) -> tuple[int, int] | None:
    listing = disk.listing(folder)
    for name, pattern in (("uv.lock", _LOCKED), ("poetry.lock", _LOCKED), ("pdm.lock", _LOCKED), ("Pipfile.lock", _PIPFILE)):
        if name in listing.files and (match := pattern.search(_text(disk, os.path.join(folder, name)))):
            return int(match[1]), int(match[2])
    loose = None
    for path in _paths(disk, folder):
        for match in _STATED.finditer(_text(disk, path)):
            sign, version = match[1], (int(match[2]), int(match[3]))
            if sign.startswith("<") or (not sign and not path.endswith(".toml") and "=" not in match[0]):
                continue
            if sign in {">=", ">"} and "<" not in _rest(match):
                loose = max(version, DEFAULT)
                continue
            return version
    return loose


def _rest(match: re.Match[str]) -> str:
    end = match.string.find("\n", match.end())
    return match.string[match.end() : end if end >= 0 else len(match.string)]


def _paths(disk: Disk, folder: str) -> Iterator[str]:
    listing = disk.listing(folder)
    yield from (os.path.join(folder, name) for name in listing.files if _FILES.match(name))
    if "requirements" in listing.folders:
        below = os.path.join(folder, "requirements")
        yield from (os.path.join(below, name) for name in disk.listing(below).files if _IN_FOLDER.match(name))


def _text(disk: Disk, path: str) -> str:
    try:
        raw = disk.files.read(path)
    except UnreadableSource:
        return ""
    return raw.decode(errors="replace") if len(raw) <= _LARGEST else ""
