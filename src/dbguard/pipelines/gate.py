"""The hallway of `dbguard gate`: pending migrations x captured queries x a snapshot of production, in one run and to one verdict.

    read -> what is pending -> replay -> risk of each step -> queries before and after -> findings, budgets -> verdict

Nothing is computed twice: a run on the same files with the same configuration answers from the cache.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice

from dbguard.cache import Cache
from dbguard.config import Config
from dbguard.errors import ServerError
from dbguard.judgement import COULD_NOT_LOOK
from dbguard.model.finding import Finding, Result, Severity, Summary, UnreadPart
from dbguard.model.record import Record
from dbguard.model.snapshot import Snapshot
from dbguard.model.source import Lines, Parsed, Source
from dbguard.model.state import State, Step
from dbguard.model.verdict import VERDICTS, Gate, QueryRisk, StepRisk
from dbguard.parsing import parse
from dbguard.pipelines.before import begun, first_reported, state_before
from dbguard.pipelines.gate_budgets import budgets_of, exceeded
from dbguard.pipelines.gate_ghost import Opening
from dbguard.pipelines.gate_key import key_of
from dbguard.pipelines.gate_pending import Asked, pending_of
from dbguard.pipelines.gate_reasons import counterfactual, of_gate, with_harm, with_reasons, worst
from dbguard.pipelines.gate_rows import reached
from dbguard.pipelines.gate_settings import settings_of
from dbguard.pipelines.gate_workload import Captured, captured
from dbguard.pipelines.inspect import Inspection
from dbguard.pipelines.locks import base_state
from dbguard.pipelines.measure import Measure, context_of, large_tables, of_its_version, programs_of, snapshot_of, tiny_tables, traced, with_rates
from dbguard.pipelines.part import Part, part_of, result_of
from dbguard.pipelines.pending import is_on
from dbguard.planning.risk import Context, Judged
from dbguard.reading import History, Reading
from dbguard.replay import replay
from dbguard.rulebook.select import Selection, from_config

MEASURED_CATEGORIES = {"locks", "rewrites"}  # of findings whose weight the risk of their step tells
Progress = Callable[[str], None]


class Project(Record):
    """What a gate looks at. `settled` is the configuration with the tables that the snapshot shows to be tiny."""

    config: Config
    settled: Config
    selection: Selection
    reading: Reading
    assumes: tuple[str, ...]  # of what is pending
    snapshot: Snapshot | None
    sources: tuple[str, ...]


class Change(Record):
    """What one history has pending."""

    history: History
    before: State
    steps: tuple[Step, ...]
    judged: tuple[Judged, ...]
    part: Part
    risks: tuple[StepRisk, ...]
    assumes: tuple[str, ...] = ()
    unparsed: tuple[str, ...] = ()  # a sentence for each statement that is no SQL


def gate(
    config: Config,
    paths: Iterable[str] = (),
    *,
    workload: Sequence[str] = (),
    since: str | None = None,
    fail_on: str | None = None,
    environment: Mapping[str, str] | None = None,
    progress: Progress = lambda _: None,
) -> Gate:
    """The verdict on what is pending.

    Pending is what the snapshot does not have applied; where it does not tell, what changed since `since`; else files among `paths`; else what
    the CI of `environment` (by default the variables of this process) or git tells. Raises `UsageError`, `ConfigError`, and `UnreadableSource`
    for a snapshot that cannot be read. What could not be looked at otherwise is in the gate, with exit code 3.
    """
    began = time.perf_counter()
    fail_on = fail_on or settings_of(config).fail_on
    snapshot = snapshot_of(config)
    if snapshot is not None:
        config = of_its_version(config, snapshot)
    sources = _workload(config, workload)
    reading, assumes, _ = pending_of(Asked(config, tuple(paths), since, sources, os.environ if environment is None else environment), snapshot)
    if snapshot is not None:
        reading = reading._replace(large_tables=large_tables(snapshot))
    cache = Cache.of_user(config.cache)
    key = key_of(config, reading, sources, assumes)
    known = cache.load(key) if cache.is_on else None
    if not isinstance(known, Gate):
        settled = config if snapshot is None else config._replace(small_tables=(*config.small_tables, *tiny_tables(snapshot)))
        known = _looked(Project(config, settled, from_config(settled), reading, assumes, snapshot, sources), progress)
        if known.exit_code != COULD_NOT_LOOK:
            cache.save(key, known)
    if known.exit_code != COULD_NOT_LOOK:
        known = known._replace(exit_code=int(VERDICTS.index(known.verdict) >= VERDICTS.index(fail_on)))
    return known._replace(seconds=round(time.perf_counter() - began, 3))


def _looked(project: Project, progress: Progress) -> Gate:
    config, reading, snapshot, selection = project.config, project.reading, project.snapshot, project.selection
    progress("reading queries")
    queries = captured(project.settled, project.sources, reading, selection)
    progress("looking at migrations")
    with ExitStack() as stack:
        opening = None if snapshot is None else Opening(snapshot, stack, programs_of(config))
        changes = [_change(history, project, queries, opening) for history in reading.histories]
        progress("planning queries")
        risks, unplanned, query_notes, orphaned = _queries(project, changes, queries, opening, progress)
    result = _judged([*(change.part for change in changes), queries.part], reading, project.settled, selection)
    steps = with_harm([risk for change in changes for risk in change.risks], risks)
    budgets = budgets_of(config, queries, risks)
    findings = tuple(finding for finding in result.findings if finding.severity >= Severity.WARNING)
    crashed = [UnreadPart("dbguard", 1, crash, fatal=True) for crash in result.crashed]
    unread = (*_without_broken(result.unread, risks), *crashed, *unplanned)
    unseen = [f"{part.path}:{part.line} was not looked at: {part.reason}" for part in unread if part.fatal]
    unparsed = [sentence for change in changes for sentence in change.unparsed]
    verdicts = [*(step.verdict for step in steps), *(one.verdict for one in risks), *map(_verdict_of, findings)]
    return Gate(
        verdict=worst([*verdicts, *exceeded(budgets, "review"), *("review" for _ in (*unseen, *unparsed))]),
        reasons=of_gate(steps, risks, [one for one in findings if _verdict_of(one) != "safe"], [*unseen, *unparsed, *exceeded(budgets)]),
        steps=steps,
        queries=risks,
        findings=findings,
        budgets=budgets,
        unread=unread,
        assumes=(*project.assumes, *_assumes(config, snapshot, changes)),
        notes=tuple(dict.fromkeys((*reading.notes, *queries.part.notes, *query_notes, *orphaned))),
        postgres=config.postgres,
        exit_code=COULD_NOT_LOOK if unseen else 0,
    )


def _workload(config: Config, given: Sequence[str]) -> tuple[str, ...]:
    """Paths of captures, logs and query files: those given, else those configured, else where captures are written."""
    from dbguard.reading.asked import CAPTURES

    if given:
        return tuple(given)
    root = os.path.relpath(config.root, config.cwd)
    configured = settings_of(config).workload
    if configured:
        return tuple([os.path.normpath(os.path.join(root, path)) for path in configured])  # noqa: PTH118
    return (os.path.normpath(os.path.join(root, CAPTURES)),) if os.path.isdir(os.path.join(config.root, CAPTURES)) else ()  # noqa: PTH112, PTH118


def _change(history: History, project: Project, queries: Captured, opening: Opening | None) -> Change:
    """What the pending migrations of one history do, step by step."""
    config, selection = project.config, project.selection
    snapshot = project.snapshot if is_on(history, config.snapshot) else None
    postgres = history.postgres or config.postgres
    first = first_reported(history.scripts, [history.asks_for(script) for script in history.scripts])
    start = begun(history, config, State() if history.base is None else _base(history.base, config))
    state = state_before(history.scripts[:first], start, postgres[1], Cache.of_user(config.cache))
    parsed = [parse(script) for script in history.scripts[first:]]
    context = context_of(snapshot, config, state, queries.sent, measured=traced(config))
    measure, assumes = _measured(replay(parsed, state, postgres[1], history.asks_for), context, snapshot, opening)
    inspection = Inspection(selection, postgres, measure if snapshot is not None else None)
    findings = dict.fromkeys(inspection.findings(measure.steps))
    part = part_of([one for one in parsed if history.asks_for(one.script)], findings, inspection.crashed)
    judged = measure.judged
    later = [islice(judged, place, None) for place in range(1, len(judged) + 1)]
    risks = tuple([with_reasons(one, context, _instead(one, selection, context, postgres), after) for one, after in zip(judged, later, strict=True)])
    unparsed = tuple(_unparsed([one for one in parsed if history.asks_for(one.script)]))
    return Change(history, state, tuple(measure.steps), tuple(measure.judged), part, risks, assumes, unparsed)


def _unparsed(pending: Iterable[Parsed]) -> Iterator[str]:
    """What no server would take as it stands, or only after a tool has filled it in. Python that does not run is another thing."""
    for one in pending:
        if one.script.blocks or one.script.direction == "down":
            continue
        for statement in one.statements:
            if statement.unread and not statement.operations:
                line = Lines(one.script.source.text).at(statement.unread[0].start)[0]
                yield f"{one.script.source.path}:{line} was not looked at: {statement.unread[0].reason}"


def _measured(steps: Iterable[Step], context: Context, snapshot: Snapshot | None, opening: Opening | None) -> tuple[Measure, tuple[str, ...]]:
    """The risk of steps, with the planner's numbers of rows where it has some; and what was assumed for those."""
    fresh = context.sizes.copy()
    measure = Measure(steps, context)
    if snapshot is None or opening is None:
        return measure, ()
    try:
        rows, assumes = reached(measure.judged, snapshot, opening)
    except ServerError as error:
        return measure, (f"how many rows a migration changes was not asked of a planner: {error}",)
    return (Measure(measure.steps, context._replace(sizes=fresh, rows=rows)), assumes) if rows else (measure, ())


