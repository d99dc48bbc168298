"""The hallway of `dbguard check`: read, parse, replay, inspect, judge.

Histories are independent of each other, so a large run spreads them over the machine's cores.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Self

from dbguard.cache import Cache
from dbguard.config import Config
from dbguard.model.finding import Result, Summary
from dbguard.model.state import State
from dbguard.parsing import parse
from dbguard.pipelines.before import begun, first_reported, state_before
from dbguard.pipelines.inspect import Inspection
from dbguard.pipelines.locks import base_state
from dbguard.pipelines.part import Part, part_of, result_of
from dbguard.reading import History, Listener, StandardInput, read_all
from dbguard.replay import replay
from dbguard.rulebook.select import Selection, from_config

if TYPE_CHECKING:
    from multiprocessing.pool import AsyncResult, Pool

    from dbguard.model.state import Step
    from dbguard.pipelines.measure import Measuring

Progress = Callable[[int, int], None]
PARALLEL_BYTES = 1_500_000  # below this, starting a second process costs more than it saves
PARALLEL_FILES = 1_000  # that many files are nearly always more


def check(
    config: Config,
    paths: Iterable[str] = (),
    *,
    stdin: StandardInput | None = None,
    progress: Progress | None = None,
    since: str | None = None,
    staged: bool = False,
    render: bool = False,
    brief: bool = False,
) -> Result:
    """Everything that would hurt in the migrations at `paths`, or in those that are configured or found.

    With `since` (a commit of git) only what changed since its merge base with HEAD gives findings; with `staged` only what is. With `render`
    the project's own Alembic and Django print their SQL, which runs the project's code. With `brief` findings on migrations do not say
    `because` and have no `excerpt`, which `--format json` does not show.
    Raises `UsageError` and `ConfigError`; whatever cannot be read or understood is in the result instead.
    """
    began = time.perf_counter()
    selection = from_config(config)
    with Workers(config, selection, brief=brief) as workers:
        listener = Listener() if render or config.snapshot else workers  # rendering and sizes come first
        reading = read_all(config, paths, stdin, listener, since=since, staged=staged)
        if render:
            from dbguard.pipelines.rendering import rendered

            reading = rendered(reading, config)
        if config.snapshot:
            from dbguard.pipelines.measure import on_production

            reading, config, measuring = on_production(reading, config)
            workers.measure(config, measuring)
        parts = list(_all_parts(reading.histories, workers, progress))
    if reading.queries:
        from dbguard.pipelines.query_files import check_query_files

        parts.append(check_query_files(reading, config, selection))
    if reading.workload:
        from dbguard.pipelines.workload import check_workload

        parts.append(check_workload(reading, config, selection))
    read = Result(
        unread=reading.unreadable,
        summary=Summary(
            files=len(reading.unreadable),
            migrations=sum(_migrations(history) for history in reading.histories),
            skipped_files=reading.skipped,
        ),
        recognised=tuple(history.description for history in reading.histories if history.description),
        notes=reading.notes,
    )
    return result_of(parts, read, config, selection, began)


def check_history(history: History, config: Config, selection: Selection, measuring: Measuring | None = None, *, brief: bool = False) -> Part:
    """Parse, replay and inspect one history. Only scripts of files that were asked for give anything but state."""
    postgres = history.postgres or config.postgres
    first = first_reported(history.scripts, [history.asks_for(script) for script in history.scripts])
    if first == len(history.scripts):
        return Part()
    state = state_before(history.scripts[:first], _start(history, config), postgres[1], Cache.of_user(config.cache))
    parsed = [parse(script) for script in history.scripts[first:]]
    steps: Iterable[Step] = replay(parsed, state, postgres[1], history.asks_for)
    measure = None if measuring is None else measuring(history, steps, state)
    inspection = Inspection(selection, postgres, measure, brief=brief)
    findings = tuple(inspection.findings(steps if measure is None else measure.steps))
    if any(one.script.way for one in parsed):  # a call in a loop sends many statements, of which the same is told once
        findings = tuple(dict.fromkeys(findings))
    return part_of([one for one in parsed if history.asks_for(one.script)], findings, inspection.crashed)


def _start(history: History, config: Config) -> State:
    return begun(history, config, State() if history.base is None else base_state(history.base, config.postgres[1]))


def _migrations(history: History) -> int:
    return sum(script.direction != "down" and history.asks_for(script) for script in history.scripts)


def _all_parts(histories: tuple[History, ...], workers: Workers, progress: Progress | None) -> Iterator[Part]:
    total = sum(len(history.scripts) for history in histories)
    done = 0
    for history in histories:
        yield workers.part(history)
        done += len(history.scripts)
        if progress is not None:
            progress(done, total)


class Workers(Listener):
    """Checks histories: here, one after the other, or in one process per core once there is enough to do.

    The processes begin while other histories are still being read.
    """

    def __init__(self, config: Config, selection: Selection, *, brief: bool = False) -> None:
        self._config, self._selection, self._brief = config, selection, brief
        self._measuring: Measuring | None = None
        self._size = 0
        self._waiting: list[History] = []  # read, and not begun
        self._pool: Pool | None = None
        self._begun: dict[int, AsyncResult[Part]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.terminate()

    def measure(self, config: Config, measuring: Measuring) -> None:
        """From here on findings get sizes of production."""
        self._config, self._measuring = config, measuring

    def expect(self, files: int) -> None:
        """Start the processes while the files are being read, if these are many."""
        if sys.platform == "linux" and files >= PARALLEL_FILES and self._pool is None:
            self._pool = _forked(self._config, self._selection, brief=self._brief)

    def begin(self, history: History) -> None:
        """Begin to check a history, if that is worth a process."""
        self._size += sum(len(script.source.text) for script in history.scripts)
        self._waiting.append(history)
        if sys.platform != "linux" or (self._pool is None and (len(self._waiting) == 1 or self._size < PARALLEL_BYTES)):
            return
        if self._pool is None:
            self._pool = _forked(self._config, self._selection, brief=self._brief)
        while self._waiting:
            one = self._waiting.pop(0)
            self._begun[id(one)] = self._pool.apply_async(_worked, (one,))

    def part(self, history: History) -> Part:
        """What a history gave."""
        begun = self._begun.get(id(history))
        return check_history(history, self._config, self._selection, self._measuring, brief=self._brief) if begun is None else begun.get()


def _forked(config: Config, selection: Selection, *, brief: bool) -> Pool:
    import multiprocessing
    import os

    global _settings  # noqa: PLW0603 - what forked processes inherit
    _settings = config, selection, brief
    return multiprocessing.get_context("fork").Pool(os.cpu_count() or 1, _ready)


_settings: tuple[Config, Selection, bool]


def _ready() -> None:
    """Ctrl-C reaches every process of the terminal: only the first one answers. Checks are imported before there is work."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for rule in _settings[1].rules.values():
        if rule.module.startswith("dbguard.checks."):
            import_module(rule.module)


def _worked(history: History) -> Part:
    config, selection, brief = _settings
    return check_history(history, config, selection, brief=brief)
