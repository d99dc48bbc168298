"""Paths of Alembic revisions in, the histories of their environments out. The project's code is read, never run.

All revisions of an environment are read and build the schema, in the order of `alembic upgrade heads`; those that were asked for
give findings.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH119, PTH120

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from dbguard.config import Migrations
from dbguard.errors import UsageError
from dbguard.model.finding import UnreadPart
from dbguard.model.source import Script, Source
from dbguard.reading.alembic.environment import Environment, find
from dbguard.reading.alembic.graph import arrange
from dbguard.reading.alembic.remembered import Memory
from dbguard.reading.alembic.revision import Revision, Way, load, scripts
from dbguard.reading.folders import Disk, other_database
from dbguard.reading.history import OVERRIDES, Desk, History, forced_transaction, history_of
from dbguard.reading.names import stem

__all__ = ["histories"]


def histories(desk: Desk, disk: Disk, asked: Mapping[str, None]) -> list[History]:
    """A history for each environment that runs one of the files `asked` (absolute paths)."""
    environments: dict[tuple[str, ...], Environment] = {}
    folders: dict[str, Environment] = {}
    members: dict[tuple[str, ...], set[str]] = {}
    foreign: dict[str, int] = {}
    for path in asked:
        if other := other_database(path, desk.config.cwd + os.sep):
            foreign[other] = foreign.get(other, 0) + 1
            continue
        folder = os.path.dirname(path)
        if folder not in folders:
            found = find(disk, folder)
            folders[folder] = environments.setdefault(found.folders, found)
        members.setdefault(folders[folder].folders, set()).add(path)
    desk.notes += [f"{count} files for {name} are left out" for name, count in foreign.items()]
    return [history for key, paths in members.items() if (history := _history(desk, environments[key], paths)) is not None]


def _history(desk: Desk, environment: Environment, asked: set[str]) -> History | None:
    memory = Memory(desk.cache, environment)
    revisions = _revisions(desk, environment, memory, asked)
    if not revisions:
        return None
    root, entry = desk.shown(environment.root), _entry(desk, environment)
    forced = forced_transaction(desk, entry)
    shown = frozenset(map(desk.shown, asked))
    way = Way(environment, memory, root, forced or ("none" if environment.env.autocommits else "one"))
    found = _scripts(revisions, way, shown)
    memory.save()
    described = _described(environment, len(revisions), root, forced)
    whole = History(root, "alembic", described, found, shown, runner_lock_timeout=environment.sets_lock_timeout)
    return history_of(desk, entry, whole, _after)


def _revisions(desk: Desk, environment: Environment, memory: Memory, asked: set[str]) -> list[Revision]:
    """In the order in which Alembic lists their files."""
    revisions = []
    for path in dict.fromkeys((*environment.files, *sorted(asked))):
        text = desk.text(path, path in asked)
        if text is None:
            continue
        source = Source(desk.shown(path), text)
        if (known := memory.entry(source)) is not None:
            revisions.append(Revision(source, known.node, None, known=known))
            continue
        revision = load(source)
        if revision is not None and revision.node.id:
            revisions.append(revision)
        elif revision is not None:
            line = revision.source.text.count("\n", 0, revision.offset) + 1
            desk.unreadable.append(UnreadPart(desk.shown(path), line, revision.reason, path in asked))
    return revisions


def _entry(desk: Desk, environment: Environment) -> Migrations:
    """What is configured for the environment: an entry whose path is its folder, or one of its folders of revisions."""
    for entry in desk.config.migrations:
        path = os.path.normpath(os.path.join(desk.config.root, entry.path))
        if path == environment.root or any((folder + os.sep).startswith(path.rstrip(os.sep) + os.sep) for folder in environment.folders):
            return entry
    return Migrations(path="")


def _scripts(revisions: list[Revision], way: Way, asked: AbstractSet[str]) -> tuple[Script, ...]:
    graph = arrange([revision.node for revision in revisions])
    found: list[Script] = []
    enabled = gc.isenabled()
    gc.disable()  # a hundred thousand objects, few of which are garbage
    with warnings.catch_warnings():  # SQLAlchemy warns of what the authors of revisions may know
        warnings.simplefilter("ignore")
        for place in graph.order:
            revision = revisions[place]
            if place in graph.shadowed:
                revision = revision._replace(module=None, reason="another file with the same id runs instead", offset=0, known=None)
            found += scripts(revision, graph.problems.get(place, ()), way, revision.source.path in asked)
    if enabled:
        gc.enable()
    return tuple(found)


def _described(environment: Environment, count: int, root: str, forced: str) -> str:
    env = environment.env
    if forced:
        how = OVERRIDES[forced]
    elif env.autocommits:
        how = "each statement by itself"
    elif env.external:
        how = f"all pending ones in the transaction that env.py has open (`{env.external}`)"
    elif env.per_migration:
        how = "each in its own transaction"
    else:
        how = "all pending ones in one transaction"
    return f"{count} Alembic revision{'' if count == 1 else 's'} in {root}, {how}"


def _after(found: tuple[Script, ...], version: str, key: str, root: str) -> int:
    """The index of the first script after a revision, which is written as its id, the beginning of it, or its file's name."""
    for index in range(len(found) - 1, -1, -1):
        script, name = found[index], os.path.basename(found[index].source.path)
        if version in {script.version, stem(name), name, name.removesuffix(".py")}:
            return index + 1
    begun = [index for index, script in enumerate(found) if len(version) >= 4 and script.version.startswith(version)]
    if begun:
        return begun[-1] + 1
    raise UsageError(f'{key} = "{version}": {root} has no revision of that name')
