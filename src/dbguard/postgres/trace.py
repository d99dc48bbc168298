"""Scripts run on a server as their tool would run them, statement by statement, and what was seen at each.

In: a connection and a parsed script. Out: a `Ran` per statement, yielded while its transaction is still open, so that
others can look at what it blocks. A server that dies or has no room left is a `ServerError`; what PostgreSQL refuses is in
the `Ran`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from dbguard.errors import ServerError
from dbguard.model.operations import Begin, Commit, CreateExtension, Rollback, SessionCommand, SetParameter
from dbguard.model.record import Record
from dbguard.model.source import Parsed, Script, Statement
from dbguard.postgres.observe import Done, Failure, Observation, observe, observe_within, run
from dbguard.postgres.roles import Access
from dbguard.postgres.trace_extensions import is_about, way_of
from dbguard.replay import runs_in_transaction

if TYPE_CHECKING:
    from psycopg import Connection

_NO_ROOM = {"53100", "53200", "58030"}  # disk full, out of memory, I/O error
_CONNECTION_ENDS = ("57P", "08")
CANCELLED = "57014"


NO_SQL = "no SQL"
_PARAMETER = re.compile(r"(?<![\w$'])\$[1-9]\d?\b(?!\$)")


class Ran(Record):
    """One statement that was run, or was not (`skipped` says why). `at_end`: it failed when its transaction was committed."""

    statement: Statement
    sql: str = ""
    observation: Observation | None = None
    failure: Failure | None = None
    at_end: bool = False
    skipped: str = ""
    notes: tuple[str, ...] = ()
    rows: int = -1
    seconds: float = 0.0


def sql_of(script: Script, statement: Statement) -> str:
    """The SQL that goes to the server; empty for what a migration in Python does besides SQL."""
    if not script.way or statement.sql:
        return statement.sql or script.source.text[statement.start : statement.end]
    for block in script.blocks:
        if block.place is not None and block.place <= statement.start < block.place + len(block.sql):
            return script.source.text[statement.start : statement.end]
    return ""


class Session:
    """A connection on which scripts run. `access` is that of a throw-away server; None on a database that the user named.

    `keep` false: the caller's transaction is open, and is not ended here.
    """

    def __init__(self, connection: Connection[Any], access: Access | None = None, *, time_limit: float = 60.0, keep: bool = True) -> None:
        self.connection = connection
        self.access = access
        self.time_limit = time_limit
        self.keep = keep
        self.meanwhile: Callable[[], None] = lambda: None  # called after each statement that is watched, while its transaction is open
        self._absent: set[str] = set()  # extensions that are not what they are said to be

    def run(self, one: Parsed, *, watch: bool) -> Generator[Ran, None, bool]:
        """Run a script; whether all of it went well. With `watch` its statements are observed.

        What comes out of it is told before the transaction ends. After a failure the transaction is rolled back.
        """
        wrapped = runs_in_transaction(one)
        if wrapped:
            self._begin()
        for statement in one.statements:
            if wrapped and statement.alone is self._is_open() and (failed := self._alternate(statement)) is not None:
                yield failed
                return False
            sql = sql_of(one.script, statement)
            if reason := why_not_run(one.script, statement, sql):
                yield Ran(statement, sql, skipped=reason)
                continue
            done = self.statement(statement, sql, watch=watch)
            if done.failure is not None:
                self._abandon(done.failure)
                yield done
                return False
            yield done
        return (yield from self._finish(one, wrapped=wrapped))

    def _alternate(self, statement: Statement) -> Ran | None:
        """Out of the tool's transaction or into a new one; the failure of the commit."""
        if not statement.alone:
            self._begin()
            return None
        failure = self._end()
        return None if failure is None else Ran(statement, failure=failure, at_end=True)

    def _finish(self, one: Parsed, *, wrapped: bool) -> Generator[Ran, None, bool]:
        if self._is_open() and one.statements:
            explicit = not wrapped or any(isinstance(op, Begin) for s in one.statements for op in s.operations)
            if explicit and not wrapped:
                self.connection.execute("ROLLBACK")  # the script leaves it open, and its session ends
                return True
            if (failure := self._end()) is not None:
                yield Ran(one.statements[-1], sql_of(one.script, one.statements[-1]), failure=failure, at_end=True)
                return False
        elif self._is_open():
            self._end()
        return True

    def _begin(self) -> None:
        if self.keep:
            self._plain("BEGIN")

    def _end(self) -> Failure | None:
        if not self.keep:
            return None
        failure = self._limited("COMMIT").failure
        if failure is not None:
            self._abandon(failure)
        return failure

    def _plain(self, sql: str) -> None:
        failure = run(self.connection, sql).failure
        if failure is not None:
            self._abandon(failure)
            raise ServerError(f"the server refuses {sql}: {failure.message}")

    def _is_open(self) -> bool:
        from psycopg.pq import TransactionStatus

        return self.connection.info.transaction_status == TransactionStatus.INTRANS

    def statement(self, statement: Statement, sql: str, *, watch: bool) -> Ran:
        """One statement in whatever transaction is open. After a failure that transaction is left aborted."""
        notes: tuple[str, ...] = ()
        extension = next((op for op in statement.operations if isinstance(op, CreateExtension)), None)
        if extension is not None:
            way = way_of(self.connection, extension, sql, self.access)
            notes = (way.note,) if way.note else ()
            if way.note:
                self._absent.add(extension.name)
            if way.sql != sql:
                return self._instead(statement, sql, way.sql, notes)
        elif self._absent and is_about(sql, self._absent):
            return Ran(statement, sql, skipped="the extension is not there as it would be")
        if watch and not _is_control(statement):
            return self._watched(statement, sql)
        done = self._limited(sql)
        return Ran(statement, sql, failure=done.failure, rows=done.rows, seconds=done.seconds, notes=notes)

    def _instead(self, statement: Statement, sql: str, other: str, notes: tuple[str, ...]) -> Ran:
        failure = self._limited(other).failure if other else None
        return Ran(statement, sql, failure=failure, notes=notes, skipped="" if failure else notes[0])

    def _watched(self, statement: Statement, sql: str) -> Ran:
        with self._limit() as limit:
            if self._is_open():
                seen = observe_within(self.connection, sql)
                if seen.failure is None:
                    self.meanwhile()
            else:
                watcher = None if self.access is None else self.access.superuser(self.connection.info.dbname)
                seen = observe(self.connection, sql, watcher=watcher, meanwhile=self.meanwhile)
        failure = None if seen.failure is None else self._named(seen.failure, late=limit.expired)
        return Ran(statement, sql, seen, failure, rows=seen.rows, seconds=seen.seconds)

    def _limited(self, sql: str) -> Done:
        with self._limit() as limit:
            done = run(self.connection, sql)
        return done if done.failure is None else done._replace(failure=self._named(done.failure, late=limit.expired))

    def _named(self, failure: Failure, *, late: bool) -> Failure:
        if late:
            return failure._replace(message=f"it ran for longer than {self.time_limit:g} s and was stopped", sqlstate=CANCELLED)
        return failure

    def _abandon(self, failure: Failure) -> None:
        """After a failure: the transaction is over. Raises ServerError where it was the server that failed."""
        import psycopg

        if failure.sqlstate in _NO_ROOM:
            raise ServerError(f"the server ran out of room: {failure.message}")
        if self.connection.closed or failure.sqlstate.startswith(_CONNECTION_ENDS):
            if failure.sqlstate != CANCELLED:
                raise ServerError(f"the server ended the connection: {failure.message}")
            return
        if self.keep or failure.sqlstate != CANCELLED:
            with suppress(psycopg.Error):
                self.connection.execute("ROLLBACK")

    @contextmanager
    def _limit(self) -> Iterator[_Limit]:
        limit = _Limit(self.connection, self.time_limit)
        try:
            yield limit
        finally:
            limit.done()


