"""What an application sent: captures, logs, traces and exports in, findings on units of work and on single queries out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from dbguard.config import Config
from dbguard.errors import UnreadableSource
from dbguard.model.calls import Frame, Total, Unit
from dbguard.model.finding import Finding, Result, UnreadPart
from dbguard.model.query import Candidate, QueryStep
from dbguard.model.record import Record
from dbguard.model.source import Lines
from dbguard.model.units import Totals
from dbguard.pipelines.code_allows import CodeAllows
from dbguard.pipelines.part import Part, result_of
from dbguard.pipelines.queries_inspect import Judged, QueryInspection, with_indexes
from dbguard.pipelines.query_files import query_report, schema_state, without_schema
from dbguard.pipelines.told import Shapes, Told
from dbguard.pipelines.units_inspect import UnitInspection
from dbguard.queries.candidates import merged
from dbguard.reading import Reading, read_all
from dbguard.reading.history import Desk, schema_of
from dbguard.rulebook.select import Selection, from_config
from dbguard.workload import read_workload
from dbguard.workload.read import NOT_KNOWN

ANYTHING = (".json", ".json.gz", ".csv", ".csv.gz")
Passing = Callable[[Iterable[Unit]], Iterator[Unit]]


class Looked(Record):
    """What was sent, shape by shape, and what is wrong with it."""

    part: Part
    shapes: Mapping[str, Told] = {}
    totals: Totals = Totals()
    code: CodeAllows | None = None
    variants: Callable[[str], tuple[str, ...]] = lambda _: ()


def check_workload(reading: Reading, config: Config, selection: Selection, *, passing: Passing | None = None) -> Part:
    """What is wrong with what was sent: in units of work, and query by query on the schema of the migrations.

    `passing` sees the units as they pass. Files whose names say nothing are skipped and counted if they are none of these.
    """
    part = look(reading, config, selection, passing).part
    others = [one for one in part.unread if one.reason in NOT_KNOWN and one.path.endswith(ANYTHING)]
    if not others:
        return part
    files = part.files - len(others)
    part = part._replace(unread=tuple([one for one in part.unread if one not in others]), skipped=len(others), files=files)
    return part if files else part._replace(notes=(), subjects=frozenset())


def judge_capture(paths: Sequence[str], config: Config, *, whole: bool = True) -> Result:
    """What is wrong with the units of work in captures, for the run that has just written them.

    `whole` says that all of what there is to run was run: only then something of the baseline can be missing.
    """
    began = time.perf_counter()
    selection = from_config(config)
    looked = _units(paths, selection)
    part = _with_allows(looked.part, looked.code, selection)
    return result_of([part if whole else part._replace(subjects=frozenset())], Result(), config, selection, began)


def look(reading: Reading, config: Config, selection: Selection, passing: Passing | None = None, more: Iterable[Total] = ()) -> Looked:
    looked = _units(_shown(reading.workload, config), selection, passing, more)
    state = schema_state(reading, config)
    inspection = QueryInspection(selection, config.postgres, config.small_tables, reading.large_tables)
    found: list[Finding] = []
    candidates: list[tuple[str, Candidate]] = []
    for told in looked.shapes.values():
        step = inspection.step(told.sql, state, path=_place(told)[0])._replace(variants=looked.variants(told.shape))
        candidates += [(step.shape, one) for one in step.serving.candidates]
        found += _on_query(inspection, told, step)
    found = with_indexes(found, merged(candidates, state))
    crashed: list[str] = []
    if looked.totals.periods:
        from dbguard.pipelines.totals_inspect import totals_findings

        found += totals_findings(looked.totals, state, selection, inspection, crashed)
    part = looked.part._replace(
        findings=(*looked.part.findings, *found),
        crashed=tuple(dict.fromkeys((*looked.part.crashed, *inspection.crashed, *crashed))),
        notes=looked.part.notes + without_schema(state),
        subjects=frozenset(["Query", "Unit", "Totals"]),
    )
    read = {script.source.path for history in reading.histories for script in history.scripts}
    return looked._replace(part=_with_allows(part, looked.code, selection, read))


def _with_allows(part: Part, code: CodeAllows | None, selection: Selection, read: Iterable[str] = ()) -> Part:
    """The exceptions that stand in the code which sent the calls; files that are `read` as migrations have told theirs."""
    if code is None:
        return part
    findings, given = code.found(part.findings, selection.book, read)
    return part._replace(findings=findings, allows=(*part.allows, *given))


def _shown(paths: Iterable[str], config: Config) -> list[str]:
    """Paths as users would write them, where these can be opened as they are."""
    below = config.cwd.rstrip(os.sep) + os.sep
    return [path.removeprefix(below) for path in paths] if os.getcwd() == config.cwd else list(paths)  # noqa: PTH109


def _units(paths: Sequence[str], selection: Selection, passing: Passing | None = None, more: Iterable[Total] = ()) -> Looked:
    """The units of captures and of every other source, read once and looked at as they pass."""
    workload = read_workload(paths)
    inspection = UnitInspection(selection)
    shapes = Shapes()
    calls = 0
    code = CodeAllows(os.getcwd())  # noqa: PTH109
    units = code.passing(workload.units if passing is None else passing(workload.units))
    for unit in shapes.passing(units):
        inspection.take(unit)
        calls += len(unit.calls)
    totals, notes = Totals(), list(workload.notes)
    counted = [*workload.totals, *more]
    if counted:
        from dbguard.workload.followers import periods_of

        totals = periods_of(counted)
        shapes.take_totals(totals.whole)
        if totals.earlier:
            notes.append("several exports of one pg_stat_statements: what was executed between the first and the last")
    part = Part(
        findings=tuple(inspection.findings()),
        unread=tuple([UnreadPart(path, 1, why, fatal=True) for path, why in workload.unread]),
        crashed=tuple(dict.fromkeys(inspection.crashed)),
        statements=calls,
        files=len(paths),
        notes=tuple(dict.fromkeys(notes)),
        subjects=frozenset(["Unit"]),
    )
    return Looked(part, shapes.told, totals, code, shapes.variants)


class Listed(Record):
    """A workload for `dbguard queries`: the shapes that took the most time first, then those with the most calls."""

    shapes: tuple[Told, ...]
    notes: tuple[str, ...] = ()


def list_queries(config: Config, paths: Iterable[str], database: str | None = None) -> Listed:
    """The shapes of captures, logs and query files, with the names of the rules that found something.

    With `database`, a connection string, also those that its pg_stat_statements has. Raises `UnreadableSource` and `ServerError`.
    """
    selection = from_config(config)
    paths = list(paths)
    reading = read_all(config, paths) if paths else Reading(())
    if reading.schema is None and database is not None:
        reading = reading._replace(schema=schema_of(Desk(config, relative=True), config.schema))
    totals, notes = _counted(database) if database is not None else ([], ())
    looked = look(reading, config, selection, more=totals) if reading.workload or totals else Looked(Part())
    for problem in (*reading.unreadable, *looked.part.unread):
        raise UnreadableSource(f"{problem.path}: {problem.reason}")
    found: dict[str, dict[str, None]] = {}
    for finding in looked.part.findings:
        found.setdefault(finding.shape, {})[finding.rule] = None
    told = [one._replace(findings=tuple(found.get(one.shape, ()))) for one in looked.shapes.values()]
    told += [_written(one) for one in query_report(reading, config, selection).judged]
    return Listed(tuple(sorted(told, key=lambda one: (-(one.seconds or 0), -one.calls, one.sql))), (*looked.part.notes, *notes))


def _counted(database: str) -> tuple[list[Total], tuple[str, ...]]:
    from dbguard.postgres.session import open_read_only
    from dbguard.postgres.statements import read_totals

    with open_read_only(database or None) as connection:
        return read_totals(connection)


def _written(judged: Judged) -> Told:
    """A query that was read from a file."""
    written = judged.written
    place = Frame(written.source.path, Lines(written.source.text).at(written.start)[0], written.name)
    return Told(judged.step.shape, written.sql, places=(place,), findings=tuple(dict.fromkeys(one.rule for one in judged.findings)))


def _place(told: Told) -> tuple[str, int]:
    """Where a query was sent from, or where a log first has it."""
    return told.places[0][:2] if told.places else told.seen


def _on_query(inspection: QueryInspection, told: Told, step: QueryStep) -> Iterator[Finding]:
    """What is wrong with a query by itself."""
    path, line = _place(told)
    if not path:
        return
    for finding in inspection.findings(step):
        yield finding._replace(
            line=max(line, 1),
            end_line=max(line, 1),
            excerpt=told.sql[:2_000],
            calls=told.calls,
            units=told.units,
            places=tuple([(one.path, one.line, one.function) for one in told.places]),
        )
