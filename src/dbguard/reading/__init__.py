"""The outside world in, histories of SQL scripts out.

`read_all` takes files, folders, globs and standard input, finds the history of each file, recognises the tool that runs
it, and cuts its files into scripts. Nothing is executed and no link to a folder is followed. What cannot be read
becomes an entry of `unreadable`, not an exception; wrong arguments are a `UsageError`.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH119, PTH120, PTH206

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from dbguard.config import Config, Migrations
from dbguard.errors import UsageError
from dbguard.model.finding import UnreadPart
from dbguard.model.record import Record
from dbguard.model.source import Source
from dbguard.reading import python
from dbguard.reading.asked import Asked, gather
from dbguard.reading.folders import Place, other_database, sql_below
from dbguard.reading.history import Desk, History, assemble, build
from dbguard.reading.names import is_sql
from dbguard.reading.tools import named
from dbguard.reading.tools.base import File, Tree
from dbguard.reading.tools.listed import is_liquibase

__all__ = ["History", "Reading", "StandardInput", "read_all"]

# sqlc, goyesql, pgtyped: files of queries, which are not migrations.
_QUERIES = re.compile(r"^\s*(?:--\s*name:|/\*\s*@name)\s*\w", re.MULTILINE)
_MIGRATION_FOLDER = re.compile(r"migrat|changelog|upgrade|update|patch|version|schema|ddl|evolution|delta", re.IGNORECASE)
_LOOKED_FOR = (
    "SQL migrations of golang-migrate, goose, dbmate, Flyway, refinery, sqlx, Diesel, Prisma, Drizzle, Supabase, Hasura, Sqitch, "
    "node-pg-migrate, Atlas, tern, pop, Liquibase's formatted SQL, and numbered SQL files in a folder of migrations"
)


class StandardInput(Record):
    """What came through `-`, and the file that it stands for."""

    raw: bytes
    filename: str = ""


class Reading(Record):
    """All that was read. `skipped` counts files that are neither migrations nor queries; `notes` say what was guessed."""

    histories: tuple[History, ...]
    unreadable: tuple[UnreadPart, ...] = ()
    skipped: int = 0
    notes: tuple[str, ...] = ()


def read_all(config: Config, paths: Iterable[str] = (), stdin: StandardInput | None = None) -> Reading:
    """Read the histories of `paths`, or of what is configured, or else of all migrations below the working directory."""
    asked = gather(config, list(paths), stdin.filename if stdin else None)
    desk = Desk(config, asked.relative)
    desk.unreadable += asked.unreadable(desk.shown)
    if stdin and asked.standard_input:
        desk.given[asked.standard_input] = stdin.raw
    histories, skipped = _histories(desk, asked)
    _note_python(desk, asked)
    if asked.is_search and not histories and not asked.python_folders and not any(part.fatal for part in desk.unreadable):
        raise UsageError(f"no migrations found below {desk.shown(asked.searched)}: looked for {_LOOKED_FOR}. Name files or folders, or set `paths`")
    ordered = sorted(histories, key=lambda history: history.root)
    return Reading(tuple(ordered), tuple(desk.unreadable), skipped + asked.skipped, tuple(desk.notes))


def _histories(desk: Desk, asked: Asked) -> tuple[list[History], int]:
    config, disk = desk.config, asked.disk
    groups: dict[Place, set[str]] = {}
    entries: dict[Place, Migrations] = {}
    loose: list[str] = []
    foreign: dict[str, int] = {}
    base = os.path.normpath(os.path.join(config.root, config.schema)) if config.schema else ""
    skipped = 0
    for path in asked.files:
        configured = asked.configured(path)
        if path == base:
            skipped += 1
        elif configured:
            place, entry = configured
            entries[place] = entry
            groups.setdefault(place, set()).add(path)
        elif other := other_database(path, config.cwd + os.sep):
            foreign[other] = foreign.get(other, 0) + 1
        elif found := disk.place(path):
            groups.setdefault(found, set()).add(path)
        else:
            loose.append(path)
    histories = []
    skipped += sum(foreign.values())
    desk.notes += [f"{count} files for {name} are left out" for name, count in foreign.items()]
    for place, members in groups.items():
        names, sides = asked.names_of(place) or sql_below(disk, place)
        names = _with_unlisted(names, place, asked, members)
        entry = entries.get(place, Migrations(path=""))
        before = len(desk.unreadable), len(desk.notes)
        history = build(desk, place.root, names, sides, members, entry)
        if asked.is_search and place not in entries and _is_doubtful(history, place.root):
            del desk.unreadable[before[0] :], desk.notes[before[1] :]
            continue
        if history.scripts:
            histories.append(history)
        skipped += _note_not_run(desk, history, members)
    more, left = _loose(desk, asked, loose)
    return histories + more, skipped + left


def _with_unlisted(names: list[str], place: Place, asked: Asked, members: set[str]) -> list[str]:
    """With standard input, which may stand for a file that is not there yet, and what a folder does not let us list."""
    paths = members if asked.disk.listing(place.root).error else {asked.standard_input} & members
    unlisted = {path[len(place.root) :].lstrip(os.sep).replace(os.sep, "/") for path in paths}
    return names + sorted(unlisted - set(names))


def _is_doubtful(history: History, root: str) -> bool:
    """Whether files that only begin with numbers, which nobody asked for, are more likely something else."""
    if history.tool != "plain" or "migrat" in os.path.basename(root).lower():
        return False
    return len(history.scripts) < 2 or not _MIGRATION_FOLDER.search("/".join(root.split(os.sep)[-3:]))


def _note_not_run(desk: Desk, history: History, members: set[str]) -> int:
    """Files of the history's folder that its tool does not run: another dialect's, a down script without its up."""
    run = {script.source.path for script in history.scripts}
    left = sorted(shown for path in members if desk.texts.get(path, "") is not None and (shown := desk.shown(path)) not in run)
    if left:
        others = f" and {len(left) - 1} more" if len(left) > 1 else ""
        desk.notes.append(f"{left[0]}{others}: not run by the migrations in {history.root}")
    return len(left)


def _loose(desk: Desk, asked: Asked, paths: list[str]) -> tuple[list[History], int]:
    """Files that no layout explains: Liquibase changelogs by folder, the others as one history in the order given."""
    changelogs: dict[str, set[str]] = {}
    others: list[File] = []
    members: set[str] = set()
    skipped = 0
    for path in paths:
        if asked.is_search and not _MIGRATION_FOLDER.search(path[len(desk.below) :].rpartition(os.sep)[0]):
            continue
        text = desk.text(path, fatal=not asked.is_search)
        if text is None:
            continue
        if is_liquibase(text[:1000]):
            changelogs.setdefault(os.path.dirname(path), set()).add(path)
        elif asked.is_search:
            continue
        elif ("name:" in text or "@name" in text) and _QUERIES.search(text):
            skipped += 1
        else:
            others.append(File(os.path.basename(path), Source(desk.shown(path), text)))
            members.add(path)
    histories = [_changelog(desk, asked, folder, files) for folder, files in changelogs.items()]
    if others:
        roots = {os.path.dirname(path) for path in members}
        root = roots.pop() if len(roots) == 1 else desk.config.cwd
        tree = Tree(desk.shown(root), root, tuple(others), frozenset(), lambda _: "")
        histories.append(assemble(desk, tree, named("files"), members, Migrations(path="")))
    return histories, skipped


def _changelog(desk: Desk, asked: Asked, folder: str, members: set[str]) -> History:
    names = []
    for name in asked.disk.listing(folder).files:
        path = os.path.join(folder, name)
        if is_sql(name) and not asked.disk.is_excluded(path):
            text = desk.text(path, path in members)
            if text is not None and is_liquibase(text[:1000]):
                names.append(name)
    return build(desk, folder, names, (), members, Migrations(path="", tool="liquibase"))


def _note_python(desk: Desk, asked: Asked) -> None:
    for path, what in asked.python:
        desk.unreadable.append(UnreadPart(desk.shown(path), 1, python.reason(what)))
    for (folder, what), count in asked.python_folders.items():
        desk.unreadable.append(UnreadPart(desk.shown(folder), 1, python.reason(what, count)))
