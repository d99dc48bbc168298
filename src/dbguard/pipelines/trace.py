"""The hallway of `dbguard trace`: run the migrations on a server, and set what happens against what was predicted.

In: a configuration and paths, as for `dbguard check`. Out: a `Trace`: each statement of the scripts asked for with its
prediction, its observation and their differences, and the findings of the same checks. Earlier migrations of the history, a
schema or a snapshot make what the scripts find.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from dbguard.config import Config
from dbguard.errors import UsageError
from dbguard.model.finding import Result, Summary
from dbguard.pipelines.check import check_history
from dbguard.pipelines.part import Part, result_of
from dbguard.pipelines.trace_history import HistoryTrace
from dbguard.pipelines.traced import Options, Trace, Traced
from dbguard.postgres.embedded import start
from dbguard.postgres.roles import without_superuser
from dbguard.reading import History, Reading, StandardInput, read_all
from dbguard.rulebook.select import from_config

SETTINGS = {"timezone": "Europe/Berlin"}  # any but UTC, as predictions take it (docs/effects.md)
Run = Callable[[HistoryTrace], Iterator[Traced]]


def trace(
    config: Config,
    paths: Iterable[str] = (),
    options: Options = Options(),  # noqa: B008 - a value
    *,
    stdin: StandardInput | None = None,
    since: str | None = None,
    staged: bool = False,
) -> Trace:
    """Run the migrations at `paths` on a throw-away server. Raises `UsageError`, and `ServerError` if they could not be run."""
    began = time.perf_counter()
    reading = asked(config, paths, stdin=stdin, since=since, staged=staged)
    with start(options.programs or None, settings=SETTINGS) as server:
        access = without_superuser(server)
        return traced(reading, config, options, major=server.major, run=lambda history: history.on_throw_away(access), began=began)


def asked(config: Config, paths: Iterable[str], *, stdin: StandardInput | None, since: str | None, staged: bool) -> Reading:
    """The histories, on top of the snapshot's schema if there is one. Raises `UsageError` if there is nothing to trace."""
    reading = read_all(config, paths, stdin, since=since, staged=staged)
    if config.snapshot:
        from dbguard.pipelines.measure import on_production

        reading = on_production(reading, config)[0]
    if not reading.histories and not reading.unreadable:
        raise UsageError("there is no migration to trace: name files or folders of migrations")
    return reading


def traced(reading: Reading, config: Config, options: Options, *, major: int, run: Run, began: float) -> Trace:
    """Every history run, and judged by the same checks. `began` is when, by `time.perf_counter`."""
    selection = from_config(config)
    statements: list[Traced] = []
    parts: list[Part] = []
    notes: list[str] = []
    queries = 0
    for history in reading.histories:
        if not history.scripts:
            continue
        one = HistoryTrace(history, config, selection, options, major)
        parts.append(check_history(history, config, selection))
        statements += run(one)
        parts += one.parts
        notes += one.notes
        queries += one.tried
    read = Result(
        unread=reading.unreadable,
        summary=Summary(
            files=len(reading.unreadable), migrations=sum(_asked(history) for history in reading.histories), skipped_files=reading.skipped
        ),
        recognised=tuple(history.description for history in reading.histories if history.description),
        notes=reading.notes,
    )
    result = result_of(parts, read, config, selection, began)
    return Trace(tuple(statements), result, major, exit_code(result, statements), tuple(dict.fromkeys(notes)), queries)


def exit_code(result: Result, statements: Sequence[Traced]) -> int:
    """That of the checks; 1 for an error, a difference, or a query that stops working."""
    wrong = any(one.error or one.differences or one.breaks for one in statements)
    return result.exit_code or int(wrong)


def _asked(history: History) -> int:
    return sum(script.direction != "down" and history.asks_for(script) for script in history.scripts)
