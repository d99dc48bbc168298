"""Files of migrations in; the user's interpreter, Alembic's settings and Django's manage.py out. Nothing is run."""

# ruff: noqa: PTH110, PTH111, PTH112, PTH113, PTH117, PTH118, PTH120, PTH208

from __future__ import annotations

import os
from collections.abc import Iterator

from dbguard.errors import CouldNotLook, UnreadableSource, UsageError
from dbguard.model.record import Record
from dbguard.reading.files import read

_VENVS = (".venv", "venv")
_PYTHONS = (os.path.join("bin", "python"), os.path.join("Scripts", "python.exe"))


class Alembic(Record):
    """Where Alembic runs (`root`) and what it is told: a section of an ini file, or only the folder of env.py."""

    root: str
    ini: str = ""
    section: str = ""
    toml: str = ""
    location: str = ""


def interpreter(given: str, base: str, folder: str) -> str:
    """The interpreter to render with: the one given (relative to `base`), else that of the project's virtual environment,
    of the active one, or on PATH. Raises UsageError or CouldNotLook.
    """
    import shutil

    if given:
        path = os.path.normpath(os.path.join(base, os.path.expanduser(given))) if os.sep in given else shutil.which(given) or given
        if os.path.isdir(path):
            path = next((inside for name in _PYTHONS if os.path.isfile(inside := os.path.join(path, name))), path)
        if not os.path.isfile(path):
            raise UsageError(f"--python {given}: there is no such interpreter")
        return path
    places = [os.path.join(above, name) for above in _upwards(folder) for name in _VENVS]
    if active := os.environ.get("VIRTUAL_ENV"):
        places.append(active)
    for place in places:
        for name in _PYTHONS:
            if os.path.isfile(path := os.path.join(place, name)):
                return path
    found = shutil.which("python") or shutil.which("python3")
    if found is None:
        raise CouldNotLook("--render needs the Python of your project, and there is none on PATH: name it with --python")
    return found


def alembic(path: str, given: str = "") -> Alembic | None:
    """The settings by which Alembic finds a revision. `given` is the file that the user names."""
    if given:
        section, _ = next(_sections(given), ("", ""))
        is_toml = given.endswith(".toml")
        sections = [name for name, location in _sections(given) if _is_around(location, path)]
        return Alembic(os.path.dirname(given), "" if is_toml else given, (sections or [section])[0], given if is_toml else "")
    location = next((above for above in _upwards(os.path.dirname(path)) if os.path.isfile(os.path.join(above, "env.py"))), "")
    if not location:
        return None
    for above in _upwards(location):
        for name in _settings_in(above):
            file = os.path.join(above, name)
            for section, told in _sections(file):
                if os.path.realpath(told) == os.path.realpath(location):
                    is_toml = name.endswith(".toml")
                    return Alembic(above, "" if is_toml else file, section, file if is_toml else "")
    return Alembic(import_root(location), location=location)


def manage(path: str) -> str:
    """The manage.py of the project that a migration belongs to: the nearest at or above it, else the only one below."""
    folders = list(_upwards(os.path.dirname(path)))
    for above in folders:
        if os.path.isfile(file := os.path.join(above, "manage.py")):
            return file
    top = folders[-1]
    below = [os.path.join(folder, "manage.py") for name in sorted(_names(top)) if os.path.isdir(folder := os.path.join(top, name))]
    found = [file for file in below if os.path.isfile(file)]
    return found[0] if len(found) == 1 else ""


def import_root(path: str) -> str:
    """The folder from which a file's package is imported."""
    folder = os.path.dirname(path)
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def _upwards(folder: str) -> Iterator[str]:
    """A folder and those above it, up to the root of its repository."""
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            return
        folder = above


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _settings_in(folder: str) -> list[str]:
    """Files that can hold Alembic's settings, the usual ones first."""
    names = _names(folder)
    usual = [name for name in ("alembic.ini", "pyproject.toml") if name in names]
    return usual + sorted(name for name in names if name.endswith((".ini", ".cfg")) and name not in usual)


def _sections(path: str) -> Iterator[tuple[str, str]]:
    """The sections of a file that name a folder of scripts, with that folder."""
    try:
        text = read(path).text
    except UnreadableSource:
        return
    if "script_location" not in text:
        return
    here = os.path.dirname(path)
    for section, told in _told(path, text):
        location = told.replace("%(here)s", here).replace("%%", "%")
        if ":" in location and not os.path.isabs(location):
            package, _, rest = location.partition(":")
            location = os.path.join(*package.split("."), *rest.split(":"))
            roots = [root for above in _upwards(here) for root in (above, os.path.join(above, "src"))]
            location = next((full for root in roots if os.path.isdir(full := os.path.join(root, location))), location)
        yield section, os.path.normpath(os.path.join(here, location))


def _told(path: str, text: str) -> list[tuple[str, str]]:
    if path.endswith(".toml"):
        import tomllib

        try:
            told = tomllib.loads(text).get("tool", {}).get("alembic", {}).get("script_location")
        except (tomllib.TOMLDecodeError, AttributeError):
            return []
        return [("", told)] if isinstance(told, str) else []
    import configparser

    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return []
    return [(name, told) for name in parser.sections() if (told := parser.get(name, "script_location", fallback="") or "")]


def _is_around(folder: str, path: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)
