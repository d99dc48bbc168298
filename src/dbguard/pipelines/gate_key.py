"""What a gate depends on, as one hash: configuration, snapshot, migrations, captures, baseline, calibration."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import date

from dbguard.config import Config
from dbguard.pipelines.gate_settings import settings_of
from dbguard.reading import Reading

_CHUNK = 1 << 20


def key_of(config: Config, reading: Reading, sources: Sequence[str], assumes: Sequence[str]) -> str:
    found = hashlib.sha256(f"gate {date.today()} {config!r} {reading.unreadable!r} {reading.notes!r}\n".encode(errors="replace"))  # noqa: DTZ011 - `until=` of an allow
    found.update(repr(assumes).encode(errors="replace"))
    for history in reading.histories:
        found.update(repr((history._replace(scripts=(), base=None, asked=frozenset()), sorted(history.asked))).encode(errors="replace"))
        for script in history.scripts:
            found.update(repr(script).encode(errors="replace"))
    for path in _files(config, sources):
        found.update(path.encode(errors="replace"))
        _add(found, path)
    return "gate" + found.hexdigest()


def _files(config: Config, sources: Sequence[str]) -> Iterator[str]:
    for path in sources:
        yield from _below(os.path.join(config.cwd, path))  # noqa: PTH118
    for key in ("snapshot", "baseline"):
        if getattr(config, key):
            base = config.cwd if config.given.get(key) == "the command line" else config.root
            yield os.path.join(base, getattr(config, key))  # noqa: PTH118
    if calibration := settings_of(config).calibration:
        yield os.path.join(config.root, calibration)  # noqa: PTH118
    for folder in config.rule_folders:
        yield from _below(os.path.join(config.root, folder))  # noqa: PTH118


def _below(path: str) -> Iterator[str]:
    if not os.path.isdir(path):  # noqa: PTH112
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (os.path.join(folder, name) for name in sorted(names))  # noqa: PTH118


def _add(found: hashlib._Hash, path: str) -> None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            while chunk := file.read(_CHUNK):
                found.update(chunk)
    except OSError as error:
        found.update(f"{error.errno}".encode())