def _instead(judged: Judged, selection: Selection, context: Context, postgres: tuple[int, int]) -> str:
    """What the recipe of the rules that fire on a step would change."""
    if judged.risk.verdict == "safe":
        return ""
    as_sql = [step._replace(script=step.script._replace(way="")) for step in judged.steps]
    findings = list(Inspection(selection, (postgres[1], postgres[1])).findings(as_sql))
    return counterfactual(judged, [one for one in findings if one.category in MEASURED_CATEGORIES], context, postgres[1])


def _base(base: Source, config: Config) -> State:
    """The state that a schema leaves, remembered between runs."""
    import hashlib

    cache = Cache.of_user(config.cache)
    key = "base" + hashlib.sha256(f"{config.postgres[1]}\n{base.text}".encode(errors="replace")).hexdigest()
    known = cache.load(key)
    if isinstance(known, State):
        return known
    state = base_state(base, config.postgres[1])
    cache.save(key, state)
    return state


def _queries(
    project: Project, changes: Sequence[Change], queries: Captured, opening: Opening | None, progress: Progress
) -> tuple[tuple[QueryRisk, ...], tuple[UnreadPart, ...], tuple[str, ...], tuple[str, ...]]:
    """Queries before and after; on a ghost where there is a snapshot, else by names alone."""
    from dbguard.pipelines import gate_queries

    config, snapshot = project.config, project.snapshot
    sent = with_rates(queries.sent, snapshot)
    if not sent:
        return (), (), ("no queries were captured: only the migrations were looked at",), ()
    if snapshot is None or opening is None:
        risks = gate_queries.by_names(sent, changes)
        return risks, (), ("without a snapshot no query is planned: that names are found is all that was looked at",), ()
    try:
        planned = gate_queries.on_ghost(sent, changes, snapshot, config, opening=opening, progress=progress)
    except ServerError as error:
        return gate_queries.by_names(sent, changes), (UnreadPart(config.snapshot, 1, str(error), fatal=True),), (), ()
    return planned.risks, (), planned.notes, planned.orphans


