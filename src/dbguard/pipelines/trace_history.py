"""One history run on a server: scripts in, what each statement of those asked for did out.

Scripts that are not asked for run silently; the ones that are, run with their statements watched, after a rehearsal with
made-up rows where rows decide what a statement does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from dbguard.config import Config
from dbguard.errors import ServerError
from dbguard.model.names import Name
from dbguard.model.operations import CreateExtension, Insert
from dbguard.model.record import Record
from dbguard.model.schema import Schema
from dbguard.model.source import Lines, Parsed, RoundTrip, Script, Statement
from dbguard.model.state import Effects, EndOfScript, EndOfTransaction, State, Step
from dbguard.parsing import parse
from dbguard.pipelines.locks import LockTaken, base_state, described, merged
from dbguard.pipelines.part import Part
from dbguard.pipelines.trace_differences import compare, is_on_rows
from dbguard.pipelines.trace_platforms import brought
from dbguard.pipelines.traced import Blocked, Options, Traced, Wrong
from dbguard.postgres.observe import Failure, Observation
from dbguard.postgres.roles import Access
from dbguard.postgres.trace import Ran, Session, sql_of
from dbguard.postgres.trace_sessions import on_throw_away, rehearsed
from dbguard.reading import History
from dbguard.replay import replay
from dbguard.rulebook.select import Selection

if TYPE_CHECKING:
    from dbguard.postgres.trace_blocked import Queries

MADE_UP = "seen with made-up rows in its tables"


class Known(Record):
    """What is known about a statement before it runs."""

    effects: Effects
    tables: frozenset[Name] = frozenset()  # in which a row decides what it does


class HistoryTrace:
    """One history. `notes` and `parts` (findings of what only a server shows) are complete when it has run."""

    def __init__(self, history: History, config: Config, selection: Selection, options: Options, major: int) -> None:
        self.history, self.config, self.selection, self.options, self.major = history, config, selection, options, major
        self.notes: list[str] = []
        self.parts: list[Part] = []
        self.tried = 0  # queries of the workload
        low, high = history.postgres or config.postgres
        if not low <= major <= high:
            self.notes.append(f"traced on PostgreSQL {major}, which is not among the versions that are configured ({low} to {high})")
        self.parsed = [parse(script) for script in history.scripts if script.direction != "variant"]
        self.base = history.base or brought(history.tool, self.parsed)
        state = State(schema=Schema(complete=True)) if self.base is None else base_state(self.base, major)
        self._wanted = {id(one): self._is_wanted(index) for index, one in enumerate(self.parsed)}
        scripts = {id(one.script) for one in self.parsed if self._wanted[id(one)]}
        self.known = _known(self.parsed, state, major, lambda script: id(script) in scripts)

    def wanted(self) -> list[Parsed]:
        """The scripts asked for, in order."""
        return [one for one in self.parsed if self._wanted[id(one)]]

    def _is_wanted(self, index: int) -> bool:
        """Down scripts only with `down`, and with their up script."""
        script = self.parsed[index].script
        if script.direction == "down":
            return self.options.down and index > 0 and self.history.asks_for(self.parsed[index - 1].script)
        return self.history.asks_for(script)

    def on_throw_away(self, access: Access) -> Iterator[Traced]:
        """Everything, on a database of its own on that server."""
        if not self.wanted():
            return
        extensions = tuple(op.name for one in self.parsed for s in one.statements for op in s.operations if isinstance(op, CreateExtension))
        with on_throw_away(access, extensions, self.options.time_limit) as session:
            yield from self._all(session)

    def on_database(self, session: Session) -> Iterator[Traced]:
        """The scripts asked for, on a database that has what comes before them."""
        wanted = self.wanted()
        with self._queries(session) as queries:
            for index, one in enumerate(wanted):
                failed = False
                for done in self.watched(session, one, {}, one.script.direction, queries):
                    failed = failed or done.error is not None
                    yield done
                if failed:
                    self._note_left(wanted[index + 1 :])
                    return

    def _all(self, session: Session) -> Iterator[Traced]:
        base = self.base
        if base is not None:
            self._silently(session, parse(Script(base, ((0, len(base.text)),), "none")))
            session.connection.execute("DISCARD ALL")  # what a dump sets is for itself
        with self._queries(session) as queries:
            yield from self._in_order(session, queries)

    def _in_order(self, session: Session, queries: Queries | None) -> Iterator[Traced]:
        last = max(index for index, one in enumerate(self.parsed) if self._wanted[id(one)])
        for index, one in enumerate(self.parsed[: last + 1]):
            if one.script.direction == "down":
                continue
            if not self._wanted[id(one)]:
                self._silently(session, one)
                continue
            down = self.parsed[index + 1] if index < last and self.parsed[index + 1].script.direction == "down" else None
            failed = False
            for done in self._one(session, one, down, queries):
                failed = failed or done.error is not None
                yield done
            if failed:
                self._note_left(self.parsed[index + 1 :])
                return

    def _note_left(self, later: Sequence[Parsed]) -> None:
        left = sum(one.script.direction != "down" and self._wanted[id(one)] for one in later)
        if left:
            self.notes.append(f"{left} later migration{'' if left == 1 else 's'} of {self.history.root or 'this history'} not run")

    def _one(self, session: Session, one: Parsed, down: Parsed | None, queries: Queries | None) -> Iterator[Traced]:
        if down is None or not self.options.down:
            yield from self._with_rows(session, one, one.script.direction, queries)
            return
        from dbguard.pipelines.trace_down import part_of, round_trip

        def told(trip: RoundTrip) -> None:
            self.parts.append(part_of(trip, down, self.selection, self.major))

        yield from round_trip(session, partial(self._with_rows, session), one, down, told)

    def _with_rows(self, session: Session, one: Parsed, direction: str, queries: Queries | None = None) -> Iterator[Traced]:
        yield from self.watched(session, one, self._rehearsed(session, one), direction, queries)
        _end_session(session)

    @contextmanager
    def _queries(self, session: Session) -> Iterator[Queries | None]:
        """The queries of the workload, ready to be tried beside this session."""
        if not self.options.workload:
            yield None
            return
        from dbguard.pipelines.trace_workload import read_queries
        from dbguard.postgres.trace_blocked import Queries

        texts, notes = read_queries(self.config, self.options.workload)
        self.tried = len(texts)
        self.notes += notes
        queries = Queries(texts, session.connection)
        try:
            yield queries
        finally:
            queries.close()

    def _silently(self, session: Session, one: Parsed) -> None:
        for ran in session.run(one, watch=False):
            self.notes += ran.notes
            if ran.failure is not None:
                wrong = _wrong(one.script, ran, ran.failure, Lines(one.script.source.text))
                raise ServerError(
                    f"{one.script.source.path}:{wrong.line}:{wrong.column}: {wrong.message}\nThe migrations to trace need what this statement "
                    "leaves. If the database is not built from these migrations alone, give its schema with --schema FILE or --snapshot FILE"
                )
        _end_session(session)

    def _rehearsed(self, session: Session, one: Parsed) -> Mapping[int, Observation]:
        deciding = {id(s): self.known[id(s)].tables for s in one.statements if id(s) in self.known and self.known[id(s)].tables}
        return rehearsed(session, one, deciding) if deciding else {}

    def watched(
        self, session: Session, one: Parsed, rehearsed: Mapping[int, Observation], direction: str, queries: Queries | None = None
    ) -> Iterator[Traced]:
        """Every statement of a script, those that were not reached included."""
        lines = Lines(one.script.source.text)
        reached: set[int] = set()
        if queries is not None:
            queries.begin()
            session.meanwhile = queries.beside
        for ran in session.run(one, watch=True):
            reached.add(id(ran.statement))
            found = self._traced(one, ran, rehearsed.get(id(ran.statement)), lines)._replace(direction=direction)
            if queries is not None:
                waits, breaks = queries.taken()
                found = found._replace(waits=tuple(Blocked(*query) for query in waits), breaks=tuple(Blocked(*query) for query in breaks))
            yield found
        for statement in one.statements:
            if id(statement) not in reached:
                yield Traced(described(one.script, statement, self._of(statement).effects, lines), skipped="not reached", direction=direction)

    def _of(self, statement: Statement) -> Known:
        return self.known.get(id(statement), Known(Effects()))

    def _traced(self, one: Parsed, ran: Ran, rehearsed: Observation | None, lines: Lines) -> Traced:
        known = self._of(ran.statement)
        predicted = described(one.script, ran.statement, known.effects, lines)
        found = Traced(predicted, notes=ran.notes, seconds=None if ran.skipped else round(ran.seconds, 6), skipped=ran.skipped)
        if ran.failure is not None:
            found = found._replace(error=_wrong(one.script, ran, ran.failure, lines))
        if ran.observation is None:
            return found
        seen, notes = _chosen(ran.observation, rehearsed, known.effects)
        compared = compare(ran.statement, known.effects, seen)
        return found._replace(
            observed=described(one.script, ran.statement, seen.effects, lines)._replace(unknown=()),
            held=_held(known.effects, seen),
            differences=compared.differences,
            notes=(*found.notes, *notes, *compared.notes),
        )


def _held(predicted: Effects, seen: Observation) -> tuple[LockTaken, ...]:
    modes = {lock.relation: max(held) for lock in predicted.locks if (held := seen.held.get(lock.relation)) and lock.mode <= max(held)}
    return tuple(LockTaken(str(name), str(mode), mode.blocks) for name, mode in modes.items())


def _chosen(real: Observation, rehearsed: Observation | None, predicted: Effects) -> tuple[Observation, tuple[str, ...]]:
    """What was seen with made-up rows, where there were some.

    That a statement fails on them tells something only if it was said to: the rows are made up, and all of the script was one transaction.
    """
    if rehearsed is None or real.failure is not None or (rehearsed.failure is not None and predicted.fails is None):
        return real, ()
    if rehearsed.failure is not None:
        seen = real._replace(effects=real.effects._replace(fails=rehearsed.effects.fails))
        return seen, ("it fails with a made-up row in its tables; they are empty here, so it went on",)
    return rehearsed._replace(effects=rehearsed.effects._replace(transaction=real.effects.transaction), within=real.within), (MADE_UP,)


def _known(parsed: Sequence[Parsed], state: State, major: int, asked: Callable[[Script], bool]) -> dict[int, Known]:
    steps: dict[int, list[Step]] = {}
    for step in replay(parsed, state, major, asked):
        if not isinstance(step.operation, EndOfScript | EndOfTransaction):
            steps.setdefault(id(step.statement), []).append(step)
    found = {id(s): Known(Effects()) for one in parsed if asked(one.script) for s in one.statements}
    return found | {number: _of_steps(these) for number, these in steps.items()}


def _of_steps(steps: list[Step]) -> Known:
    effects = merged(steps)
    statement, schema = steps[0].statement, steps[0].before.schema
    tables: set[Name] = set()
    if is_on_rows(statement) and not all(isinstance(op, Insert) and op.rows is not None for op in statement.operations):
        tables = {lock.relation for lock in effects.locks if lock.relation in schema.tables}
    elif effects.fails is not None:
        tables = {step.before.resolve(step.operation.table) for step in steps if isinstance(getattr(step.operation, "table", None), Name)}
    return Known(effects, frozenset(tables))


def _wrong(script: Script, ran: Ran, failure: Failure, lines: Lines) -> Wrong:
    """Where the error stands: at the place in the statement that the server names, else at its beginning."""
    exact = failure.position is not None and not ran.statement.sql and sql_of(script, ran.statement) != ""
    offset = ran.statement.start + (failure.position - 1 if exact and failure.position is not None else 0)
    line, column = lines.at(offset)
    return Wrong(failure.message, failure.sqlstate, line, column, exact, failure.hint, failure.context, ran.at_end)


def _end_session(session: Session) -> None:
    """Temporary objects and lock_timeout end with the session of a script, as replay has it."""
    if not session.connection.closed:
        session.connection.execute("DISCARD TEMP; RESET lock_timeout; RESET ROLE")
