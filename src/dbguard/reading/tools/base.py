"""What a tool's reader gets and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dbguard.model.record import Record
from dbguard.model.source import Script, Source
from dbguard.reading.names import leading_version, numbered, stem


class File(Record):
    """A text of a history: `name` is relative to the history's folder, with forward slashes."""

    name: str
    source: Source


class Tree(Record):
    """A history's folder: its SQL files, and the names of what lies beside them."""

    root: str  # as the user would write it
    folder: str  # absolute
    files: tuple[File, ...]
    sides: frozenset[str]  # names of other files, relative to the folder
    read_side: Callable[[str], str]  # the text of one of them, "" when it cannot be read


class Tool(Record):
    """A migration tool: how its histories look, and how it runs them."""

    name: str
    label: str
    recognises: Callable[[Tree], bool]
    scripts: Callable[[Tree], Iterable[Script]]
    runs: str = "each in its own transaction"
    noun: str = "migration"


def whole(file: File, transaction: str, direction: str = "up", version: str = "") -> Script:
    """A script that is a whole file."""
    return Script(file.source, ((0, len(file.source.text)),), transaction, direction, version or version_of(file.name))


def version_of(name: str) -> str:
    """`3.0/0001##x.sql` is version 3.0/0001; `0042_x.sql` is 0042; without a number it is the name."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + (leading_version(base) or stem(base))


def by_number(files: Iterable[File]) -> list[File]:
    return sorted(files, key=lambda file: numbered(file.name))


def in_pairs(ups: Iterable[tuple[str, Script]], downs: dict[str, Script]) -> Iterator[Script]:
    """Each up script, then the down script with the same key. A down script without its up has nothing to stand on."""
    for key, up in ups:
        yield up
        if key in downs:
            yield downs.pop(key)


def any_text(tree: Tree, word: str) -> bool:
    return any(word in file.source.text for file in tree.files)