def _judged(parts: Sequence[Part], reading: Reading, config: Config, selection: Selection) -> Result:
    read = Result(unread=reading.unreadable, summary=Summary(), notes=())
    return result_of(list(parts), read, config, selection, 0.0)


def _without_broken(unread: Sequence[UnreadPart], risks: Sequence[QueryRisk]) -> tuple[UnreadPart, ...]:
    """A query that breaks is reported as that, not as one whose names were not found."""
    broken = {place[:2] for risk in risks if risk.breaks for place in risk.places}
    return tuple([part for part in unread if (part.path, part.line) not in broken])


def _verdict_of(finding: Finding) -> str:
    """How a finding weighs: what locks and rewrites cost, the risk of the step tells; of queries every new finding is to be reviewed."""
    if finding.category in MEASURED_CATEGORIES:
        return "safe"
    if finding.severity >= Severity.ERROR or (finding.severity >= Severity.WARNING and (finding.shape or finding.calls)):
        return "review"
    return "safe"


def _assumes(config: Config, snapshot: Snapshot | None, changes: Sequence[Change]) -> Iterable[str]:
    if snapshot is None:
        yield "there is no snapshot: the verdict rests on locks, rewrites and scans alone, and tables are taken to be large and in use"
    else:
        yield from snapshot.hidden
        if not snapshot.seconds and not snapshot.statements_seconds:
            yield f"{config.snapshot} does not say over which time it counted: how many queries wait is not known"
    for change in changes:
        yield from change.assumes
        for judged in change.judged:
            yield from judged.risk.effects.unknown
