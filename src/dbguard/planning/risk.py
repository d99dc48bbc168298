"""What each statement of a migration costs production: seconds under its lock, who waits for how long, and one verdict.

In: the steps of migrations, sizes, and the application's statements with their locks. Out: a `StepRisk` for each statement, and `Causes`,
the facts that led to its verdict (pipelines/gate_reasons.py puts them in words). A lock is held to the end of its transaction, so what
others wait for is the rest of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.model.record import Record
from dbguard.model.source import Lines, Merged
from dbguard.model.state import EndOfScript, EndOfTransaction, Lock, State, Step
from dbguard.model.times import milliseconds
from dbguard.model.verdict import VERDICTS, Seconds, StepRisk, Waiting
from dbguard.planning.lock_time import Calibration, Work, replica_lag, seconds, work_of
from dbguard.planning.risk_rows import changes_many
from dbguard.planning.risk_sizes import Sizes
from dbguard.planning.risk_traffic import Traffic
from dbguard.replay.effects import merge


class Thresholds(Record):
    """From when on a change is to be reviewed or stopped. docs/risk.md says why."""

    review_blocked: float = 1.0  # seconds that reads or writes wait at p90
    stop_blocked: float = 10.0
    review_slower: float = 2.0  # times the cost of the plan before
    stop_slower: float = 5.0
    review_rows: float = 100_000  # rows that one statement changes, and keeps locked


class Cause(Record):
    """Why a step is not safe, or what it rests on."""

    kind: str  # blocked, works (under the lock of an earlier statement), unknown, waits, rows, rows unknown, table dropped, index dropped, fails
    verdict: str
    relation: Name | None = None
    mode: LockMode | None = None
    seconds: Seconds | None = None
    a_second: float | None = None
    queries: float = 0.0
    waited: float = 0.0
    rows: float = 0.0
    text: str = ""
    line: int = 0  # of the statement that takes the lock, or of the one that keeps it long


class Judged(Record):
    """A statement with what led to its verdict."""

    risk: StepRisk
    causes: tuple[Cause, ...]
    steps: tuple[Step, ...]
    work: Work
    blocked: Mapping[str, float]  # seconds at p50 that "reads" and "writes" of tables in use wait

    @property
    def text(self) -> str:
        return self.steps[0].text


class Context(Record):
    """What production is like, as far as it is known."""

    sizes: Sizes
    traffic: tuple[Traffic, ...] = ()
    longest: float | None = None  # seconds: the longest transaction that was open
    thresholds: Thresholds = Thresholds()
    calibration: Calibration | None = None
    measured: Mapping[tuple[str, str], float] = {}  # path and text of a statement -> seconds that it took on a copy
    rows: Mapping[str, float] = {}  # text of an UPDATE, DELETE or INSERT -> rows that a planner expects


def step_risk(steps: Iterable[Step], context: Context) -> list[Judged]:
    """The risk of every statement, in order. `steps` are those of a replay, moments included."""
    found: list[Judged] = []
    lines: tuple[str, Lines] | None = None
    for number, steps_of_one in enumerate(_transactions(steps), start=1):
        statements = [tuple(group) for _, group in groupby(steps_of_one, key=lambda step: id(step.statement))]
        works = []
        for one in statements:
            works.append(work_of(one, context.sizes, context.rows.get(one[0].text)))
            for step in one if one[0].script.goes_up else ():
                context.sizes.follow(step.operation, step.before)
        own = [_seconds(one, work, context) for one, work in zip(statements, works, strict=True)]
        held: dict[Name, LockMode] = {}
        begin = len(found)
        for position, one in enumerate(statements):
            source = one[0].script.source
            if lines is None or lines[0] is not source.text:
                lines = source.text, Lines(source.text)
            line = lines[1].at(one[0].statement.start)[0]
            found.append(_judged(Rest(one, tuple(works[position:]), own[position], _sum(own[position:]), number, line), held, context))
        _name_workers(found, begin)
    return found


def _name_workers(found: list[Judged], begin: int) -> None:
    """A brief statement that takes a lock and a later one that works long under it are both told, each with the other's line."""
    for holder in range(begin, len(found)):
        for position, cause in enumerate(found[holder].causes):
            if cause.kind != "blocked" or cause.seconds is None or cause.line:
                continue
            own = [0.0 if one.risk.seconds is None else one.risk.seconds.p50 for one in found[holder:]]
            worker = holder + own.index(max(own))
            if worker == holder:
                continue
            causes, line = list(found[holder].causes), found[worker].risk.line
            causes[position] = cause._replace(line=line)
            found[holder] = found[holder]._replace(causes=tuple(causes))
            if not any(one.kind in {"blocked", "works"} and one.relation == cause.relation for one in found[worker].causes):
                found[worker] = _working(found[worker], cause, found[holder].risk.line)


