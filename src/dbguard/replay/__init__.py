"""Operations to steps: the only loop that carries state.

In: parsed scripts in the order they run, and the state before the first. Out: a `Step` for every operation of the scripts
that are reported on; the others only move the state. Moments (`EndOfTransaction`, `EndOfScript`) come as steps as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable
from typing import cast

from dbguard.model.operations import (
    AddEnumValue,
    AlterObject,
    AlterSystem,
    Begin,
    Call,
    Cluster,
    Commit,
    CreateIndex,
    CreateObject,
    DetachPartition,
    DropIndex,
    DropObject,
    Operation,
    Reindex,
    RenameEnumValue,
    Rollback,
    Select,
    Vacuum,
)
from dbguard.model.postgres import Server
from dbguard.model.schema import Created
from dbguard.model.source import Merged, Parsed, Script, Statement
from dbguard.model.state import Effects, EndOfScript, EndOfTransaction, State, Step
from dbguard.replay.advance import advance
from dbguard.replay.calls import with_calls
from dbguard.replay.effects import effects
from dbguard.replay.effects.common import refused
from dbguard.replay.effects.new_labels import why_unsafe
from dbguard.replay.transactions import close, hold, opened


def replay(parsed: Iterable[Parsed], state: State, major: int, asked: Callable[[Script], bool] = lambda _: True) -> Generator[Step, None, State]:
    """Replay scripts in order, starting from `state`, on PostgreSQL `major`; yield the steps of those for which `asked` is true.

    A down script is replayed from the state just after its own up script, a variant of it from the state just before; neither
    leaves a trace. A lock_timeout that a script sets ends with it: whether the next one runs in the same session depends on
    how many are pending.
    """
    limit = state.settings.get("lock_timeout")
    before_up = state
    for ordinal, one in enumerate(parsed, start=state.now.script + 1):
        start = before_up if one.script.direction == "variant" else state
        after = yield from _script(one, start._replace(now=Created(ordinal, state.now.transaction + 1)), major, asked(one.script))
        if not one.script.goes_up:
            state = state._replace(now=after.now)
        else:
            before_up, state = state, after
        if state.settings.get("lock_timeout") != limit:
            others = {name: value for name, value in state.settings.items() if name != "lock_timeout"}
            state = state._replace(settings=others if limit is None else {**others, "lock_timeout": limit})
    return state


def final_state(parsed: Iterable[Parsed], state: State, major: int) -> State:
    """The state that scripts leave, without steps."""
    steps = replay(parsed, state, major, asked=lambda _: False)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("State", end.value)


def _script(one: Parsed, state: State, major: int, report: bool) -> Generator[Step, None, State]:
    if report and one.script.merged is not None:
        yield _merged(one, one.script.merged, state, major)
    wrapped = runs_in_transaction(one)
    if wrapped:
        state = opened(state, explicit=False)
    steps: list[Step] = []
    current: list[Step] = []  # steps of the open transaction
    for statement in one.statements:
        if wrapped and statement.alone is (state.transaction is not None):
            if statement.alone:
                state = close(state, committed=True)
                if current:
                    yield _moment(EndOfTransaction(tuple(current)), one, state)
                    current = []
            state = state._replace(now=Created(state.now.script, state.now.transaction + 1))
            if not statement.alone:
                state = opened(state, explicit=False)
        for operation in _run_by(statement, state):
            before = state
            state = advance(before, operation)
            if report:
                server = Server(major)  # one per step: it remembers which versions the answer depends on
                found = effects(operation, before, server)
                if before.transaction is not None and before.schema.types is not before.transaction.before.types:
                    found = _with_new_labels(found, one, statement, before, server)
                state = hold(state, found)
                step = Step._make((one.script, statement, operation, before, found, state, server))
                steps.append(step)
                current.append(step)
                yield step
            if before.transaction is not None and state.transaction is None and current:
                yield _moment(EndOfTransaction(tuple(current), committed=not isinstance(operation, Rollback)), one, state)
                current = []
        if statement.unread:
            state = _doubt(state, statement.sql or one.script.source.text[statement.start : statement.end])
        if state.transaction is None:
            state = state._replace(now=Created(state.now.script, state.now.transaction + 1))
            if current:
                yield _moment(EndOfTransaction(tuple(current)), one, state)
                current = []
    if state.transaction is not None:
        committed = not state.transaction.explicit
        state = close(state, committed=committed)
        if current:
            yield _moment(EndOfTransaction(tuple(current), committed=committed), one, state)
    if steps:
        yield _moment(EndOfScript(tuple(steps)), one, state)
    return _without_temporary(state)


def _with_new_labels(found: Effects, one: Parsed, statement: Statement, before: State, server: Server) -> Effects:
    """What refuses a statement that uses an enum's value of this transaction; a body could have tested before."""
    if (
        found.fails is not None
        or statement.inside
        or len(statement.operations) > 1
        or isinstance(statement.operations[0], AddEnumValue | RenameEnumValue)
    ):
        return found
    reason = why_unsafe(statement.sql or one.script.source.text[statement.start : statement.end], before, server)
    return found if reason is None else refused(reason)


