"""`dbguard explain`: what a query does, how much it reads, how that grows, and what would help.

In: queries, and where to plan them: a database, a ghost of a snapshot, or plans that somebody has. Out: an `Explanation`.
Nothing is executed unless that is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dbguard.config import Config
from dbguard.errors import UsageError
from dbguard.model.explained import NOT_EXECUTED, Asked, Explained, Explanation
from dbguard.model.finding import Finding, Severity
from dbguard.model.plan import Plan, PlanStep, Sample, Size, nodes
from dbguard.model.plan_questions import relation
from dbguard.model.record import Record
from dbguard.model.schema import Schema
from dbguard.model.snapshot import Snapshot
from dbguard.pipelines.explain_asked import Given, asked, text_of
from dbguard.pipelines.plans_inspect import PlanInspection, plan_step
from dbguard.planning import growth, sweep
from dbguard.planning.hidden_columns import Hidden
from dbguard.planning.plans import cut_off, read_plans
from dbguard.planning.sentence import sentence
from dbguard.planning.times import UNCALIBRATED, Times, seconds
from dbguard.planning.times import load as load_times
from dbguard.rulebook.select import from_config

_MORE = "growth and indexes are tried on a ghost: `dbguard snapshot -o FILE` of this database, then --snapshot FILE"
MOST_SWEPT = 50  # queries of one run whose parameters are swept and that are planned at other sizes


class Wishes(Record):
    """What shall be done. A database and a snapshot exclude each other."""

    database: str | None = None  # connection string; "" for the environment's
    snapshot: str | None = None  # path
    plan: str | None = None  # path of a plan, or `-`
    analyze: bool = False
    disposable: bool = False
    calibration: str | None = None  # path
    budget: int | None = None  # bytes of indexes
    sweep: bool = True
    grow: bool = True
    advise: bool = True


class Planned(Record):
    """A query as the server planned it."""

    asked: Asked
    plan: Plan | None = None
    samples: tuple[Sample, ...] = ()
    sampled: tuple[Plan, ...] = ()  # the plan of each sample
    assumes: tuple[str, ...] = ()
    unread: str = ""


class Around(Record):
    """What is known besides the plans."""

    sizes: Mapping[str, Size] = {}
    schema: Schema | None = None
    settings: Mapping[str, str] = {}


def explain(
    config: Config,
    things: Iterable[str] = (),
    wishes: Wishes = Wishes(),  # noqa: B008 - immutable
    *,
    database: str | None = None,
    snapshot: str | None = None,
    plan: str | None = None,
    standard_input: str | None = None,
) -> Explanation:
    """Explain queries (texts, files, captures), or plans that somebody has.

    `database` (a connection string), `snapshot` and `plan` (paths) say where plans come from, and go before `wishes`. Raises
    UsageError if nothing says where to plan or a text is no query, UnreadableSource, ServerError.
    """
    wishes = wishes._replace(database=database or wishes.database, snapshot=snapshot or wishes.snapshot, plan=plan or wishes.plan)
    times = load_times(Path(config.cwd, wishes.calibration)) if wishes.calibration else UNCALIBRATED
    things = list(things)
    if wishes.plan is not None:
        return _of_plans(config, wishes.plan, things, times, standard_input)
    given = asked(config, things, standard_input)
    if wishes.snapshot is not None:
        from dbguard.pipelines.explain_ghost import on_ghost

        return on_ghost(config, given, wishes, times)
    return _on_database(config, given, wishes, times)


def _of_plans(config: Config, path: str, things: list[str], times: Times, standard_input: str | None) -> Explanation:
    """Plans that somebody has. The query may be given beside a single plan."""
    shown = "<stdin>" if path == "-" else path
    plans = read_plans(standard_input or "" if path == "-" else text_of(Path(config.cwd, path), path))
    sql = things[0] if len(things) == 1 and len(plans) == 1 else ""
    planned = []
    for number, plan in enumerate(plans, 1):
        missing = cut_off(plan)
        assumes = (f"the plan was cut off: a {missing} has less input than it needs, and nothing is said of what is missing",) if missing else ()
        planned.append(Planned(Asked(f"plan {number}" if len(plans) > 1 else "", plan.sql or sql, shown, 1, plan=plan), plan, assumes=assumes))
    return finished(config, Given(), planned, Around(), times)


def _on_database(config: Config, given: Given, wishes: Wishes, times: Times) -> Explanation:
    from dbguard.postgres.connect import VARIABLE
    from dbguard.postgres.explain import PLANNING, planning, sizes
    from dbguard.postgres.session import open_read_only

    if wishes.database is None and not os.environ.get(VARIABLE):
        raise UsageError(f"where shall it be planned? Give --snapshot FILE, --database DSN (or set {VARIABLE}), or --plan FILE")
    with ExitStack() as stack:
        connection = stack.enter_context(open_read_only(wishes.database or None, limits=PLANNING, application="dbguard explain"))
        planned = plan_all(connection, given.queries, wishes, check_functions=True)
        notes = unswept(planned, wishes._replace(grow=False))
        with planning(connection):
            around = Around(sizes(connection, [one.plan for one in planned if one.plan is not None]))
        if wishes.analyze:
            planned = [_executed(connection, one, wishes) for one in planned]
    found = finished(config, given, planned, around, times, notes=notes)
    return found._replace(notes=(*found.notes, _MORE)) if any(one.findings for one in found.queries) and (wishes.grow or wishes.advise) else found


def unswept(planned: Sequence[Planned], wishes: Wishes) -> list[str]:
    """What is left out because there are too many queries."""
    left = [what for what, is_wished in (("choices of values", wishes.sweep), ("more data", wishes.grow)) if is_wished]
    if len(planned) <= MOST_SWEPT or not left:
        return []
    return [f"these are {len(planned):,} queries: only of up to {MOST_SWEPT} at a time is each planned for {' and for '.join(left)}"]


def plan_all(
    connection: Any, queries: Iterable[Asked], wishes: Wishes, *, check_functions: bool = False, hidden: Hidden | None = None
) -> list[Planned]:
    """Each query planned for any values, and for choices of values. `hidden` says what a ghost's statistics do not hold."""
    queries = list(queries)
    sweeps = wishes.sweep and len(queries) <= MOST_SWEPT
    return [_plan(connection, one, hidden, sweeps=sweeps, check_functions=check_functions) for one in queries]


