"""What an application sent: captures, logs, traces and exports in, findings on units of work and on single queries out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dbguard.config import Config
from dbguard.errors import UnreadableSource
from dbguard.model.calls import Call, Frame, Unit
from dbguard.model.finding import Finding, Result, UnreadPart
from dbguard.model.record import Record
from dbguard.model.source import Lines
from dbguard.model.state import State
from dbguard.parsing.query.shapes import shape_of
from dbguard.pipelines.part import Part, result_of
from dbguard.pipelines.queries_inspect import Judged, QueryInspection
from dbguard.pipelines.query_files import query_report, schema_state, without_schema
from dbguard.pipelines.units_inspect import UnitInspection
from dbguard.reading import Reading, read_all
from dbguard.rulebook.select import Selection, from_config

MOST_SHAPES = 10_000
_SETS_UP = frozenset(["setup", "teardown"])
_CONTROL = frozenset(["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ABORT"])


class Told(Record):
    """One shape of a workload, and how often and from where it was sent."""

    shape: str
    sql: str
    calls: int = 0
    units: int = 0
    seconds: float | None = None
    rows: int | None = None
    places: tuple[Frame, ...] = ()
    findings: tuple[str, ...] = ()


class Shapes:
    """The distinct queries of units that pass by, in bounded memory."""

    def __init__(self) -> None:
        self.told: dict[str, Told] = {}
        self._keys: dict[str, str] = {}

    def passing(self, units: Iterable[Unit]) -> Iterator[Unit]:
        for unit in units:
            if unit.phase not in _SETS_UP:
                seen: set[str] = set()
                for call in unit.calls:
                    self._take(call, seen)
            yield unit

    def _take(self, call: Call, seen: set[str]) -> None:
        key = self._keys.get(call.sql)
        if key is None:
            first = call.sql.lstrip()[:10].split(maxsplit=1)
            is_control = bool(first) and first[0].upper().rstrip(";") in _CONTROL
            key = self._keys[call.sql] = "" if is_control else shape_of(call.sql).key
        if not key:
            return
        known = self.told.get(key)
        if known is None:
            if len(self.told) >= MOST_SHAPES:
                return
            known = Told(key, call.sql)
        place = call.frames[0] if call.frames else None
        self.told[key] = known._replace(
            calls=known.calls + call.many,
            units=known.units + (key not in seen),
            seconds=_sum(known.seconds, call.seconds),
            rows=None if (rows := _sum(known.rows, call.rows)) is None else int(rows),
            places=known.places if place is None or place in known.places or len(known.places) > 9 else (*known.places, place),
        )
        seen.add(key)


class Looked(Record):
    """What was sent, shape by shape, and what is wrong with it."""

    part: Part
    shapes: Mapping[str, Told] = {}


def check_workload(reading: Reading, config: Config, selection: Selection) -> Part:
    """What is wrong with what was sent: in units of work, and query by query on the schema of the migrations."""
    return _look(reading, config, selection).part


def judge_capture(paths: Sequence[str], config: Config) -> Result:
    """What is wrong with the units of work in captures, for the run that has just written them."""
    began = time.perf_counter()
    selection = from_config(config)
    return result_of([_units(paths, selection).part], Result(), config, selection, began)


def _look(reading: Reading, config: Config, selection: Selection) -> Looked:
    looked = _units(reading.workload, selection)
    state = schema_state(reading, config)
    inspection = QueryInspection(selection, config.postgres, config.small_tables)
    single = tuple(finding for told in looked.shapes.values() for finding in _on_query(inspection, told, state))
    part = looked.part
    return looked._replace(
        part=part._replace(
            findings=part.findings + single,
            crashed=tuple(dict.fromkeys((*part.crashed, *inspection.crashed))),
            notes=part.notes + without_schema(state),
        )
    )


def _units(paths: Sequence[str], selection: Selection) -> Looked:
    """The units of captures and of every other source, read once and looked at as they pass."""
    from dbguard.workload import read_workload

    workload = read_workload(paths)
    inspection = UnitInspection(selection)
    shapes = Shapes()
    calls = 0
    for unit in shapes.passing(workload.units):
        inspection.take(unit)
        calls += len(unit.calls)
    part = Part(
        findings=tuple(inspection.findings()),
        unread=tuple([UnreadPart(path, 1, why, fatal=True) for path, why in workload.unread]),
        crashed=tuple(dict.fromkeys(inspection.crashed)),
        statements=calls,
        files=len(paths),
        notes=tuple(dict.fromkeys(workload.notes)),
    )
    return Looked(part, shapes.told)


class Listed(Record):
    """A workload for `dbguard queries`: the shapes that took the most time first, then those with the most calls."""

    shapes: tuple[Told, ...]
    notes: tuple[str, ...] = ()


def list_queries(config: Config, paths: Iterable[str]) -> Listed:
    """The shapes of captures, logs and query files, with the names of the rules that found something. Raises `UnreadableSource`."""
    selection = from_config(config)
    reading = read_all(config, paths)
    looked = _look(reading, config, selection) if reading.workload else Looked(Part())
    for problem in (*reading.unreadable, *looked.part.unread):
        raise UnreadableSource(f"{problem.path}: {problem.reason}")
    found: dict[str, dict[str, None]] = {}
    for finding in looked.part.findings:
        found.setdefault(finding.shape, {})[finding.rule] = None
    told = [one._replace(findings=tuple(found.get(one.shape, ()))) for one in looked.shapes.values()]
    told += [_written(one) for one in query_report(reading, config, selection).judged]
    return Listed(tuple(sorted(told, key=lambda one: (-(one.seconds or 0), -one.calls, one.sql))), looked.part.notes)


def _written(judged: Judged) -> Told:
    """A query that was read from a file."""
    written = judged.written
    place = Frame(written.source.path, Lines(written.source.text).at(written.start)[0], written.name)
    return Told(judged.step.shape, written.sql, places=(place,), findings=tuple(dict.fromkeys(one.rule for one in judged.findings)))


def _on_query(inspection: QueryInspection, told: Told, state: State) -> Iterator[Finding]:
    place = told.places[0] if told.places else None
    if place is None:
        return
    for finding in inspection.findings(inspection.step(told.sql, state, path=place.path)):
        yield finding._replace(
            line=place.line,
            end_line=place.line,
            excerpt=told.sql[:2_000],
            calls=told.calls,
            units=told.units,
            places=tuple([(one.path, one.line, one.function) for one in told.places]),
        )


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other
