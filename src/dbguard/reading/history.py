"""One folder of migrations in, a `History` out: read, recognised, ordered, and cut to what was asked."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH110, PTH118, PTH120

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from dbguard.cache import Cache
from dbguard.config import Config, Migrations
from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.finding import UnreadPart
from dbguard.model.record import Record
from dbguard.model.source import Script, Source
from dbguard.reading import files as reader
from dbguard.reading.folders import Files
from dbguard.reading.names import is_versioned, natural, stem
from dbguard.reading.tools import named, recognise
from dbguard.reading.tools.base import File, Tool, Tree

if TYPE_CHECKING:
    from dbguard.reading.changes import Changes

_PROGRAMS = {
    ".go": "Go",
    ".js": "JavaScript",
    ".ts": "TypeScript",
    ".mjs": "JavaScript",
    ".java": "Java",
    ".kt": "Kotlin",
    ".rb": "Ruby",
    ".php": "PHP",
}
OVERRIDES = {"one": "each in one transaction, as configured", "none": "without a transaction, as configured"}


After = Callable[[tuple[Script, ...], str, str, str], int]
"""Of scripts, a version, the key of the configuration that gives it, and the folder: the index of the first script after that version."""


class History(Record):
    """Migrations that run one after another on one database.

    `scripts` are in order: each up script, then its down script if there is one, repeatable scripts last. Scripts whose
    source is in `asked` give findings, the others only build the schema. The first script that production does not have
    is `scripts[undeployed_from]`, if that was configured or a comparison tells.
    """

    root: str
    tool: str
    description: str
    scripts: tuple[Script, ...]
    asked: frozenset[str]
    base: Source | None = None
    postgres: tuple[int, int] | None = None  # None: as configured for the run
    undeployed_from: int | None = None
    runner_lock_timeout: bool = False  # whether what runs them sets a lock_timeout

    @property
    def asks(self) -> bool:
        """Whether any script gives findings."""
        return any(map(self.asks_for, self.scripts))

    def asks_for(self, script: Script) -> bool:
        """Whether the script gives findings: its file was asked for, and it is not the same as the one that is merged."""
        return script.source.path in self.asked and (script.merged is None or script.merged.way != "same")


class Desk:
    """Texts that were read in this run, how paths are shown, and what could not be read."""

    def __init__(self, config: Config, relative: bool, changes: Changes | None = None) -> None:
        self.config = config
        self.changes = changes
        self.files = changes.files if changes else Files()
        self.below = config.cwd.rstrip(os.sep) + os.sep
        self.relative = relative
        self.texts: dict[str, str | None] = {}
        self.queries: list[Source] = []
        self.unreadable: list[UnreadPart] = []
        self.cache = Cache.of_user(config.cache)
        self.notes: list[str] = []
        self.given: dict[str, bytes] = {}  # standard input, by the path that it stands for, and what is not read where the rest is

    def shown(self, path: str) -> str:
        """A path as the user would write it, with forward slashes: relative below the working directory."""
        if path.startswith(self.below):
            path = path[len(self.below) :]
        elif path + os.sep == self.below:
            path = "."
        elif self.relative:
            path = os.path.relpath(path, self.below)
        return path.replace(os.sep, "/") if os.sep != "/" else path

    def text(self, path: str, fatal: bool) -> str | None:
        """The text of a file, or None and an entry in `unreadable`, fatal for a file that was asked for."""
        if path not in self.texts:
            try:
                found = reader.decode(self.given[path] if path in self.given else self.files.read(path))
            except UnreadableSource as error:
                self.unreadable.append(UnreadPart(self.shown(path), 1, str(error), fatal))
                self.texts[path] = None
                return None
            if found.note:
                self.notes.append(f"{self.shown(path)}: {found.note}")
            self.texts[path] = found.text
        return self.texts[path]

    def side(self, folder: str, name: str) -> str:
        try:
            return reader.decode(self.files.read(os.path.join(folder, name))).text
        except UnreadableSource:
            return ""


def build(desk: Desk, root: str, names: Iterable[str], sides: Iterable[str], asked: set[str], entry: Migrations) -> History:  # noqa: PLR0917
    """The history of the files `names` in folder `root`; `asked` are absolute paths."""
    found = []
    prefix = desk.shown(root)
    prefix = "" if prefix == "." else prefix.rstrip("/") + "/"
    folder = os.path.join(root, "")
    for name in names:
        path = folder + name
        text = desk.text(path, path in asked)
        if text is not None:
            found.append(File(name, Source(prefix + name, text)))
    all_sides = frozenset(sides) | ({"Cargo.toml"} if _has_above(root, "Cargo.toml") else set())
    tree = Tree(desk.shown(root), root, tuple(found), all_sides, partial(desk.side, root))
    tool = named(entry.tool) if entry.tool else recognise(tree)
    return assemble(desk, tree, tool, asked, entry)


def assemble(desk: Desk, tree: Tree, tool: Tool, asked: set[str], entry: Migrations) -> History:
    forced = forced_transaction(desk, entry)
    scripts = tuple(script._replace(tool=tool.name, history=tree.root, transaction=forced or script.transaction) for script in tool.scripts(tree))
    if desk.changes is not None and asked:
        from dbguard.reading.edits import compared

        scripts = compared(desk, tree, tool, scripts, asked)
    _note_programs(desk, tree)
    described = _describe(tool, tree.root, scripts, forced)
    history = history_of(desk, entry, History(tree.root, tool.name, described, scripts, frozenset(map(desk.shown, asked))), after)
    if desk.changes is not None:
        from dbguard.reading.edits import going_together

        return going_together(desk, history)
    return history


def forced_transaction(desk: Desk, entry: Migrations) -> str:
    """The mode that is configured for these migrations, "" if what runs them decides."""
    return next((mode for mode in (entry.transaction, desk.config.transaction) if mode in OVERRIDES), "")


def history_of(desk: Desk, entry: Migrations, whole: History, after: After) -> History:
    """A history as it is configured: `start-after` leaves fewer of its `asked`, `deployed`, `schema` and `postgres` are filled in.

    Raises UsageError if it has no migration of a name that the configuration gives.
    """
    start_after, deployed = entry.start_after or desk.config.start_after, entry.deployed or desk.config.deployed
    scripts = whole.scripts
    first = after(scripts, start_after, "start-after", whole.root) if start_after else 0
    return whole._replace(
        asked=frozenset(script.source.path for script in scripts[first:] if script.source.path in whole.asked),
        base=schema_of(desk, entry.schema or desk.config.schema),
        postgres=entry.postgres,
        undeployed_from=after(scripts, deployed, "deployed", whole.root) if deployed else None,
    )


def after(scripts: tuple[Script, ...], version: str, key: str, root: str) -> int:
    """The index of the first script after a version, which may be written as a version, a number or a file's name."""
    wanted = natural(version)
    for index in range(len(scripts) - 1, -1, -1):
        script = scripts[index]
        names = (script.version, *(stem(part) for part in script.source.path.split("/")[-2:]))
        if version in names or natural(script.version) == wanted:
            return index + 1
    if not version[:1].isdecimal():
        raise UsageError(f'{key} = "{version}": {root} has no migration of that name')
    return next((index for index, script in enumerate(scripts) if script.direction == "repeatable" or natural(script.version) > wanted), len(scripts))


