"""Sizes and rates of production put to findings: a snapshot in; which tables are tiny, and sentences with rows, bytes and seconds out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from dbguard.config import Config
from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.names import Name
from dbguard.model.postgres import NEWEST, OLDEST, LockMode
from dbguard.model.quantities import count, duration, size
from dbguard.model.record import Record
from dbguard.model.schema import Schema
from dbguard.model.snapshot import Snapshot
from dbguard.model.source import Source, Statement
from dbguard.model.state import Lock, State, Step
from dbguard.model.verdict import Seconds
from dbguard.parsing.query.shapes import shape_of
from dbguard.pipelines.gate_settings import settings_of
from dbguard.pipelines.pending import is_on, on_snapshot
from dbguard.planning.lock_time import Calibration, calibrate
from dbguard.planning.risk import Context, Judged, step_risk, words
from dbguard.planning.risk_sizes import Sizes
from dbguard.planning.risk_traffic import Sent, counters, traffic
from dbguard.reading import History, Reading, read_all

Measuring = Callable[[History, Iterable[Step], State], "Measure | None"]

TINY_ROWS, TINY_BYTES = 10_000, 8 * 1024**2
"""A table at most this large is read, rewritten and indexed within about 50 ms, on any machine (docs/risk.md)."""
A_MOMENT = 0.05  # seconds
MOST_TRACE_BYTES = 256 << 20


def snapshot_of(config: Config) -> Snapshot | None:
    """The snapshot that is configured. Raises `UnreadableSource`."""
    if not config.snapshot:
        return None
    from dbguard.reading.snapshots import load

    return load(_place(config, "snapshot", config.snapshot))


def programs_of(config: Config) -> str | None:
    """The `bin` folder of the PostgreSQL that serves ghosts; None for that of `dbguard[embedded]`."""
    return _place(config, "postgres-bin", config.postgres_bin) if config.postgres_bin else None


def _place(config: Config, key: str, path: str) -> str:
    import os

    return os.path.join(config.cwd if config.given.get(key) == "the command line" else config.root, path)  # noqa: PTH118


def of_its_version(config: Config, snapshot: Snapshot) -> Config:
    """The configuration with the version of production, where none is configured."""
    if "postgres" in config.given or not OLDEST <= snapshot.major <= NEWEST:
        return config
    return config._replace(postgres=(snapshot.major, snapshot.major))


def on_production(reading: Reading, config: Config) -> tuple[Reading, Config, Measuring]:
    """A reading that begins where production is, the configuration with its version and the tables that are known to be tiny, and how the
    steps of a history are measured: not, where it is of another database.
    """
    snapshot = snapshot_of(config)
    assert snapshot is not None
    config = of_its_version(config, snapshot)
    if not reading.histories and (reading.queries or reading.workload):
        reading = _with_histories(reading, config)
    reading = on_snapshot(reading, snapshot, config.snapshot)[0]
    reading = reading._replace(schema=Source(config.snapshot, snapshot.schema), large_tables=large_tables(snapshot))
    config = config._replace(small_tables=(*config.small_tables, *tiny_tables(snapshot)))

    def measure(history: History, steps: Iterable[Step], state: State) -> Measure | None:
        return Measure(steps, context_of(snapshot, config, state)) if is_on(history, config.snapshot) else None

    return reading, config, measure


def _with_histories(reading: Reading, config: Config) -> Reading:
    """Only queries were asked for: they run on what is pending, too."""
    with suppress(UsageError):  # there are no migrations
        histories = read_all(config._replace(paths=(), queries=())).histories
        return reading._replace(histories=tuple([one._replace(asked=frozenset()) for one in histories]))
    return reading


def tiny_tables(snapshot: Snapshot) -> tuple[str, ...]:
    """Tables that are known to be tiny, as `small-tables` names them."""
    tables = (one for one in snapshot.relations if one.kind in "rm")
    tiny = (one for one in tables if one.relation_bytes <= TINY_BYTES and one.pages * 8192 <= TINY_BYTES and 0 <= one.tuples <= TINY_ROWS)
    return tuple([f"{one.name.schema or 'public'}.{one.name.name}" for one in tiny])


def large_tables(snapshot: Snapshot) -> tuple[str, ...]:
    """Tables with more rows than anybody wants to have at once."""
    return tuple([f"{one.name.schema or 'public'}.{one.name.name}" for one in snapshot.relations if one.kind in "rmp" and one.tuples > TINY_ROWS])


def context_of(
    snapshot: Snapshot | None,
    config: Config,
    state: State,
    sent: Sequence[Sent] = (),
    *,
    rows: Mapping[str, float] | None = None,
    measured: Mapping[tuple[str, str], float] | None = None,
) -> Context:
    """What production is like: sizes, and who sends what, how often. What the application was seen to send gets its rate from the snapshot."""
    sizes = Sizes(snapshot, config.small_tables)
    major = config.postgres[1]
    everyone = traffic(with_rates(sent, snapshot), state, major)
    longest = snapshot.longest_transactions[0] if snapshot is not None and snapshot.longest_transactions else None
    return Context(sizes, (*everyone, *counters(sizes, everyone)), longest, settings_of(config).thresholds, None, measured or {}, rows or {})


def traced(config: Config) -> dict[tuple[str, str], float]:
    """Times that were measured on a copy, by path and text of a statement, if the configuration names a trace. Raises `UnreadableSource`."""
    name = settings_of(config).calibration
    if not name:
        return {}
    import json
    import os

    path = os.path.join(config.root, name)  # noqa: PTH118
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            document = json.loads(file.read(MOST_TRACE_BYTES).decode("utf-8-sig"))
        found = document["statements"]
        return {(one["path"], words(one["sql"])): float(one["seconds"]) for one in found if one.get("seconds") and not one.get("error")}
    except OSError as error:
        raise UnreadableSource(f"{name}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableSource(f"{name}: not what `dbguard trace --database --format json` writes: {type(error).__name__}") from error


def with_rates(sent: Iterable[Sent], snapshot: Snapshot | None) -> list[Sent]:
    """Shapes that the application sends, with the rates of pg_stat_statements; then what only pg_stat_statements has seen."""
    found = {one.shape: one for one in sent}
    if snapshot is None:
        return list(found.values())
    covered = snapshot.statements_seconds or snapshot.seconds
    sums: dict[str, tuple[int, float]] = {}
    for total in snapshot.statements:
        key = shape_of(total.sql).key
        calls, took = sums.get(key, (0, 0.0))
        sums[key] = calls + total.calls, took + total.seconds
        found.setdefault(key, Sent(key, total.sql))
    for key, (calls, took) in sums.items():
        found[key] = found[key]._replace(a_second=calls / covered if covered else None, mean=took / calls if calls else None)
    return list(found.values())


class Measured(Record):
    """What is known of one statement's locks."""

    sizes: Sizes
    held: Seconds | None
    rates: Mapping[Name, tuple[float | None, float | None]] = {}  # reads and writes a second of a relation

    def size(self, relation: Name, schema: Schema) -> str:
        rows, total = self.sizes.rows(relation, schema), self.sizes.bytes(relation, schema)
        if rows is None or total is None:
            return ""
        return f" ({count(rows)} row{'' if rows == 1 else 's'}, {size(total)})"

    def waits(self, lock: Lock) -> str | None:
        """Who waits for how long; None if that is not known."""
        if self.held is None or lock.mode < LockMode.SHARE:
            return None
        reads, writes = self.rates.get(self.sizes.original(lock.relation), (None, None))
        time = " for a moment" if self.held.p50 < A_MOMENT else f" for about {duration(self.held.p50)}"
        if lock.mode is LockMode.ACCESS_EXCLUSIVE:
            told = f"{_rate(reads, 'reads')} and {_rate(writes, 'writes')}"
            return f"{told} wait{time}"
        more = " and SELECT ... FOR UPDATE" if lock.mode is LockMode.EXCLUSIVE else ""
        return f"reads continue; {_rate(writes, 'writes')}{more} wait{time}"


