"""The outside world in, histories of scripts out.

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
from typing import TYPE_CHECKING

from dbguard.config import Config, Migrations
from dbguard.errors import UsageError
from dbguard.model.finding import UnreadPart
from dbguard.model.record import Record
from dbguard.model.source import Source
from dbguard.reading import python
from dbguard.reading.asked import Asked, gather
from dbguard.reading.folders import Place, other_database, sql_below
from dbguard.reading.history import Desk, History, assemble, build, schema_of
from dbguard.reading.names import MIGRATION_FOLDER, is_sql
from dbguard.reading.tools import named
from dbguard.reading.tools.base import File, Tree
from dbguard.reading.tools.listed import is_liquibase

if TYPE_CHECKING:
    from dbguard.reading.changes import Changes

__all__ = ["History", "Listener", "Reading", "StandardInput", "read_all"]

# sqlc, goyesql, pgtyped: files of queries, which are not migrations.
_QUERIES = re.compile(r"^\s*(?:--\s*name:|/\*\s*@name)\s*\w", re.MULTILINE)
_TABLE = re.compile(r"^\s*CREATE\s+TABLE\b", re.MULTILINE | re.IGNORECASE)
_LOOKED_FOR = (
    "SQL migrations of golang-migrate, goose, dbmate, Flyway, refinery, sqlx, Diesel, Prisma, Drizzle, Supabase, Hasura, Sqitch, "
    "node-pg-migrate, Atlas, tern, pop, Liquibase's formatted SQL, numbered SQL files in a folder of migrations, Alembic revisions and "
    "Django migrations"
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
    queries: tuple[Source, ...] = ()  # files of queries
    schema: Source | None = None  # what `schema` names
    workload: tuple[str, ...] = ()  # absolute paths of captures, logs, traces and exports
    large_tables: tuple[str, ...] = ()  # with schema: those that the snapshot knows to have many rows


class Listener:
    """Hears how reading gets on, so that work can begin before all is read. This one does nothing."""

    def expect(self, files: int) -> None:
        """At least so many files are going to be read. Told once more when it is known better."""

    def begin(self, history: History) -> None:
        """A history is read, those of many files first."""


def read_all(
    config: Config,
    paths: Iterable[str] = (),
    stdin: StandardInput | None = None,
    listener: Listener = Listener(),  # noqa: B008 - it has no state
    *,
    since: str | None = None,
    staged: bool = False,
) -> Reading:
    """Read the histories of `paths`, or of what is configured, or else of all migrations below the working directory.

    With `since` only what changed since the merge base with that commit is asked for; with `staged` only what is, as it is in
    git's index.
    """
    if since is None and not staged:
        return _read(config, list(paths), stdin, listener, None)
    if stdin:
        raise UsageError("--since and --staged are about files: they do not go with standard input")
    from dbguard.reading.changes import compare

    changes = compare(config.cwd, since, staged=staged)
    try:
        return _read(config, list(paths), None, listener, changes)
    finally:
        changes.close()


def _read(config: Config, paths: list[str], stdin: StandardInput | None, listener: Listener, changes: Changes | None) -> Reading:
    listener.expect(len(paths))
    asked = gather(config, paths, stdin.filename if stdin else None, changes)
    listener.expect(len(asked.files))
    desk = Desk(config, asked.relative, changes)
    desk.unreadable += asked.unreadable(desk.shown)
    if stdin and asked.standard_input:
        desk.given[asked.standard_input] = stdin.raw
        if asked.standard_input.endswith(".py"):
            del asked.files[asked.standard_input]
            asked.python[asked.standard_input] = python.kind(stdin.raw)
    histories, skipped = _histories(desk, asked, listener)
    histories += _programs(desk, asked, listener)
    if changes is not None:
        from dbguard.reading.deleted import notes

        desk.notes += notes(desk, changes, asked, histories)
    seen = histories or asked.python or desk.queries or any(part.fatal for part in desk.unreadable)
    if asked.is_search and not seen and not _has_unchanged(desk, asked):
        raise UsageError(f"no migrations found below {desk.shown(asked.searched)}: looked for {_LOOKED_FOR}. Name files or folders, or set `paths`")
    schema = schema_of(desk, config.schema) if desk.queries or asked.workload else None
    ordered = sorted(histories, key=lambda history: history.root)
    return Reading(
        tuple(ordered), tuple(desk.unreadable), skipped + asked.skipped, tuple(desk.notes), tuple(desk.queries), schema, tuple(asked.workload)
    )


def _histories(desk: Desk, asked: Asked, listener: Listener) -> tuple[list[History], int]:
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
        elif asked.is_query_file(path):
            if asked.changed([path]) and (text := desk.text(path, fatal=True)) is not None:
                desk.queries.append(Source(desk.shown(path), text))
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
    for place, members in sorted(groups.items(), key=lambda group: -len(group[1])):
        names, sides = asked.names_of(place) or sql_below(disk, place)
        names = _with_unlisted(names, place, asked, members)
        entry = entries.get(place, Migrations(path=""))
        before = len(desk.unreadable), len(desk.notes)
        if not (members := asked.changed(members)):
            continue
        history = build(desk, place.root, names, sides, members, entry)
        if asked.is_search and place not in entries and _is_doubtful(history, place.root):
            del desk.unreadable[before[0] :], desk.notes[before[1] :]
            continue
        if history.scripts and (desk.changes is None or history.asks):
            histories.append(history)
            listener.begin(history)
        skipped += _note_not_run(desk, history, members)
    more, left = _loose(desk, asked, loose)
    for history in more:
        listener.begin(history)
    return histories + more, skipped + left


def _has_unchanged(desk: Desk, asked: Asked) -> bool:
    """Whether a comparison found nothing because nothing changed: there are migrations."""
    if desk.changes is None:
        return False
    aside = Desk(desk.config, desk.relative, desk.changes)
    for place in dict.fromkeys(map(asked.disk.place, asked.files)):
        if place is not None and not _is_doubtful(build(aside, place.root, *sql_below(asked.disk, place), set(), Migrations(path="")), place.root):
            return True
    return any(is_liquibase((aside.text(path, fatal=False) or "")[:1000]) for path in asked.files)


def _with_unlisted(names: list[str], place: Place, asked: Asked, members: set[str]) -> list[str]:
    """With standard input, which may stand for a file that is not there yet, and what a folder does not let us list."""
    paths = members if asked.disk.listing(place.root).error else {asked.standard_input} & members
    unlisted = {path[len(place.root) :].lstrip(os.sep).replace(os.sep, "/") for path in paths}
    return names + sorted(unlisted - set(names))


def _is_doubtful(history: History, root: str) -> bool:
    """Whether files that only begin with numbers, which nobody asked for, are more likely something else."""
    if history.tool != "plain" or "migrat" in os.path.basename(root).lower():
        return False
    return len(history.scripts) < 2 or not MIGRATION_FOLDER.search("/".join(root.split(os.sep)[-3:]))


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
        if asked.is_search and not MIGRATION_FOLDER.search(path[len(desk.below) :].rpartition(os.sep)[0]):
            continue
        text = desk.text(path, fatal=not asked.is_search)
        if text is None:
            continue
        if is_liquibase(text[:1000]):
            changelogs.setdefault(os.path.dirname(path), set()).add(path)
        elif asked.is_search:
            continue
        elif ("name:" in text or "@name" in text) and _QUERIES.search(text):
            if _TABLE.search(text):
                skipped += 1  # a schema, in which a comment speaks of a name
            else:
                desk.queries.append(Source(desk.shown(path), text))
        else:
            others.append(File(os.path.basename(path), Source(desk.shown(path), text)))
            members.add(path)
    histories = [_changelog(desk, asked, folder, new) for folder, files in changelogs.items() if (new := asked.changed(files))]
    if changed := asked.changed(members):
        roots = {os.path.dirname(path) for path in members}
        root = roots.pop() if len(roots) == 1 else desk.config.cwd
        tree = Tree(desk.shown(root), root, tuple(others), frozenset(), lambda _: "")
        histories.append(assemble(desk, tree, named("files"), changed, Migrations(path="")))
    return [history for history in histories if desk.changes is None or history.asks], skipped


def _changelog(desk: Desk, asked: Asked, folder: str, members: set[str]) -> History:
    names = []
    for name in asked.disk.listing(folder).files:
        path = os.path.join(folder, name)
        if is_sql(name) and not asked.disk.is_excluded(path):
            text = desk.text(path, path in members)
            if text is not None and is_liquibase(text[:1000]):
                names.append(name)
    return build(desk, folder, names, (), members, Migrations(path="", tool="liquibase"))


def _programs(desk: Desk, asked: Asked, listener: Listener) -> list[History]:
    """The histories of migrations written in Python. Their readers take time to import, and most runs need none."""
    histories: list[History] = []
    changed = asked.changed(asked.python)
    paths = {kind: {path: None for path, its in asked.python.items() if its == kind and path in changed} for kind in ("alembic", "django")}
    if paths["alembic"]:
        from dbguard.reading import alembic

        histories += alembic.histories(desk, asked.disk, paths["alembic"])
    if paths["django"]:
        from dbguard.reading import django

        histories += django.histories(desk, asked.disk, paths["django"])
    if desk.changes is not None:
        from dbguard.reading.edits import compared_programs

        histories = [found for history in histories if (found := compared_programs(desk, history, changed)).asks]
    for history in histories:
        listener.begin(history)
    return histories