def schema_of(desk: Desk, schema: str) -> Source | None:
    """The text of the file that `schema` names, None if it names none or cannot be read."""
    if not schema:
        return None
    path = os.path.normpath(os.path.join(desk.config.root, schema))
    if not desk.files.exists(path):
        if not os.path.lexists(path):
            raise UsageError(f'schema = "{schema}": there is no such file')
        with suppress(UnreadableSource):  # not in the index, because something generates it
            desk.given.setdefault(path, reader.read_bytes(path))
    text = desk.text(path, fatal=True)
    return None if text is None else Source(desk.shown(path), text)


def _describe(tool: Tool, root: str, scripts: tuple[Script, ...], forced: str) -> str:
    count = sum(script.direction != "down" for script in scripts)
    runs = OVERRIDES.get(forced, tool.runs)
    noun = tool.noun if count == 1 else tool.noun + "s"
    return f"{count} {tool.label} {noun} in {root}, {runs.removeprefix('each ') if count == 1 else runs}"


def _note_programs(desk: Desk, tree: Tree) -> None:
    """Migrations written as programs stand between those that we read: say so."""
    for ending, language in _PROGRAMS.items():
        programs = [side for side in tree.sides if side.endswith(ending) and is_versioned(side) and not side.endswith(("_test" + ending, ".d.ts"))]
        if programs:
            count = f"{len(programs)} migrations are" if len(programs) > 1 else "1 migration is"
            desk.unreadable.append(UnreadPart(tree.root, 1, f"{count} written in {language} ({min(programs)}), which dbguard does not read"))


def _has_above(folder: str, name: str) -> bool:
    for _ in range(5):
        if os.path.exists(os.path.join(folder, name)):
            return True
        if os.path.exists(os.path.join(folder, ".git")):
            return False
        folder = os.path.dirname(folder)
    return False