def _rate(a_second: float | None, noun: str) -> str:
    if not a_second:
        return noun if a_second is None else f"{noun} (none were counted)"
    return f"{count(a_second)} {noun}/s" if a_second >= 0.95 else f"{count(a_second * 3600)} {noun}/h"


class Measure:
    """Risks of the steps of one history, and how findings ask for them."""

    def __init__(self, steps: Iterable[Step], context: Context) -> None:
        self.steps = list(steps)
        self.context = context._replace(calibration=calibrated(self.steps, context)) if context.measured else context
        self.judged = step_risk(self.steps, self.context)
        self._by_statement: dict[int, Judged] = {id(one.steps[0].statement): one for one in self.judged}
        self._rates = rates(context)

    def of(self, statement: Statement) -> Measured | None:
        one = self._by_statement.get(id(statement))
        return None if one is None else Measured(self.context.sizes, one.risk.held, self._rates)


def calibrated(steps: list[Step], context: Context) -> Calibration | None:
    """How this machine compares with the one of the model, by the statements that were measured on a copy."""
    estimated = step_risk(steps, context._replace(measured={}, sizes=context.sizes.copy()))
    pairs = []
    for one in estimated:
        took = context.measured.get((one.risk.path, words(one.text)))
        if took is not None and one.risk.seconds is not None:
            kinds = one.work.kinds
            pairs.append((next(iter(kinds)) if len(kinds) == 1 else "", one.risk.seconds.p50, took))
    return calibrate(pairs)


def rates(context: Context) -> dict[Name, tuple[float | None, float | None]]:
    """Reads and writes a second of each relation, None where no rate is known."""
    found: dict[Name, tuple[float | None, float | None]] = {}
    for one in context.traffic:
        if one.a_second is None:
            continue
        for lock in one.locks:
            reads, writes = found.get(lock.relation, (None, None))
            if lock.mode >= LockMode.ROW_EXCLUSIVE:
                writes = (writes or 0.0) + one.a_second
            else:
                reads = (reads or 0.0) + one.a_second
            found[lock.relation] = reads, writes
    return found