def _plan(connection: Any, one: Asked, hidden: Hidden | None, *, sweeps: bool, check_functions: bool) -> Planned:
    from dbguard.parsing.explainable import explainable
    from dbguard.postgres.called_functions import folded_functions
    from dbguard.postgres.column_values import column_values
    from dbguard.postgres.explain import plan, planning, plans_with, prepared_on_ghost

    assumes: list[str] = []
    try:
        query = explainable(one.sql)
        with planning(connection):
            if check_functions:
                named, refused = folded_functions(connection, query)
                if refused:
                    return Planned(one, unread=f"planning it may call {', '.join(refused)}, which is in a language that can do anything")
                assumes += [f"planning calls {name}, which is marked as not volatile" for name in named]
            ready = prepared_on_ghost(connection, query, hidden)
            found = plan(connection, ready, name=one.name)
            samples: list[Sample] = []
            plans: list[Plan] = []
            if sweeps and ready.query.parameters:
                bound = sweep.bounds(found)
                known = column_values(connection, {(each.relation, each.column) for each in bound.values()})
                choices = sweep.choices(bound, ready.types, known, query.parameters)
                made = plans_with(connection, ready, [choice.values for choice in choices], name=one.name) if choices else []
                pairs = [(choice, each) for choice, each in zip(choices, made, strict=True) if each is not None]
                if pairs:
                    samples = [sweep.sample(None, found), *(sweep.sample(choice, each) for choice, each in pairs)]
                    plans = [found, *(each for _, each in pairs)]
        if query.parameters:
            assumes.append("parameters are not known: the plan is that for any values")
        assumes += ready.assumes
        return Planned(one, found, tuple(samples), tuple(plans), tuple(assumes))
    except UsageError as error:
        return Planned(one, unread=str(error))


def _executed(connection: Any, one: Planned, wishes: Wishes) -> Planned:
    from dbguard.postgres.explain import EXECUTING, analyzed, planning, prepared, trying

    if one.plan is None:
        return one
    try:
        with trying(connection) if wishes.disposable else planning(connection, EXECUTING):
            return one._replace(plan=analyzed(connection, prepared(connection, one.asked.sql), name=one.asked.name, disposable=wishes.disposable))
    except UsageError as error:
        return one._replace(assumes=(f"{NOT_EXECUTED}{error}", *one.assumes))