class _Limit:
    """Stops what a connection runs after some seconds: asks first, then ends the session, because a function can catch the first."""

    def __init__(self, connection: Connection[Any], seconds: float) -> None:
        self.expired = False
        self._connection = connection
        self._over = threading.Event()
        self._thread: threading.Timer | None = threading.Timer(seconds, self._stop)
        self._thread.daemon = True
        self._thread.start()

    def done(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.cancel()

    def _stop(self) -> None:
        import psycopg

        self.expired = True
        with suppress(psycopg.Error):
            self._connection.cancel()
        if self._over.wait(3.0):
            return
        info = self._connection.info
        with suppress(psycopg.Error), psycopg.connect(info.dsn, password=info.password or None, autocommit=True) as other:
            other.execute("SELECT pg_catalog.pg_terminate_backend(%s)", (info.backend_pid,))


def _is_control(statement: Statement) -> bool:
    """Transaction control and settings lock no relation, and SET TRANSACTION bears no question before it."""
    return bool(statement.operations) and all(
        isinstance(operation, Begin | Commit | Rollback | SetParameter)
        or type(operation).__module__.endswith("programs")
        or (isinstance(operation, SessionCommand) and operation.command.lower().startswith("set"))
        or type(operation).__name__ in _CONTROL
        for operation in statement.operations
    )


_CONTROL = {"Savepoint", "ReleaseSavepoint", "RollbackToSavepoint", "PrepareTransaction", "ResetParameter", "SetRole", "SetConstraints"}


def why_not_run(script: Script, statement: Statement, sql: str) -> str:
    """Why the text cannot go to a server as it stands; empty if it can."""
    if not sql:
        return "a program, not SQL" if statement.unread else NO_SQL
    if script.way and _PARAMETER.search(sql):
        return "only the program knows the values of its parameters"
    reasons = (part.reason for part in statement.unread if not statement.operations)
    return next((reason for reason in reasons if reason.startswith(("psql meta-command", "template placeholder", "NUL byte"))), "")
