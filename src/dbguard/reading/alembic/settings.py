"""`alembic.ini` or `pyproject.toml` in, the folders of revisions that it names out.

Facts: https://alembic.sqlalchemy.org/en/latest/tutorial.html#editing-the-ini-file and #using-pyproject-toml-for-configuration;
`Config.get_version_locations_list` of alembic/config.py for how several locations are separated.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH117, PTH118, PTH120

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.errors import UnreadableSource
from dbguard.model.record import Record
from dbguard.reading.files import decode
from dbguard.reading.folders import Files

_SEPARATORS = {"space": r" ", "newline": r"\n", "os": re.escape(os.pathsep), ":": ":", ";": ";"}
_UNSAID = r", *|(?: +)"


class Settings(Record):
    """One environment that a configuration file describes. Folders are absolute; `location` is empty if it is not found."""

    file: str
    location: str
    versions: tuple[str, ...]
    recursive: bool = False
    sets_lock_timeout: bool = False


def settings_of(path: str, files: Files) -> tuple[Settings, ...]:
    """The environments that a file describes: none if it is about something else, or cannot be read."""
    try:
        text = decode(files.read(path)).text
    except UnreadableSource:
        return ()
    if "script_location" not in text:
        return ()
    tables = _toml(text, os.path.dirname(path)) if path.endswith(".toml") else _ini(text, os.path.dirname(path))
    return tuple(_settings(path, table, files) for table in tables)


def _ini(text: str, here: str) -> Iterator[Mapping[str, Any]]:
    import configparser

    parser = configparser.ConfigParser({"here": here.replace("%", "%%")}, strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for name in parser.sections():
        found = {}
        for key in parser.options(name):
            try:
                found[key] = parser.get(name, key)
            except configparser.Error:
                found[key] = parser.get(name, key, raw=True)
        if found.get("script_location"):
            yield found


def _toml(text: str, here: str) -> Iterator[Mapping[str, Any]]:
    import tomllib

    try:
        table = tomllib.loads(text).get("tool", {}).get("alembic", {})
    except (tomllib.TOMLDecodeError, AttributeError):
        return
    if isinstance(table, dict) and isinstance(table.get("script_location"), str):
        yield {key: _completed(value, here) for key, value in table.items()}


def _completed(value: Any, here: str) -> Any:
    if isinstance(value, str):
        return value.replace("%(here)s", here).replace("%%", "%")
    return [_completed(one, here) for one in value] if isinstance(value, list) else value


def _settings(path: str, table: Mapping[str, Any], files: Files) -> Settings:
    here = os.path.dirname(path)
    roots = [here, *_listed(table, "prepend_sys_path", here)]
    location = _found(str(table["script_location"]), roots, files)
    named = [_found(one, roots, files) for one in _listed(table, "version_locations", here)]
    return Settings(
        file=path,
        location=location,
        versions=tuple(one for one in named if one) or ((os.path.join(location, "versions"),) if location else ()),
        recursive=str(table.get("recursive_version_locations", "")).lower() in {"true", "1", "yes", "on"},
        sets_lock_timeout="lock_timeout" in str(table.get("sqlalchemy.url", "")),
    )


def _listed(table: Mapping[str, Any], key: str, here: str) -> list[str]:
    """Several paths in one value. Without a separator named, commas and blanks separate them."""
    value = table.get(key)
    if isinstance(value, list):
        return [str(one) for one in value]
    if not isinstance(value, str) or not value.strip():
        return []
    older = table.get("version_path_separator") if key == "version_locations" else None
    separator = str(table.get("path_separator") or older or "").split("#")[0].strip()
    parts = [part.strip() for part in re.split(_SEPARATORS.get(separator, _UNSAID), value) if part.strip()]
    return [os.path.normpath(os.path.join(here, part)) for part in parts] if key == "prepend_sys_path" else parts


def _found(location: str, roots: list[str], files: Files) -> str:
    """The folder that a location means: a path, or `package.module:folder`. The package is looked for by its folders only."""
    if ":" in location and not os.path.isabs(location):
        package, *rest = location.split(":")
        parts = [*package.split("."), *rest]
        for root in roots:
            for base in (root, os.path.join(root, "src"), os.path.dirname(root)):
                folder = os.path.join(base, *parts)
                if files.is_folder(folder):
                    return os.path.normpath(folder)
        return _among_ancestors(parts, roots[0], files)
    for root in roots:
        folder = os.path.normpath(os.path.join(root, location))
        if files.is_folder(folder):
            return folder
    return ""


def _among_ancestors(parts: list[str], here: str, files: Files) -> str:
    """`app:migrations` for a configuration file that lies inside the package `app` itself."""
    while here != (above := os.path.dirname(here)):
        folder = os.path.join(above, *parts)
        if files.is_folder(folder):
            return folder
        here = above
    return ""