def finished(
    config: Config,
    given: Given,
    planned: Iterable[Planned],
    around: Around,
    times: Times,
    *,
    grown: Mapping[int, Mapping[float, Plan]] = {},
    notes: Iterable[str] = (),
) -> Explanation:
    """Plans to an explanation: findings, sentences, verdicts. `grown` has the plans at other sizes, by place of the query."""
    selection = from_config(config)
    inspection = PlanInspection(selection)
    found = []
    for place, one in enumerate(planned):
        if one.plan is None:
            found.append(Explained(one.asked, verdict="unknown", unread=one.unread))
            continue
        step = plan_step(one.plan, sizes=around.sizes, schema=around.schema, settings=around.settings, samples=one.samples, path=one.asked.path)
        explained = _explained(one, step, inspection, times, grown.get(place, {}))
        found.append(_with_samples(explained, one, step, inspection))
    worst = max((finding.severity for one in found for finding in one.findings), default=Severity.OFF)
    failed = bool(found) and all(one.plan is None for one in found)
    notes = [*given.notes, *notes]
    if not times.calibrated and any(one.seconds for one in found):
        notes.append("times come from cost by a line that is not this server's: calibrate it with --calibrate LOG")
    code = 3 if inspection.crashed or failed else 1 if worst >= Severity.ERROR else 0
    return Explanation(tuple(found), (), tuple(dict.fromkeys(notes)), given.unread, tuple(inspection.crashed), code)


def _explained(one: Planned, step: PlanStep, inspection: PlanInspection, times: Times, grown: Mapping[float, Plan]) -> Explained:
    assert one.plan is not None
    findings = inspection.findings(step, line=one.asked.line)
    grows = growth.growth({1.0: one.plan, **grown}) if grown else ()
    sentences = growth.words(grows, one.plan, times, grown=grown, sizes=step.sizes)
    return _judged(
        Explained(
            asked=one.asked,
            plan=one.plan,
            measures=step.measures,
            findings=findings,
            sentence=sentence(step, sentences),
            growth=grows,
            grows=sentences[1:],
            samples=one.samples,
            assumes=(*one.assumes, *_guesses(step)),
            seconds=None if one.plan.executed or not one.plan.cost else seconds(one.plan.cost, times),
        )
    )


def _guesses(step: PlanStep) -> list[str]:
    """Sentences on tables of a plan of which the planner knows nothing."""
    found = []
    for full, name in {node.relation: relation(node) for node in nodes(step.plan.root) if node.relation}.items():
        known = step.sizes.get(full)
        if known is not None and known.guessed:
            found.append(f"`{name}` was never analyzed, so rows and costs are a guess: run ANALYZE {name}")
        elif known is not None and not known.pages and not known.whole:
            found.append(f"`{name}` is empty here: rows and costs say nothing of how it will be")
    return found


def _with_samples(explained: Explained, one: Planned, step: PlanStep, inspection: PlanInspection) -> Explained:
    """With what is wrong for some values only. The values stand before the message, as ranks."""
    told = {finding.rule for finding in explained.findings}
    seen: set[tuple[str, float]] = set()
    more: list[Finding] = []
    for sample, plan in sorted(zip(one.samples, one.sampled, strict=False), key=lambda pair: -pair[0].cost):
        if sample.generic or sample.absent or (sample.shape, sample.rows) in seen:
            continue
        seen.add((sample.shape, sample.rows))
        own = plan_step(sweep.without_values(plan), sizes=step.sizes, schema=step.schema, settings=step.settings, path=step.path)
        for finding in inspection.findings(own, line=one.asked.line):
            if finding.rule not in told:
                told.add(finding.rule)
                more.append(finding._replace(message=f"for {' and '.join(sample.values)}: {finding.message}"))
    return _judged(explained._replace(findings=(*explained.findings, *more))) if more else explained


def _judged(explained: Explained) -> Explained:
    worst = max((finding.severity for finding in explained.findings), default=Severity.OFF)
    reasons = tuple(dict.fromkeys(finding.rule for finding in explained.findings if finding.severity >= Severity.WARNING))
    return explained._replace(verdict="stop" if worst is Severity.ERROR else "review" if worst is Severity.WARNING else "safe", reasons=reasons)


def schema_of(snapshot: Snapshot) -> Schema:
    """The schema of a snapshot, replayed from its DDL."""
    from dbguard.model.source import Source
    from dbguard.pipelines.locks import base_state

    return base_state(Source("snapshot", snapshot.schema), max(snapshot.major, 13)).schema
