"""`dbguard locks` and `dbguard.predict`: what PostgreSQL does at each statement, without opinions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from dbguard.config import Config
from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.postgres import NEWEST, OLDEST
from dbguard.model.record import Record
from dbguard.model.source import Lines, Merged, Parsed, Script, Source, Statement
from dbguard.model.state import Effects, EndOfScript, EndOfTransaction, State, Step
from dbguard.parsing import parse
from dbguard.reading import StandardInput, read_all
from dbguard.replay import final_state, replay
from dbguard.replay.effects import merge

TRANSACTIONS = ("auto", "one", "none")


class LockTaken(Record):
    relation: str  # complete, quoted where needed
    mode: str  # "SHARE ROW EXCLUSIVE"
    blocks: tuple[str, ...]  # ordered subset of read, lock_rows, write, maintenance


class StatementEffects(Record):
    """What PostgreSQL does when it runs one statement. Relation names are complete; lines and columns 1-based."""

    path: str
    line: int
    column: int
    sql: str
    transaction: str  # allowed, forbidden, required
    fails: str | None
    locks: tuple[LockTaken, ...]
    rewrites: tuple[str, ...]
    scans: tuple[str, ...]
    builds: tuple[str, ...]
    unknown: tuple[str, ...]  # what was assumed, or why the statement was not understood


def predict(sql: str, *, postgres: int = NEWEST, schema: str | None = None, transaction: str = "auto") -> list[StatementEffects]:
    """What PostgreSQL `postgres` (13 to 18) does at each statement of `sql`, in order.

    `schema` is SQL text that is replayed first; with it, everything that exists is taken to be known. `transaction` says
    how `sql` is run: "one" transaction, "none" (each statement by itself), or "auto": one, unless the text has transaction
    control or a statement that forbids a transaction. Raises `UsageError` for a version or transaction that does not exist.
    """
    if not OLDEST <= postgres <= NEWEST:
        raise UsageError(f"PostgreSQL {postgres} is not supported: give a major version from {OLDEST} to {NEWEST}")
    if transaction not in TRANSACTIONS:
        raise UsageError(f"transaction is {transaction!r}: give one of {', '.join(TRANSACTIONS)}")
    state = State()
    if schema is not None:
        state = base_state(Source("schema", schema), postgres)
    script = _script(Source("<sql>", sql), transaction)
    return list(predictions([parse(script)], state, postgres))


def locks(
    config: Config, paths: Iterable[str], *, stdin: StandardInput | None = None, since: str | None = None, staged: bool = False
) -> list[StatementEffects]:
    """Effects of every statement of the files asked for, on the newest PostgreSQL of the configuration.

    Raises `UnreadableSource` for a file that cannot be read.
    """
    reading = read_all(config, paths, stdin, since=since, staged=staged)
    for part in reading.unreadable:
        raise UnreadableSource(f"{part.path}: {part.reason}")
    found: list[StatementEffects] = []
    for history in reading.histories:
        major = (history.postgres or config.postgres)[1]
        state = State() if history.base is None else base_state(history.base, major)
        found += predictions([parse(script) for script in history.scripts], state, major, history.asks_for)
    return found


def base_state(base: Source, major: int) -> State:
    """The state that a schema given as SQL text leaves: complete, with default settings."""
    start = State()
    start = start._replace(schema=start.schema._replace(complete=True))
    parsed = parse(_script(base, "none"))
    state = final_state([parsed], start, major)
    complete = not any(statement.unread for statement in parsed.statements)
    return State(schema=state.schema._replace(complete=complete), now=state.now)


def predictions(parsed: Sequence[Parsed], state: State, major: int, asked: Callable[[Script], bool] = lambda _: True) -> Iterator[StatementEffects]:
    """Effects of every statement of the scripts asked for; all of them run, one after the other."""
    steps: dict[int, list[Step]] = {}  # by identity of the statement: several of a Python migration stand at one place
    for step in replay(parsed, state, major, asked):
        if not isinstance(step.operation, EndOfScript | EndOfTransaction | Merged):
            steps.setdefault(id(step.statement), []).append(step)
    for one in parsed:
        if asked(one.script):
            lines = Lines(one.script.source.text)
            for statement in one.statements:
                yield _statement(one.script, statement, steps.get(id(statement), []), lines)


def _script(source: Source, transaction: str) -> Script:
    return Script(source, ((0, len(source.text)),), transaction=transaction)


def _statement(script: Script, statement: Statement, steps: list[Step], lines: Lines) -> StatementEffects:
    return described(script, statement, merged(steps), lines)


def merged(steps: Sequence[Step]) -> Effects:
    """The effects of one statement from the steps of its operations."""
    return merge([step.effects for step in steps], steps[0].before, steps[-1].after) if steps else Effects()


def described(script: Script, statement: Statement, effects: Effects, lines: Lines) -> StatementEffects:
    """Effects in the words of reports, with where the statement stands."""
    line, column = lines.at(statement.start)
    return StatementEffects(
        path=script.source.path,
        line=line,
        column=column,
        sql=statement.sql or script.source.text[statement.start : statement.end],
        transaction=effects.transaction,
        fails=effects.fails or _syntax_error(statement),
        locks=tuple(LockTaken(str(lock.relation), str(lock.mode), lock.mode.blocks) for lock in effects.locks),
        rewrites=tuple(map(str, effects.rewrites)),
        scans=tuple(map(str, effects.scans)),
        builds=tuple(map(str, effects.builds)),
        unknown=(*effects.unknown, *(part.reason for part in statement.unread)),
    )


def _syntax_error(statement: Statement) -> str | None:
    """What the newest grammar refuses, every server refuses."""
    reasons = (part.reason for part in statement.unread if not statement.operations and part.reason.startswith("syntax error"))
    return next(reasons, None)
