"""What an application sent: captures, logs, traces and exports in, findings on units of work and on single queries out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.config import Config
from dbguard.errors import UnreadableSource
from dbguard.model.calls import Call, Frame, Unit
from dbguard.model.finding import Finding, UnreadPart
from dbguard.model.record import Record
from dbguard.model.state import State
from dbguard.parsing.query.shapes import shape_of
from dbguard.pipelines.part import Part
from dbguard.pipelines.queries_inspect import QueryInspection
from dbguard.pipelines.query_files import report_on, schema_state
from dbguard.pipelines.units_inspect import UnitInspection
from dbguard.reading import Reading, read_all
from dbguard.reading.queries import read_queries
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


def check_workload(reading: Reading, config: Config, selection: Selection) -> Part:
    """What is wrong with what was sent: in units of work, and query by query on the schema of the migrations."""
    crashed: list[str] = []
    inspection = UnitInspection(selection, crashed)
    shapes = Shapes()
    unread: list[UnreadPart] = []
    notes: list[str] = []
    calls = 0
    for unit in shapes.passing(units_of(reading.workload, unread, notes)):
        inspection.take(unit)
        calls += len(unit.calls)
    state = schema_state(reading, config)
    single = QueryInspection(selection, config.postgres, config.small_tables)
    findings = [*inspection.findings(""), *(one for told in shapes.told.values() for one in _on_query(single, told, state))]
    return Part(
        findings=tuple(findings),
        unread=tuple(unread),
        crashed=tuple(dict.fromkeys([*crashed, *single.crashed])),
        statements=calls,
        files=len(reading.workload),
        notes=tuple(dict.fromkeys(notes)),
    )


class Listed(Record):
    """A workload for `dbguard queries`: the shapes that took the most time first, then those with the most calls."""

    shapes: tuple[Told, ...]
    notes: tuple[str, ...] = ()


def list_queries(config: Config, paths: Iterable[str]) -> Listed:
    """The shapes of captures, logs and query files, with the names of the rules that found something. Raises `UnreadableSource`."""
    selection = from_config(config)
    reading = read_all(config, paths)
    part = check_workload(reading, config, selection) if reading.workload else Part()
    shapes = Shapes()
    unread: list[UnreadPart] = []
    for unit in shapes.passing(units_of(reading.workload, unread, [])):
        del unit  # read for its shapes
    for problem in (*reading.unreadable, *unread):
        raise UnreadableSource(f"{problem.path}: {problem.reason}")
    found: dict[str, dict[str, None]] = {}
    for finding in part.findings:
        found.setdefault(finding.shape, {})[finding.rule] = None
    told = list(shapes.told.values())
    if reading.queries:
        written = [query for source in reading.queries for query in read_queries(source) if not query.unread]
        report = report_on(written, schema_state(reading, config), config, selection)
        for one in report.judged:
            line = one.written.source.text.count("\n", 0, one.written.start) + 1
            place = Frame(one.written.source.path, line, one.written.name)
            told.append(Told(one.step.shape, one.written.sql, places=(place,), findings=tuple(dict.fromkeys(f.rule for f in one.findings))))
    named = [one._replace(findings=one.findings or tuple(found.get(one.shape, ()))) for one in told]
    return Listed(tuple(sorted(named, key=lambda one: (-(one.seconds or 0), -one.calls, one.sql))), part.notes)


def units_of(paths: Iterable[str], unread: list[UnreadPart], notes: list[str]) -> Iterator[Unit]:
    """The units of captures and of every other source, read one after the other."""
    from dbguard.workload import read_workload
    from dbguard.workload.capture_file import read_capture

    captures = [path for path in paths if _is_capture(path)]
    if captures:
        units, said = read_capture(captures)
        notes += map(str, said)
        yield from units
    others = [path for path in paths if path not in captures]
    if others:
        workload = read_workload(others)
        yield from workload.units
        notes += workload.notes
        unread += [UnreadPart(path, 1, why, fatal=True) for path, why in workload.unread]


def _is_capture(path: str) -> bool:
    """Whether a file begins as docs/capture.md says."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return b'"dbguard":"capture"' in file.read(200).replace(b" ", b"")
    except OSError:
        return False


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