def _without_temporary(state: State) -> State:
    """Temporary objects end with the session, and each script is taken to be deployed in a session of its own."""
    schema = state.schema
    gone = [name for name in schema.tables if name.schema == "pg_temp"]
    if not gone:
        return state
    kept = {name: table for name, table in schema.tables.items() if name.schema != "pg_temp"}
    indexes = {name: table for name, table in schema.index_tables.items() if table.schema != "pg_temp"}
    return state._replace(schema=schema._replace(tables=kept, index_tables=indexes))


def _run_by(statement: Statement, state: State) -> Iterable[Operation]:
    """The operations of a statement, with those of the functions that it calls; none if IF EXISTS finds nothing."""
    if statement.if_exists is not None and state.schema.complete and not state.schema.has_relation(state.resolve(statement.if_exists)):
        return ()
    if not any(isinstance(operation, Select | Call) for operation in statement.operations):
        return statement.operations
    return [inner for operation in statement.operations for inner in with_calls(operation, state)]


def runs_in_transaction(one: Parsed) -> bool:
    """Whether the tool (or the server, for several statements sent as one query) puts a transaction around the script."""
    mode = one.script.transaction
    if mode == "single":
        return len(one.statements) > 1 and not _has(one, Begin)
    if mode not in {"auto", "unless forbidden"}:
        return mode == "one"
    if mode == "auto" and _has(one, Begin, Commit, Rollback):
        return False
    return not any(forbids_transaction(op) for s in one.statements for op in s.operations)


def _has(one: Parsed, *kinds: type) -> bool:
    return any(isinstance(operation, kinds) for statement in one.statements for operation in statement.operations)


_SOMETIMES_FORBIDDEN = (AlterObject, AlterSystem, Cluster, CreateIndex, CreateObject, DetachPartition, DropIndex, DropObject, Reindex, Vacuum)


def forbids_transaction(operation: object) -> bool:
    """Whether the text alone tells that the statement cannot run in a transaction block (PreventInTransactionBlock)."""
    return isinstance(operation, _SOMETIMES_FORBIDDEN) and effects(operation, State(), Server(18)).transaction == "forbidden"


def _moment(moment: EndOfTransaction | EndOfScript, one: Parsed, state: State) -> Step:
    last = moment.steps[-1]
    return Step(one.script, last.statement, moment, last.before, last.effects, state, Server(last.server.major))


def _merged(one: Parsed, merged: Merged, state: State, major: int) -> Step:
    """A moment before the first statement: the script was merged already, so databases may have run what it was then."""
    text, at = one.script.source.text, merged.at
    begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    line = Statement(begin, len(text) if end < 0 else end, ())
    nearest = () if one.script.blocks else (*(s for s in one.statements if s.end > at), *one.statements[-1:])
    place = next((s for s in one.statements if s.start <= at < s.end), None) or next(iter(nearest), line)
    return Step(one.script, place, merged, state, Effects(), state, Server(major))


def _doubt(state: State, text: str) -> State:
    """After a statement that was not understood, what it mentions is no longer fully known."""
    tables = state.schema.tables
    if not tables:
        return state
    mentioned = [name for name, table in tables.items() if table.known and name.name in text]
    if not mentioned:
        return state
    words = set(re.findall(r"\w+", text))
    doubted = {name: tables[name]._replace(known=False) for name in mentioned if name.name in words}
    if not doubted:
        return state
    return state._replace(schema=state.schema._replace(tables={**tables, **doubted}))