def _working(worker: Judged, cause: Cause, line: int) -> Judged:
    own = worker.risk.seconds
    blocked = {} if own is None or cause.mode is None else dict.fromkeys(_uses(cause.mode), own.p50)
    more = Cause("works", cause.verdict, cause.relation, cause.mode, own, line=line)
    verdict = max((worker.risk.verdict, cause.verdict), key=VERDICTS.index)
    return worker._replace(risk=worker.risk._replace(verdict=verdict), causes=(*worker.causes, more), blocked={**worker.blocked, **blocked})


AGAIN = 1.5  # times as long as on a copy, nine times of ten


def _seconds(steps: tuple[Step, ...], work: Work, context: Context) -> Seconds | None:
    """As estimated, or as it was measured on a copy."""
    took = context.measured.get((steps[0].script.source.path, words(steps[0].text)))
    return seconds(work, context.calibration) if took is None else Seconds(took, took * AGAIN)


def words(sql: str) -> str:
    """A text with single blanks, to recognise it by."""
    return " ".join(sql.split()).rstrip("; ")


def _transactions(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Steps that share a transaction."""
    current: list[Step] = []
    for step in steps:
        if isinstance(step.operation, EndOfTransaction):
            if current:
                yield current
            current = []
        elif not isinstance(step.operation, EndOfScript | Merged):
            current.append(step)
    if current:
        yield current


def _sum(parts: Sequence[Seconds | None]) -> Seconds | None:
    known = [one for one in parts if one is not None]
    if len(known) < len(parts):
        return None
    return Seconds(sum(one.p50 for one in known), sum(one.p90 for one in known))


class Rest(Record):
    """A statement and those that follow it in its transaction."""

    steps: tuple[Step, ...]
    works: tuple[Work, ...]  # of the statement, then of each that follows
    own: Seconds | None
    held: Seconds | None
    transaction: int
    line: int


def _judged(rest: Rest, before: dict[Name, LockMode], context: Context) -> Judged:
    """`before` are the locks that its transaction holds, to which it adds its own."""
    steps, works, held = rest.steps, rest.works, rest.held
    first, work = steps[0], works[0]
    effects = merge([step.effects for step in steps], first.before, steps[-1].after)
    fresh = [lock for lock in effects.locks if lock.mode > before.get(lock.relation, LockMode.ACCESS_SHARE) and not _is_free(lock, first.before)]
    for lock in effects.locks:
        before[lock.relation] = max(lock.mode, before.get(lock.relation, lock.mode))
    to_get = _to_get_lock(fresh, first, context)
    waiting = _waiting(fresh, held, to_get or 0.0, context)
    risk = StepRisk(
        path=first.script.source.path,
        line=rest.line,
        sql=first.text,
        effects=effects,
        seconds=rest.own,
        held=held,
        to_get_lock=to_get,
        read_bytes=None if work.unknown else work.read,
        written_bytes=None if work.unknown else work.written,
        wal_bytes=None if work.unknown else work.wal,
        replica_lag=replica_lag(work, rest.own),
        waiting=waiting,
        transaction=rest.transaction,
    )
    causes = tuple(_causes(risk, steps, fresh, works, context))
    verdict = max((cause.verdict for cause in causes), key=VERDICTS.index, default="safe")
    return Judged(risk._replace(verdict=verdict), causes, steps, work, _blocked(fresh, held, context))


def _is_free(lock: Lock, state: State) -> bool:
    """Whether nobody can be waiting for this relation: it is new, or an index or sequence whose table tells the same."""
    schema = state.schema
    table = schema.index_tables.get(lock.relation, lock.relation)
    return lock.relation in schema.sequences or state.is_new(table)


def _uses(mode: LockMode) -> frozenset[str]:
    """What of reads and writes waits for a lock of this mode."""
    return frozenset(word + "s" for word in mode.blocks if word in {"read", "write"})


def _blocked(locks: Sequence[Lock], held: Seconds | None, context: Context) -> dict[str, float]:
    if held is None:
        return {}
    found: dict[str, float] = {}
    for lock in locks:
        if not context.sizes.is_small(lock.relation):
            for word in _uses(lock.mode):
                found[word] = max(found.get(word, 0.0), held.p50)
    return found


def _to_get_lock(locks: Sequence[Lock], step: Step, context: Context) -> float | None:
    """Seconds until transactions that are open let go, at most lock_timeout. Who comes later and conflicts waits behind (lock queue)."""
    if not any(_uses(lock.mode) for lock in locks) or context.longest is None:
        return None
    limit = milliseconds(step.before.settings.get("lock_timeout", ""))
    return context.longest if not limit else min(context.longest, limit / 1000)


def _waiting(locks: Sequence[Lock], held: Seconds | None, to_get: float, context: Context) -> tuple[Waiting, ...]:
    """Statements that conflict with a lock. Each that comes waits for what is left: half the time, on average."""
    modes = {context.sizes.original(lock.relation): lock.mode for lock in locks}
    time = None if held is None else held.p90 + to_get
    found = []
    for one in context.traffic:
        own = next((lock for lock in one.locks if lock.relation in modes and modes[lock.relation].conflicts(lock.mode)), None)
        if own is None or (one.a_second == 0 and not one.shape):
            continue
        rate = one.a_second or 0.0
        queries = 0.0 if time is None else rate * time
        found.append(Waiting(one.shape, one.sql, rate, str(own.relation), queries, 0.0 if time is None else queries * time / 2, one.places))
    return tuple(sorted(found, key=lambda waiting: -waiting.seconds))


def _causes(risk: StepRisk, steps: Sequence[Step], locks: Sequence[Lock], works: Sequence[Work], context: Context) -> Iterator[Cause]:
    limits, state, work = context.thresholds, steps[0].before, works[0]
    if risk.effects.fails:
        yield Cause("fails", "stop", text=risk.effects.fails)
        return
    for lock in sorted(locks, key=lambda lock: -lock.mode):
        if not _uses(lock.mode) or context.sizes.is_small(lock.relation) or lock.relation in state.schema.index_tables:
            continue
        rate, queries, waited, known = _rates(risk, lock, context)
        shared = {"relation": lock.relation, "mode": lock.mode, "a_second": rate, "queries": queries, "waited": waited}
        if risk.held is None:
            if any(part.unknown for part in works):
                yield Cause("unknown", "stop", **shared)  # type: ignore[arg-type]
            continue
        p90 = risk.held.p90
        verdict = "stop" if p90 >= limits.stop_blocked else "review" if p90 >= limits.review_blocked else "safe"
        if known and not rate and verdict == "stop":
            verdict = "review"
        if verdict != "safe":
            yield Cause("blocked", verdict, seconds=risk.held, **shared)  # type: ignore[arg-type]
        if risk.to_get_lock is not None and risk.to_get_lock >= limits.stop_blocked:
            yield Cause("waits", "review", seconds=Seconds(risk.to_get_lock, risk.to_get_lock), **shared)  # type: ignore[arg-type]
    yield from _dropped(steps, context)
    if (unsized := next((step for step in steps if changes_many(step)), None)) is not None and work.unknown:
        yield Cause("rows unknown", "review", unsized.before.resolve(unsized.operation.table))
    changed = sum(part.terms.get(term, 0.0) for part in work.parts if part.kind == "rows" for term in ("row updated", "row deleted"))
    if changed >= limits.review_rows:
        table = next(part.relation for part in work.parts if part.kind == "rows")
        yield Cause("rows", "review", table, seconds=risk.seconds, rows=changed, a_second=_changers(table, context))


def _dropped(steps: Sequence[Step], context: Context) -> Iterator[Cause]:
    """Indexes and tables that go although the database counted uses of them."""
    before, after = steps[0].before.schema, steps[-1].after.schema
    if (before.index_tables is after.index_tables and before.tables is after.tables) or not context.sizes.covered:
        return
    moved = {context.sizes.original(name) for name in after.tables} | set(after.index_tables)
    for name in [one for one in before.tables if one not in after.tables]:
        known = context.sizes.activity.get(context.sizes.original(name))
        used = 0 if known is None else known.seq_scans + known.index_scans + known.inserts + known.updates + known.deletes
        if used and context.sizes.original(name) not in moved:
            yield Cause("table dropped", "stop", name, a_second=used / context.sizes.covered)
    for name, table in before.index_tables.items():
        if name not in after.index_tables and table in after.tables:
            known = context.sizes.activity.get(name)
            if known is not None and known.index_scans:
                yield Cause("index dropped", "review", name, a_second=known.index_scans / context.sizes.covered)


_CHANGES = re.compile(r"\b(?:UPDATE|DELETE|MERGE)\b", re.IGNORECASE)


def _changers(table: Name, context: Context) -> float:
    """Statements of the application a second that change rows of a table: each waits where it meets a row that is locked."""
    name = context.sizes.original(table)
    sent = (one for one in context.traffic if one.a_second and one.shape and _CHANGES.search(one.sql))
    return sum(one.a_second or 0.0 for one in sent if Lock(name, LockMode.ROW_EXCLUSIVE) in one.locks)


def _rates(risk: StepRisk, lock: Lock, context: Context) -> tuple[float | None, float, float, bool]:
    """Statements a second that wait for one lock, how many and how long in all, and whether their rate is known."""
    name = str(context.sizes.original(lock.relation))
    own = [one for one in risk.waiting if one.relation == name]
    rate = sum(one.a_second for one in own)
    known = context.sizes.covered is not None and context.sizes.original(lock.relation) in context.sizes.activity
    return (rate if own or known else None), sum(one.queries for one in own), sum(one.seconds for one in own), known
