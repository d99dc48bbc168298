"""Flyway, and refinery, which took over its names.

https://documentation.red-gate.com/fd/migrations-184127470.html: `V1_2__name.sql` by version, `U1_2__` undoes it, `R__name` is repeatable
and runs last, by name, `B5__name` builds a new database in place of the versions up to 5. A script runs in a transaction,
unless `executeInTransaction=false` stands in `<file>.conf` or in a `-- flyway:` comment, or Flyway sees a statement that cannot
run in one; BEGIN in the text does not change that. Callbacks such as `afterMigrate.sql` are not migrations.
refinery (https://docs.rs/refinery): the same names, always in a transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.model.record import Record
from dbguard.model.source import Script
from dbguard.reading.names import stem
from dbguard.reading.tools.base import File, Tool, Tree, in_pairs, whole

_NAME = re.compile(r"([VURB])(\d[\w.]*?)?__(.*)")
_OUTSIDE = re.compile(r"^\s*(?:--\s*flyway[:.]\s*|flyway\.)?executeInTransaction\s*[=:]\s*false\b", re.MULTILINE)


class _Named(Record):
    prefix: str
    version: str
    order: tuple[int, ...]
    name: str
    file: File


def is_flyway_name(name: str) -> bool:
    match = _NAME.fullmatch(stem(name))
    return match is not None and (match[1] == "R") == (match[2] is None)


def _scripts(tree: Tree) -> Iterator[Script]:
    return _ordered(tree, "unless forbidden")


def _refinery(tree: Tree) -> Iterator[Script]:
    return _ordered(tree, "one")


def _ordered(tree: Tree, transaction: str) -> Iterator[Script]:
    named = sorted((_named(file) for file in tree.files if is_flyway_name(_base(file))), key=lambda item: (item.order, item.name))

    def script(item: _Named, direction: str) -> Script:
        return whole(item.file, "none" if _is_outside(tree, item.file) else transaction, direction, item.version or item.name)

    versions = [item for item in named if item.prefix == "V"]
    undos = {str(item.order): script(item, "down") for item in named if item.prefix == "U"}
    # A baseline repeats the versions that it stands for: it is only the beginning where those are gone.
    oldest = versions[0].order if versions else ()
    baselines = [item for item in named if item.prefix == "B" and (not versions or item.order < oldest)][-1:]
    yield from (script(item, "up") for item in baselines)
    yield from in_pairs(((str(item.order), script(item, "up")) for item in versions), undos)
    yield from (script(item, "repeatable") for item in named if item.prefix == "R")


def _named(file: File) -> _Named:
    match = _NAME.fullmatch(stem(_base(file)))
    assert match
    version = (match[2] or "").replace("_", ".")
    numbers = [int(part) for part in re.findall(r"\d+", version)]
    while len(numbers) > 1 and numbers[-1] == 0:  # 1.0 is 1
        numbers.pop()
    return _Named(match[1], version, tuple(numbers), match[3], file)


def _base(file: File) -> str:
    return file.name.rpartition("/")[2]


def _is_outside(tree: Tree, file: File) -> bool:
    conf = f"{file.name}.conf"
    if conf in tree.sides and _OUTSIDE.search(tree.read_side(conf)):
        return True
    text = file.source.text
    return "executeInTransaction" in text and any(_OUTSIDE.match(line) for line in text.splitlines() if "flyway" in line)


def _is_flyway(tree: Tree) -> bool:
    return any(is_flyway_name(_base(file)) for file in tree.files)


def _is_refinery(tree: Tree) -> bool:
    return "Cargo.toml" in tree.sides and _is_flyway(tree)


FLYWAY = Tool("flyway", "Flyway", _is_flyway, _scripts)
REFINERY = Tool("refinery", "refinery", _is_refinery, _refinery)
