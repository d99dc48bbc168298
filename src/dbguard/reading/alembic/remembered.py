"""What was read from revisions before, so that a run reads again only those that changed.

A revision is remembered under its text. It counts as long as everything else that its reading looked at is the same: `env.py`, the
configuration, the modules of the project, and the named types that earlier revisions made.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from dbguard.cache import Cache
from dbguard.errors import UnreadableSource
from dbguard.model.record import Record
from dbguard.model.source import Block, Source
from dbguard.reading.alembic.environment import Environment
from dbguard.reading.alembic.graph import Node

FEWEST = 20  # revisions for which a file is worth while


class Entry(Record):
    """One revision: its text's hash, its place in the graph, and what runs for `upgrade` and `downgrade` (None: not there, or not asked for)."""

    text: str
    node: Node
    before: frozenset[str]  # named types that existed
    after: frozenset[str]
    up: tuple[Block, ...]
    down: tuple[Block, ...] | None = None
    has_down: bool = True  # whether `down` was read


class Memory:
    """The entries of one environment, by the path of the revision."""

    def __init__(self, cache: Cache, environment: Environment) -> None:
        self._cache = cache
        self._environment = environment
        self._key = hash_of("alembic", environment.root, *environment.folders)
        self._known = self._load() if cache.is_on and len(environment.files) >= FEWEST else {}
        self._new: dict[str, Entry] = {}
        self._learned = False

    def entry(self, source: Source) -> Entry | None:
        """What is known of a revision with that text."""
        found = self._known.get(source.path)
        return found if found is not None and found.text == hash_of(source.text) else None

    def keep(self, path: str, entry: Entry, *, new: bool) -> None:
        self._new[path] = entry
        self._learned |= new

    def save(self) -> None:
        """Keep what this run learned."""
        if not self._learned or len(self._new) < FEWEST or not self._cache.is_on:
            return
        project = self._environment.project
        read = {file: self._content(file) for file in project.read}
        self._cache.save(self._key, (self._surroundings(), dict(project.places), read, self._new))

    def _load(self) -> dict[str, Entry]:
        found: Any = self._cache.load(self._key)
        if type(found) is not tuple or len(found) != 4 or found[0] != self._surroundings():
            return {}
        _, places, read, entries = found
        project = self._environment.project
        same = all(project.file(module) == file for module, file in places.items()) and all(
            self._content(file) == text for file, text in read.items()
        )
        if not same:
            return {}
        project.read.update(dict.fromkeys(read))
        return dict(entries)

    def _surroundings(self) -> str:
        environment = self._environment
        return hash_of(self._content(environment.env_path), repr(environment.settings))

    def _content(self, file: str) -> str:
        try:
            return blake2b(self._environment.project.files.read(file), digest_size=16).hexdigest()
        except UnreadableSource:
            return ""


def hash_of(*texts: str) -> str:
    found = blake2b(digest_size=16)
    for text in texts:
        found.update(text.encode(errors="surrogatepass") + b"\0")
    return found.hexdigest()
