"""Captured queries before and after the pending migrations: which fail, which get slower, and which step does it.

Where there is a snapshot they are planned on its ghost, before and after; each that differs is traced to its step by halving. Without one,
names alone are looked up in the schema before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dbguard.config import Config
from dbguard.model.record import Record
from dbguard.model.snapshot import Snapshot
from dbguard.model.verdict import Growth, QueryRisk
from dbguard.parsing.query import read_query
from dbguard.pipelines.gate_reasons import A_DAY, named_query, of_change
from dbguard.pipelines.gate_settings import settings_of
from dbguard.pipelines.gate_steps import Answer, Place, Refused, accepted, ask_all, blame, differs, places_of
from dbguard.pipelines.measure import programs_of
from dbguard.pipelines.pending import is_on
from dbguard.planning.hidden_columns import Hidden
from dbguard.planning.risk import Thresholds
from dbguard.planning.risk_breaks import insert_of, left_out, message
from dbguard.planning.risk_plans import change as compared
from dbguard.planning.risk_plans import orphans, shape, verdict
from dbguard.planning.risk_reads import Tables, tables_of
from dbguard.planning.risk_traffic import Sent
from dbguard.queries.resolve import resolve

if TYPE_CHECKING:
    from dbguard.pipelines.gate import Change
    from dbguard.pipelines.gate_ghost import Ghosts

SCALES = (10.0, 100.0)  # times the rows of today
MOST_GROWN = 20  # of those that are not safe
MOST_UNPLANNED = 10  # reasons that are told
MOST_PLANNED = 5_000  # shapes; those with the most calls first
Progress = Callable[[str], None]


class Planned(Record):
    risks: tuple[QueryRisk, ...]
    notes: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()


def by_names(sent: Sequence[Sent], changes: Sequence[Change]) -> tuple[QueryRisk, ...]:
    """Which queries name something that is gone, or leave out a column that must have a value."""
    return tuple([_by_names(risk_of(one), changes) for one in sent])


def _by_names(risk: QueryRisk, changes: Sequence[Change]) -> QueryRisk:
    broken = (_inserts(risk.sql, change) or _names(risk.sql, change) for change in changes)
    first = next(filter(None, broken), None)
    return risk if first is None else _broken(risk, *first)


def risk_of(one: Sent) -> QueryRisk:
    a_day = None if one.a_second is None else one.a_second * A_DAY
    spent = None if a_day is None or one.mean is None else a_day * one.mean
    return QueryRisk(one.shape, one.sql, one.name, one.places, one.calls, a_day, spent)


def _names(sql: str, change: Change) -> tuple[str, tuple[str, int]] | None:
    """What is not found any more, and the first statement after which it is not."""
    text = read_query(sql)
    places = places_of((change,))
    if not places or text.body is None or resolve(text, change.before).unread:
        return None
    if not resolve(text, places[-1].after).unread:
        return None
    for place in places:
        if missing := resolve(text, place.after).unread:
            return missing[0], place.at
    return None


def _inserts(sql: str, change: Change) -> tuple[str, tuple[str, int]] | None:
    insert = insert_of(sql)
    places = places_of((change,))
    if insert is None or not places or left_out(insert, change.before, places[-1].after) is None:
        return None
    for place in places:
        if (column := left_out(insert, change.before, place.after)) is not None:
            return message(column, insert, place.after), place.at
    return None


def on_ghost(
    sent: Sequence[Sent], changes: Sequence[Change], snapshot: Snapshot, config: Config, *, opening: Callable[[], Ghosts], progress: Progress
) -> Planned:
    """Every shape planned before and after. Raises `ServerError` if no server starts."""
    from dbguard.pipelines.gate_ghost import hidden_of

    asked = sorted(sent, key=lambda one: -(one.a_second or 0.0) * A_DAY - one.calls)[:MOST_PLANNED]
    own = tuple([change for change in changes if is_on(change.history, config.snapshot)])
    places = places_of(own)
    statements = [place for place in places if not place.judged.risk.effects.fails]
    ghost = opening()
    ghost.hidden = hidden_of(snapshot, places[-1].after.schema if places else None)
    progress(f"planning {len(asked)} queries")
    before, after, refused = ask_all(ghost.before(), asked), None, list[str]()
    if statements:
        try:
            after = ask_all(ghost.after([place.text for place in statements]), asked)
        except Refused:
            statements, refused = accepted(ghost.after, statements)
            after = ask_all(ghost.after([place.text for place in statements]), asked) if statements else None
    after = before if after is None else after
    differing = [one for one in asked if differs(before[one.shape], after[one.shape])]
    blamed: dict[str, Place] = {}
    if differing:
        progress(f"looking for the steps that change {len(differing)} queries")
        blame(ghost.after, statements, differing, before, blamed)
    judge = Judge(own, tuple(changes), settings_of(config).thresholds, tables_of(snapshot), bool(refused))
    risks = [_risk(one, (before[one.shape], after[one.shape]), blamed.get(one.shape), judge) for one in asked]
    risks = [risk._replace(assumes=(*risk.assumes, *assumed)) if (assumed := ghost.assumed(risk.sql)) else risk for risk in risks]
    grown = [risk for risk in risks if risk.verdict != "safe" and not risk.breaks][:MOST_GROWN]
    if grown:
        progress(f"growing {len(grown)} queries")
        growth = _growth(grown, snapshot, [place.text for place in statements], ghost.hidden, programs_of(config))
        risks = [risk._replace(growth=growth.get(risk.shape, ())) for risk in risks]
    notes = [*ghost.lost, *refused]
    if len(asked) < len(sent):
        notes.append(f"{len(sent) - len(asked)} shapes with the fewest calls were not planned")
    notes += _unplanned(risks)
    return Planned(tuple(risks), tuple(notes), tuple(_orphans(before, after)))


class Judge(Record):
    """What queries are judged by."""

    own: tuple[Change, ...]  # of the database that the snapshot is of
    changes: tuple[Change, ...]
    limits: Thresholds
    tables: Tables
    by_names: bool = False  # not all that is pending ran on the ghost


def _risk(one: Sent, answers: tuple[Answer, Answer], place: Place | None, judge: Judge) -> QueryRisk:
    before, after = answers
    risk = risk_of(one)._replace(before=None if isinstance(before, str) else before, after=None if isinstance(after, str) else after)
    if isinstance(before, str):
        return _by_names(risk._replace(unplanned=before), judge.changes)
    at = place.at if place is not None else None
    if isinstance(after, str):
        return _broken(risk, after, at)
    for change in judge.own:
        broken = _inserts(one.sql, change) or (_names(one.sql, change) if judge.by_names else None)
        if broken is not None:
            return _broken(risk, *broken)
    found = compared(before, after, judge.tables)
    said = verdict(found, judge.limits.review_slower, judge.limits.stop_slower, one.a_second or 0.0)
    reasons = of_change(risk, found, "", at) if said != "safe" or found.lost else ()
    return risk._replace(verdict=said, reasons=reasons, changed_by=at if said != "safe" else None)


def _broken(risk: QueryRisk, why: str, at: tuple[str, int] | None) -> QueryRisk:
    return risk._replace(breaks=why, changed_by=at, verdict="stop", reasons=of_change(risk, None, why, at))


def _growth(
    risks: Sequence[QueryRisk], snapshot: Snapshot, statements: Sequence[str], hidden: Hidden | None, programs: str | None
) -> dict[str, tuple[Growth, ...]]:
    """Cost and rows after the change, with the rows of today and with more."""
    from dbguard.pipelines.gate_ghost import ghost_of

    found: dict[str, list[Growth]] = {}
    for scale in SCALES:
        opened = ghost_of(snapshot, scale=scale, hidden=hidden, programs=programs)
        with opened as ghost, ghost.after(statements) if statements else ghost.before() as ask:
            for risk in risks:
                plan = ask(risk.sql)
                if not isinstance(plan, str) and risk.after is not None:
                    today = found.setdefault(risk.shape, [Growth(1.0, risk.after.cost, risk.after.rows, True)])
                    today.append(Growth(scale, plan.cost, plan.rows, shape(plan.root) == shape(risk.after.root)))
    return {shape_: tuple(points) for shape_, points in found.items()}


def _unplanned(risks: Sequence[QueryRisk]) -> Iterator[str]:
    """What was not planned, by reason: of a query whose extension or schema is missing only the names are looked up."""
    reasons: dict[str, list[QueryRisk]] = {}
    for risk in risks:
        if risk.unplanned:
            reasons.setdefault(risk.unplanned, []).append(risk)
    ordered = sorted(reasons.items(), key=lambda reason: -len(reason[1]))
    for why, alike in ordered[:MOST_UNPLANNED]:
        named = ", ".join(map(named_query, alike[:3]))
        more = f" and {len(alike) - 3} more" if len(alike) > 3 else ""
        yield f"not planned, only its names were looked up: {named}{more}: {why}"
    if left := ordered[MOST_UNPLANNED:]:
        yield f"{sum(len(alike) for _, alike in left)} more queries were not planned, for {len(left)} more reasons"


def _orphans(before: Mapping[str, Answer], after: Mapping[str, Answer]) -> Iterator[str]:
    both = [(one, other) for shape, one in before.items() if not isinstance(one, str) and not isinstance(other := after[shape], str)]
    for name in orphans([one for one, _ in both], [other for _, other in both])[:10]:
        yield f"index `{name}` is used by none of the captured queries any more"
