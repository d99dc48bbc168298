"""The hallway of `dbguard check`: read, parse, replay, inspect, judge.

Histories are independent of each other, so a large run spreads them over the machine's cores.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from dbguard.config import Config
from dbguard.judgement import allows, judge
from dbguard.judgement.allow import Allow
from dbguard.model.finding import Finding, Result, Summary, UnreadPart
from dbguard.model.record import Record
from dbguard.model.source import Lines, Parsed
from dbguard.model.state import State
from dbguard.parsing import parse
from dbguard.pipelines.inspect import Inspection
from dbguard.pipelines.locks import base_state
from dbguard.reading import History, StandardInput, read_all
from dbguard.replay import replay
from dbguard.rulebook.select import Selection, from_config

Progress = Callable[[int, int], None]
PARALLEL_BYTES = 2_000_000  # below this, starting a second process costs more than it saves


class Part(Record):
    """What one history gave."""

    findings: tuple[Finding, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    allows: tuple[Allow, ...] = ()
    crashed: tuple[str, ...] = ()
    statements: int = 0
    files: int = 0


def check(config: Config, paths: Iterable[str] = (), *, stdin: StandardInput | None = None, progress: Progress | None = None) -> Result:
    """Everything that would hurt in the migrations at `paths`, or in those that are configured or found.

    Raises `UsageError` and `ConfigError`; whatever cannot be read or understood is in the result instead.
    """
    began = time.perf_counter()
    selection = from_config(config)
    reading = read_all(config, paths, stdin)
    parts = list(_all_parts(reading.histories, config, selection, progress))
    summary = Summary(
        files=sum(part.files for part in parts) + len(reading.unreadable),
        migrations=sum(_migrations(history) for history in reading.histories),
        statements=sum(part.statements for part in parts),
        skipped_files=reading.skipped,
    )
    found = Result(
        findings=tuple(finding for part in parts for finding in part.findings),
        unread=(*reading.unreadable, *(unread for part in parts for unread in part.unread)),
        summary=summary,
        postgres=config.postgres,
        recognised=tuple(history.description for history in reading.histories if history.description),
        notes=reading.notes,
        crashed=tuple(crash for part in parts for crash in part.crashed),
    )
    result = judge(found, [allow for part in parts for allow in part.allows], selection, config, today=date.today())  # noqa: DTZ011
    return result._replace(summary=result.summary._replace(seconds=round(time.perf_counter() - began, 3)))


def check_history(history: History, config: Config, selection: Selection) -> Part:
    """Parse, replay and inspect one history. Only scripts of files that were asked for give anything but state."""
    postgres = history.postgres or config.postgres
    parsed = [parse(script) for script in history.scripts]
    reported = [one for one in parsed if history.asks_for(one.script)]
    inspection = Inspection(selection, postgres)
    findings = tuple(inspection.findings(replay(parsed, _start(history, config), postgres[1], history.asks_for)))
    return Part(
        findings=findings,
        unread=tuple(unread for one in reported for unread in _unread(one)),
        allows=tuple(allow for one in reported for allow in allows(one)),
        crashed=tuple(dict.fromkeys(inspection.crashed)),
        statements=sum(len(one.statements) for one in reported),
        files=len({one.script.source.path for one in reported}),
    )


def _start(history: History, config: Config) -> State:
    state = State() if history.base is None else base_state(history.base, config.postgres[1])
    if config.lock_timeout == "runner":
        state = state._replace(settings={"lock_timeout": "runner"})
    if history.undeployed_from is not None:
        state = state._replace(batch=state.now.script + 1 + history.undeployed_from)
    return state


def _unread(one: Parsed) -> Iterator[UnreadPart]:
    if any(statement.unread for statement in one.statements):
        lines = Lines(one.script.source.text)
        for statement in one.statements:
            for part in statement.unread:
                yield UnreadPart(one.script.source.path, lines.at(part.start)[0], part.reason)


def _migrations(history: History) -> int:
    return sum(script.direction != "down" and history.asks_for(script) for script in history.scripts)


def _all_parts(histories: tuple[History, ...], config: Config, selection: Selection, progress: Progress | None) -> Iterator[Part]:
    total = sum(len(history.scripts) for history in histories)
    size = sum(len(script.source.text) for history in histories for script in history.scripts)
    done = 0
    if len(histories) > 1 and size > PARALLEL_BYTES and sys.platform == "linux":
        parts = _in_parallel(histories, config, selection)
    else:
        parts = (check_history(history, config, selection) for history in histories)
    for history, part in zip(histories, parts, strict=True):
        yield part
        done += len(history.scripts)
        if progress is not None:
            progress(done, total)


def _in_parallel(histories: tuple[History, ...], config: Config, selection: Selection) -> Iterator[Part]:
    """One process per core, forked so that the texts need not be sent to them; the largest histories first."""
    import multiprocessing
    import os
    import signal

    global _work  # noqa: PLW0603 - what forked processes inherit
    _work = (histories, config, selection)
    order = sorted(range(len(histories)), key=lambda i: -sum(len(script.source.text) for script in histories[i].scripts))
    ignore = signal.signal, (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal: only this one answers
    with multiprocessing.get_context("fork").Pool(min(os.cpu_count() or 1, len(histories)), *ignore) as pool:
        found = dict(pool.imap_unordered(_worked, order))
    return iter([found[i] for i in range(len(histories))])


_work: tuple[tuple[History, ...], Config, Selection]


def _worked(index: int) -> tuple[int, Part]:
    histories, config, selection = _work
    return index, check_history(histories[index], config, selection)
