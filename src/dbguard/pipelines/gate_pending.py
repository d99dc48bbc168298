"""What a gate takes to be pending: paths, `--since`, a snapshot, `deployed`, the CI and git in; histories of which just that is asked out.

The first of these that tells decides: the table of the migration tool in the snapshot, `--since REF`, files that are named, `deployed` of
the configuration, the branch that a pull request goes to or a push began at, the branch that others build on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from dbguard.config import Config
from dbguard.errors import UsageError
from dbguard.model.record import Record
from dbguard.model.snapshot import Snapshot
from dbguard.pipelines.ci import Compared, compared_with
from dbguard.pipelines.pending import Pending, on_snapshot
from dbguard.reading import History, Reading, read_all

_SAY_SO = "--since REF, the paths of migrations, or a snapshot that has the table of the migrations says otherwise"


class Asked(Record):
    """What the caller said of what is pending."""

    config: Config
    paths: tuple[str, ...]
    since: str | None
    sources: tuple[str, ...]  # of queries: with them there is something to look at without migrations
    environment: Mapping[str, str] = {}


class Found(Record):
    reading: Reading
    assumes: tuple[str, ...] = ()  # what was guessed
    is_told: bool = True  # False: nothing tells, and everything is taken to be pending


def pending_of(asked: Asked, snapshot: Snapshot | None) -> Found:
    """The histories with what is pending asked of each. Raises `UsageError` where a reference that was given, or that the CI names, is not there."""
    if snapshot is None:
        return _by_git(asked)
    placed, pending = on_snapshot(_histories(asked, None), snapshot, asked.config.snapshot) if snapshot.applied else (None, ())
    untold = [one for one in pending if one.applied is None]
    if placed is not None and not untold:
        return Found(placed)
    found = _by_git(asked)
    if placed is None or len(untold) == len(pending):
        if not found.is_told:
            raise UsageError(
                f"{asked.config.snapshot} does not say which migrations are applied: give --since REF, or the paths of those that are pending"
            )
        return found._replace(reading=on_snapshot(found.reading, snapshot, asked.config.snapshot)[0])
    return Found(placed._replace(histories=tuple(_known_or_changed(pending, found.reading))), (*_others(untold, asked.config), *found.assumes))


def _known_or_changed(pending: Sequence[Pending], changed: Reading) -> list[History]:
    """What the snapshot tells of a history, else what git does."""
    by_root = {one.root: one for one in changed.histories}
    return [history for one in pending if (history := one.history if one.applied is not None else by_root.get(one.history.root)) is not None]


def _others(untold: Sequence[Pending], config: Config) -> list[str]:
    return [f"{one.history.root} is taken to be of another database: {config.snapshot} has no table of its migrations" for one in untold]


def _by_git(asked: Asked) -> Found:
    """What changed since a reference: the one that is given, else the one that the CI names, else the branch that others build on."""
    if asked.since is not None:
        return Found(_histories(asked, asked.since))
    if _names_files(asked):
        return Found(_histories(asked, None))
    config = asked.config
    if config.deployed or any(entry.deployed for entry in config.migrations):
        reading = _histories(asked, None)
        return Found(reading._replace(histories=tuple(map(_undeployed, reading.histories))))
    compared = compared_with(config.cwd, asked.environment)
    if compared.since:
        try:
            reading = _histories(asked, compared.since)
        except UsageError as error:
            why = str(error).removeprefix(f"--since {compared.since}: ")
            if compared.told_by:
                raise UsageError(f"pending is what changed since {compared.since}, as {compared.told_by} says, but {why}") from error
            compared = Compared("", why)
        else:
            return _since(compared, reading)
    return _everything(_histories(asked, None), compared.told_by)


def _since(compared: Compared, reading: Reading) -> Found:
    if compared.told_by:
        return Found(reading._replace(notes=(*reading.notes, f"pending is what changed since {compared.since}, as {compared.told_by} says")))
    return Found(reading, (f"what is pending was not said: it is taken to be what changed since {compared.since}; {_SAY_SO}",))


def _everything(reading: Reading, why: str) -> Found:
    several = sum(len({script.source.path for script in history.scripts}) for history in reading.histories)
    if several < 2:
        return Found(reading)
    reason = why or "no history of git tells"
    return Found(reading, (f"what is pending was not said, and {reason}: all {several} migrations are taken to be; {_SAY_SO}",), is_told=False)


def _names_files(asked: Asked) -> bool:
    """Whether paths name migrations. A folder says only where they are."""
    return bool(asked.paths) and not all(os.path.isdir(os.path.join(asked.config.cwd, path)) for path in asked.paths)  # noqa: PTH112, PTH118


def _undeployed(history: History) -> History:
    if history.undeployed_from is None:
        return history
    later = {script.source.path for script in history.scripts[history.undeployed_from :]}
    return history._replace(asked=history.asked & later)


def _histories(asked: Asked, since: str | None) -> Reading:
    """The migrations; none are fine where there are queries to look at."""
    try:
        reading = read_all(asked.config, asked.paths, since=since)
    except UsageError:
        if not asked.sources or asked.paths:
            raise
        if since is not None and _histories(asked, None).histories:
            raise
        return Reading(())
    up = [_without_downs(history) for history in reading.histories]
    return reading._replace(histories=tuple([history for history in up if history.scripts]))


def _without_downs(history: History) -> History:
    first = history.undeployed_from
    return history._replace(
        scripts=tuple([script for script in history.scripts if script.goes_up]),
        undeployed_from=None if first is None else sum(script.goes_up for script in history.scripts[:first]),
    )
