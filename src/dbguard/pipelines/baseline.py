"""The hallway of `dbguard baseline`: what is wrong with queries today in, a baseline that knows it out; and one without what is gone."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator

from dbguard.config import Config
from dbguard.errors import ConfigError, CouldNotLook, ServerError, UnreadableSource, UsageError
from dbguard.judgement.baseline import Baseline, Entry, Known, Looked, below, compare, entries_of, is_on_query, place_of, read
from dbguard.model.calls import Unit
from dbguard.model.finding import Result
from dbguard.model.record import Record
from dbguard.parsing.query.shapes import shape_of
from dbguard.pipelines.part import Part, result_of
from dbguard.pipelines.query_files import check_query_files
from dbguard.pipelines.workload import check_workload
from dbguard.reading import read_all
from dbguard.reading.asked import CAPTURES
from dbguard.rulebook.select import Selection, from_config
from dbguard.workload.shapes import asked

MOST_UNITS = 20_000
LONGEST_TEXT = 100
_WITHOUT_NAMES = frozenset(["session", "trace"])  # units whose names and numbers are others the next time
_CONTROL = frozenset(["begin", "commit", "rollback", "control"])


class Adopted(Record):
    """A baseline to be written, and what it changes."""

    baseline: Baseline
    path: str  # absolute
    new: int = 0
    gone: tuple[Entry, ...] = ()
    without_costs: str = ""  # why a snapshot is named, and no cost was recorded


class Budgets:
    """Counts queries of units that pass by, as `dbguard.capture.limit` does, and calls of each shape."""

    def __init__(self) -> None:
        self.units: dict[str, int] = {}
        self.shapes: Counter[str] = Counter()

    def passing(self, units: Iterable[Unit]) -> Iterator[Unit]:
        for unit in units:
            if unit.phase in {"", "call"} and unit.kind not in _WITHOUT_NAMES:
                self._take(unit)
            yield unit

    def _take(self, unit: Unit) -> None:
        keys = [what.key for call in unit.calls if (what := asked(call.sql)).command not in _CONTROL and not what.catalog]
        self.shapes.update(keys)
        if unit.name in self.units or len(self.units) < MOST_UNITS:
            self.units[unit.name] = max(self.units.get(unit.name, 0), len(keys))


def adopt(config: Config, paths: Iterable[str]) -> Adopted:
    """A baseline of all that is wrong with queries now, with what they cost where there is a snapshot and a server to ask.

    Raises `UsageError` if there are none, `CouldNotLook` if not all could be looked at.
    """
    path, shown = place_of(config)
    paths, budgets = list(paths), Budgets()
    selection, result, _ = _judged(config, paths, budgets)
    entries: dict[Entry, str] = {}
    for finding in result.findings:
        if is_on_query(finding):
            text = " ".join(shape_of(finding.excerpt).sql.split()) if finding.shape else ""
            short = text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 4].rstrip()} ..."
            for entry in entries_of(finding, selection, config):
                entries[entry] = min(short, entries.get(entry, short))
    known = _known(config)
    costs, why = _costs(config, paths, selection)
    baseline = Baseline(shown, entries, budgets.units, budgets.shapes, costs)
    return Adopted(baseline, path, len(entries.keys() - known.keys()), tuple(known.keys() - entries.keys()), why)


def _costs(config: Config, paths: Iterable[str], selection: Selection) -> tuple[dict[str, float], str]:
    if not config.snapshot:
        return {}, ""
    from dbguard.pipelines.gate_costs import costs_of

    try:
        return costs_of(config, list(paths) or _usual(config), selection), ""
    except ServerError as error:
        return {}, str(error)


def prune(config: Config, paths: Iterable[str]) -> Adopted:
    """The baseline without what this run looked for in vain. Raises as `adopt` does, and `ConfigError` if there is no baseline."""
    baseline = read(config)
    selection, result, looked = _judged(config, paths, None)
    gone = compare(Known(baseline, looked), result.findings, selection, config).gone
    kept = {entry: sql for entry, sql in baseline.entries.items() if entry not in set(gone)}
    return Adopted(baseline._replace(entries=kept), place_of(config)[0], 0, gone)


def _known(config: Config) -> dict[Entry, str]:
    """What the baseline that is about to be replaced has; one that cannot be understood is replaced, a newer one is not."""
    try:
        return dict(read(config).entries)
    except ConfigError:
        return {}
    except UnreadableSource as error:
        if "newer dbguard" in str(error):
            raise
        return {}


def _judged(config: Config, paths: Iterable[str], budgets: Budgets | None) -> tuple[Selection, Result, Looked]:
    selection = from_config(config)
    reading = read_all(config, list(paths) or _usual(config))
    for problem in reading.unreadable:
        if problem.fatal:
            raise UnreadableSource(f"{problem.path}: {problem.reason}")
    if not reading.queries and not reading.workload:
        raise UsageError("there are no queries in what was named: give captures, logs or files of queries")
    parts: list[Part] = []
    if reading.queries:
        parts.append(check_query_files(reading, config, selection))
    if reading.workload:
        parts.append(check_workload(reading, config, selection, passing=budgets.passing if budgets else None))
    result = result_of(parts, Result(), config._replace(baseline=""), selection, 0.0)
    for part in result.unread:
        if part.fatal:
            raise UnreadableSource(f"{part.path}: {part.reason}")
    if result.crashed:
        raise CouldNotLook(result.crashed[0])
    subjects = frozenset[str]().union(*(part.subjects for part in parts))
    return selection, result, Looked("Unit" in subjects, below((path for part in parts for path in part.query_files), config), subjects)


def _usual(config: Config) -> list[str]:
    """Captures where they are usually written, and files of queries that are configured."""
    root = os.path.relpath(config.root, config.cwd)
    found = [os.path.join(root, CAPTURES)] if os.path.isdir(os.path.join(config.root, CAPTURES)) else []  # noqa: PTH112, PTH118
    found += [os.path.join(root, pattern) for pattern in config.queries]  # noqa: PTH118
    if not found:
        raise UsageError(
            f"nothing to look at: there is no folder {CAPTURES}, and `queries` names no files; run `pytest --dbguard` first, or give paths"
        )
    return found
