"""Captured queries before and after the pending migrations: which fail, which get slower, and which step does it.

Where there is a snapshot they are planned on its ghost, before and after; each that differs is traced to its step by halving. Without one,
names alone are looked up in the schema before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from dbguard.config import Config
from dbguard.model.plan import Plan
from dbguard.model.record import Record
from dbguard.model.snapshot import Snapshot
from dbguard.model.state import State
from dbguard.model.verdict import Growth, QueryRisk
from dbguard.parsing.query import read_query
from dbguard.pipelines.gate_reasons import of_change
from dbguard.pipelines.gate_settings import settings_of
from dbguard.planning.hidden_columns import Hidden, hidden_in
from dbguard.planning.risk import Judged, Thresholds
from dbguard.planning.risk_breaks import insert_of, left_out, message
from dbguard.planning.risk_plans import change as compared
from dbguard.planning.risk_plans import orphans, same, shape, verdict
from dbguard.planning.risk_seconds import Tables, tables_of
from dbguard.planning.risk_traffic import Sent
from dbguard.queries.resolve import resolve

if TYPE_CHECKING:
    from dbguard.pipelines.gate import Change

A_DAY = 86_400.0
SCALES = (10.0, 100.0)  # times the rows of today
MOST_GROWN = 20  # of those that are not safe
MOST_PLANNED = 5_000  # shapes; those with the most calls first
Progress = Callable[[str], None]
Answer = Plan | str
"""A plan, or PostgreSQL's message where it does not plan."""
Asker = Callable[[str], Answer]


class Planned(Record):
    risks: tuple[QueryRisk, ...]
    notes: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()


class Place(Record):
    """A pending statement with the state that it leaves."""

    judged: Judged
    before: State
    after: State

    @property
    def text(self) -> str:
        return self.judged.text

    @property
    def at(self) -> tuple[str, int]:
        return self.judged.risk.path, self.judged.risk.line


def places_of(changes: Sequence[Change]) -> list[Place]:
    return [Place(one, one.steps[0].before, one.steps[-1].after) for change in changes for one in change.judged]


def by_names(sent: Sequence[Sent], changes: Sequence[Change], config: Config) -> tuple[QueryRisk, ...]:
    """Which queries name something that is gone, or leave out a column that must have a value."""
    del config
    found = []
    for one in sent:
        risk = risk_of(one)
        for change in changes:
            broken = _inserts(one.sql, change) or _names(one.sql, change)
            if broken is not None:
                risk = _broken(risk, *broken)
                break
        found.append(risk)
    return tuple(found)


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


def on_ghost(sent: Sequence[Sent], changes: Sequence[Change], snapshot: Snapshot, config: Config, progress: Progress) -> Planned:
    """Every shape planned before and after. Raises `ServerError` if no server starts."""
    from dbguard.pipelines.gate_ghost import ghost_of

    asked = sorted(sent, key=lambda one: -(one.a_second or 0.0) * A_DAY - one.calls)[:MOST_PLANNED]
    statements = [place for place in places_of(changes) if not place.judged.risk.effects.fails]
    hidden = _hidden(snapshot, changes)
    with ghost_of(snapshot, hidden=hidden) as ghost:
        progress(f"planning {len(asked)} queries")
        before = _ask(ghost.before(), asked)
        after, failed = before, ""
        if statements:
            try:
                after = _ask(ghost.after([place.text for place in statements]), asked)
            except Refused as refusal:
                failed = f"the pending migrations do not run on the ghost, so queries were planned before them alone: {refusal}"
        differing = [one for one in asked if _differs(before[one.shape], after[one.shape])]
        blamed: dict[str, Place] = {}
        if differing and not failed:
            progress(f"looking for the steps that change {len(differing)} queries")
            _blame(ghost.after, statements, differing, before, blamed)
        lost = ghost.lost
        assumed = {one.shape: ghost.assumed(one.sql) for one in asked}
    judge = Judge(tuple(changes), settings_of(config).thresholds, tables_of(snapshot))
    risks = [_risk(one, (before[one.shape], after[one.shape]), blamed.get(one.shape), judge) for one in asked]
    risks = [risk._replace(assumes=(*risk.assumes, *assumed[risk.shape])) if assumed[risk.shape] else risk for risk in risks]
    grown = [risk for risk in risks if risk.verdict != "safe" and not risk.breaks][:MOST_GROWN]
    if grown and not failed:
        progress(f"growing {len(grown)} queries")
        growth = _growth(grown, snapshot, [place.text for place in statements], hidden)
        risks = [risk._replace(growth=growth.get(risk.shape, ())) for risk in risks]
    notes = [*lost, *([failed] if failed else [])]
    if len(asked) < len(sent):
        notes.append(f"{len(sent) - len(asked)} shapes with the fewest calls were not planned")
    notes += _unplanned(asked, before)
    return Planned(tuple(risks), tuple(notes), tuple(_orphans(before, after)))


