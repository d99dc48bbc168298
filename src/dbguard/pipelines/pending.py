"""Which migrations production does not have: histories and a snapshot in, histories that begin at the snapshot's schema out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbguard.model.names import Name
from dbguard.model.operations import CreateTable
from dbguard.model.record import Record
from dbguard.model.snapshot import Applied, Snapshot
from dbguard.model.source import Script, Source
from dbguard.parsing import parse
from dbguard.reading import History, Reading
from dbguard.reading.names import natural, stem

ONLY_THE_LAST = {"golang-migrate", "alembic", "tern"}
"""Tools whose table has only where the database is, not how it got there: what comes before is applied."""


class Pending(Record):
    """A history, with what is known of production put before it."""

    history: History
    applied: int | None = None  # migrations that the snapshot has; None: it does not tell
    table: Name | None = None  # of the snapshot, which told


def on_snapshot(reading: Reading, snapshot: Snapshot, path: str) -> tuple[Reading, tuple[Pending, ...]]:
    """Histories on top of the snapshot's schema: what is applied is left out, and `notes` say how much that is. A history of which the
    snapshot says nothing keeps its own base if another one is known to the snapshot, and otherwise what is asked for is taken to be pending.
    """
    base = Source(path, snapshot.schema)
    found = _of_one_database([_of(history, snapshot.applied) for history in reading.histories], reading.histories, snapshot)
    told = any(one.applied is not None for one in found)
    kept = []
    for one in found:
        if one.applied is not None:
            kept.append(one._replace(history=one.history._replace(base=base, undeployed_from=0)))
        elif told:
            kept.append(one)
        else:
            kept.append(one._replace(history=_asked_only(one.history)._replace(base=base, undeployed_from=0)))
    placed = reading._replace(histories=tuple([one.history for one in kept]), notes=(*reading.notes, *notes(kept, path)))
    return placed, tuple(kept)


def _of_one_database(found: Sequence[Pending], histories: Sequence[History], snapshot: Snapshot) -> list[Pending]:
    """One table of a tool is written by one history: where several fit, by the one of whose tables the snapshot has most."""
    kept = list(found)
    for table in {one.table for one in found if one.table is not None}:
        rivals = [position for position, one in enumerate(found) if one.table == table]
        if len(rivals) > 1:
            tables = _created([Script(Source("", snapshot.schema), ((0, len(snapshot.schema)),))])
            best = max(rivals, key=lambda position: _share(histories[position], tables))
            for position in rivals:
                if position != best:
                    kept[position] = Pending(histories[position])
    return kept


def _share(history: History, tables: set[str]) -> float:
    own = _created([script for script in history.scripts if script.direction != "down"])
    return len(own & tables) / max(1, len(own))


def _created(scripts: Iterable[Script]) -> set[str]:
    operations = (one for script in scripts for statement in parse(script).statements for one in statement.operations)
    return {one.name.name for one in operations if isinstance(one, CreateTable)}


def is_on(history: History, path: str) -> bool:
    """Whether a history was put on the snapshot at `path`; others are of another database."""
    return history.base is not None and history.base.path == path


def notes(pending: Iterable[Pending], path: str) -> list[str]:
    """What a report says about which migrations were taken to be pending."""
    found = []
    for one in pending:
        if one.applied is None:
            continue
        left = _ups(one.history.scripts)
        found.append(f"{path}: {one.applied} migration{'s' if one.applied != 1 else ''} of {one.history.root} applied, {left or 'none'} pending")
    return found


def _of(history: History, applied: Sequence[Applied]) -> Pending:
    """A repeatable script that was applied runs again only when its text changes, which its name does not tell: it counts as applied."""
    scripts = history.scripts
    for one in sorted(applied, key=lambda one: one.tool != history.tool):
        matched = _matched(scripts, one, history.tool)
        if not matched:
            continue
        gone = set(range(max(matched) + 1)) if one.tool in ONLY_THE_LAST else matched
        kept = tuple([script for index, script in enumerate(scripts) if index not in gone])
        return Pending(history._replace(scripts=kept), _ups(scripts) - _ups(kept), one.table)
    return Pending(history)


def _matched(scripts: Sequence[Script], one: Applied, tool: str) -> set[int]:
    """Indexes of the scripts whose version the tool's table has. Drizzle notes when a migration was made, not which."""
    if one.tool == tool == "drizzle":
        return set(range(min(len(one.versions), len(scripts))))
    versions = {key for version in one.versions for key in _keys(_as_files_have_it(version, one.tool))}
    matched = {index for index, script in enumerate(scripts) if not versions.isdisjoint(_names(script))}
    same = one.tool == tool or len(matched) >= len(one.versions) / 2 or one.tool in ONLY_THE_LAST
    return matched if same else set()


def _as_files_have_it(version: str, tool: str) -> str:
    match tool:
        case "sqitch":  # project:change
            return version.rpartition(":")[2]
        case "hasura":  # database.version
            return version.rpartition(".")[2]
        case "liquibase":  # file::id::author
            parts = version.split("::")
            return f"{parts[-1]}:{parts[-2]}" if len(parts) > 2 else version
    return version


def _asked_only(history: History) -> History:
    return history._replace(scripts=tuple([script for script in history.scripts if history.asks_for(script)]))


def _names(script: Script) -> set[object]:
    names = [script.version, *(stem(part) for part in script.source.path.split("/")[-2:])]
    return {key for name in names if name for key in _keys(name)} if script.version else set()


def _keys(version: str) -> tuple[object, ...]:
    """A version as it is written, and as a number where it is one: 000012 is 12."""
    number = natural(version)
    return (version, number) if version.replace(".", "").isdecimal() else (version,)


def _ups(scripts: Iterable[Script]) -> int:
    return sum(script.goes_up for script in scripts)