def _hidden(snapshot: Snapshot, changes: Sequence[Change]) -> Hidden | None:
    """What the snapshot has no values of. Partial indexes that the pending migrations make count as well."""
    if snapshot.values == "full":
        return None
    from dbguard.pipelines.explain import schema_of

    places = places_of(changes)
    return hidden_in(snapshot, schema_of(snapshot), places[-1].after.schema if places else None)


class Refused(Exception):  # noqa: N818
    """The ghost's server refuses a pending migration; the text says why."""


def _ask(opened: AbstractContextManager[Asker], asked: Sequence[Sent]) -> dict[str, Answer]:
    with opened as ask:
        return {one.shape: ask(one.sql) for one in asked}


def _differs(before: Answer, after: Answer) -> bool:
    """Whether something can be told of a query: it fails now and did not, or its plan is another one or dearer."""
    if isinstance(before, str):
        return False
    if isinstance(after, str):
        return True
    return not same(compared(before, after))


def _same(one: Answer, other: Answer) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) == isinstance(other, str)
    return same(compared(one, other))


def _blame(
    after: Callable[[Sequence[str]], AbstractContextManager[Asker]],
    statements: Sequence[Place],
    differing: Sequence[Sent],
    before: Mapping[str, Answer],
    blamed: dict[str, Place],
) -> None:
    """For each query the first statement after which its plan is not what it was. Halving: queries that share a step share the work."""
    pending: list[tuple[int, int, Sequence[Sent]]] = [(0, len(statements), differing)]  # it is the same after `low` statements, not after `high`
    while pending:
        low, high, queries = pending.pop()
        if high - low == 1:
            blamed.update((one.shape, statements[low]) for one in queries)
            continue
        middle = (low + high) // 2
        try:
            now = _ask(after([place.text for place in statements[:middle]]), queries)
        except Refused:  # a part of a transaction that the server takes only whole
            blamed.update((one.shape, statements[high - 1]) for one in queries)
            continue
        later = [one for one in queries if _same(before[one.shape], now[one.shape])]
        earlier = [one for one in queries if one not in later]
        pending += [part for part in ((middle, high, later), (low, middle, earlier)) if part[2]]


class Judge(Record):
    """What queries are judged by."""

    changes: tuple[Change, ...]
    limits: Thresholds
    tables: Tables


def _risk(one: Sent, answers: tuple[Answer, Answer], place: Place | None, judge: Judge) -> QueryRisk:
    before, after = answers
    risk = risk_of(one)._replace(before=None if isinstance(before, str) else before, after=None if isinstance(after, str) else after)
    if isinstance(before, str):
        return risk._replace(assumes=(f"it was not planned: {before}",))
    at = place.at if place is not None else None
    if isinstance(after, str):
        return _broken(risk, after, at)
    for change in judge.changes:
        if (inserts := _inserts(one.sql, change)) is not None:
            return _broken(risk, *inserts)
    found = compared(before, after, judge.tables)
    said = verdict(found, judge.limits.review_slower, judge.limits.stop_slower, one.a_second or 0.0)
    reasons = of_change(risk, found, "", at) if said != "safe" or found.lost else ()
    return risk._replace(verdict=said, reasons=reasons)


def _broken(risk: QueryRisk, why: str, at: tuple[str, int] | None) -> QueryRisk:
    return risk._replace(breaks=why, broken_by=at, verdict="stop", reasons=of_change(risk, None, why, at))


def _growth(risks: Sequence[QueryRisk], snapshot: Snapshot, statements: Sequence[str], hidden: Hidden | None) -> dict[str, tuple[Growth, ...]]:
    """Cost and rows after the change, with the rows of today and with more."""
    from dbguard.pipelines.gate_ghost import ghost_of

    found: dict[str, list[Growth]] = {}
    for scale in SCALES:
        with ghost_of(snapshot, scale=scale, hidden=hidden) as ghost, ghost.after(statements) if statements else ghost.before() as ask:
            for risk in risks:
                plan = ask(risk.sql)
                if not isinstance(plan, str) and risk.after is not None:
                    today = found.setdefault(risk.shape, [Growth(1.0, risk.after.cost, risk.after.rows, True)])
                    today.append(Growth(scale, plan.cost, plan.rows, shape(plan.root) == shape(risk.after.root)))
    return {shape_: tuple(points) for shape_, points in found.items()}


def _unplanned(asked: Sequence[Sent], before: Mapping[str, Answer]) -> Iterator[str]:
    failed = [(one, answer) for one in asked if isinstance(answer := before[one.shape], str)]
    if failed:
        one, answer = failed[0]
        where = f" ({one.places[0][0]}:{one.places[0][1]})" if one.places else ""
        yield f"{len(failed)} of {len(asked)} shapes do not plan on the snapshot's schema, such as one{where}: {answer}"


def _orphans(before: Mapping[str, Answer], after: Mapping[str, Answer]) -> Iterator[str]:
    both = [(one, other) for shape, one in before.items() if not isinstance(one, str) and not isinstance(other := after[shape], str)]
    for name in orphans([one for one, _ in both], [other for _, other in both])[:10]:
        yield f"index `{name}` is used by none of the captured queries any more"
