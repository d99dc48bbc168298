"""What PostgreSQL does when it runs one statement, asked of the server itself.

In: a connection to a server on which the statement may be run, and the statement. Out: an `Observation`, whose
`effects` are the same value that `replay` predicts. Nothing is guessed from the text: locks come from `pg_locks`,
rewrites from `pg_class.relfilenode`, scans and builds from the server's DEBUG1 messages and the transaction's counters.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.model.record import Record
from dbguard.model.state import Effects
from dbguard.postgres.brakes import ON_CATALOGS, brakes, read_locks
from dbguard.postgres.facts import MESSAGES, Facts, Relation, effects_of, held_modes, validated

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

ACTIVE_SQL_TRANSACTION = "25001"  # "cannot run inside a transaction block"
INVALID_TRANSACTION_TERMINATION = "2D000"  # COMMIT in a DO block or procedure that runs inside a transaction block
NO_ACTIVE_SQL_TRANSACTION = "25P01"  # "can only be used in transaction blocks"


class Failure(Record):
    """What the server says against a statement."""

    message: str
    sqlstate: str = ""
    position: int | None = None  # 1-based, in characters of the statement
    hint: str = ""
    context: str = ""


class Done(Record):
    """What came of running a statement."""

    rows: int = -1
    seconds: float = 0.0
    failure: Failure | None = None
    tag: str = ""  # the server's word for what ran: UPDATE, ALTER TABLE


class Observation(Record):
    effects: Effects
    facts: Facts = Facts()
    sqlstate: str | None = None  # of the error, if the statement failed
    failure: Failure | None = None
    rows: int = -1  # that a query touched, where the server tells
    seconds: float = 0.0  # of the statement alone; of one that forbids a transaction, with the pauses in which it was watched
    within: bool = False  # whether it ran in a transaction that was open before

    @property
    def held(self) -> Mapping[Name, frozenset[LockMode]]:
        """Locks that the transaction held before: taking one of them again does not show."""
        return held_modes(self.facts)


def observe(
    connection: Connection[Any],
    statement: str,
    *,
    keep: bool = True,
    watcher: str | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Observation:
    """Runs `statement` in a transaction of its own (outside one, if PostgreSQL insists) and tells what it did.

    The connection must be idle; `keep` false rolls back where that is possible. `watcher` is the connection string of a
    superuser, by default that of `connection`: only a superuser sees every lock of a statement that forbids a transaction.
    `meanwhile` is called while the statement's transaction is still open.
    """
    connection.autocommit = True
    connection.prepare_threshold = None  # DISCARD ALL would take away what psycopg has prepared
    with _listening(connection) as messages:
        required = _requires_transaction(connection, statement)
        connection.execute("BEGIN")
        seen = _inside(connection, statement, messages)
        if seen.failure is not None and not connection.closed:
            connection.execute("ROLLBACK")
        elif seen.failure is None:
            meanwhile()
            seen = _ended(connection, seen, "COMMIT" if keep else "ROLLBACK")
        if seen.sqlstate in {ACTIVE_SQL_TRANSACTION, INVALID_TRANSACTION_TERMINATION}:
            seen = _outside(connection, statement, seen.facts.before, messages, watcher)
            return seen._replace(effects=seen.effects._replace(transaction="forbidden"))
        return seen._replace(effects=seen.effects._replace(transaction="required")) if required else seen


def observe_within(connection: Connection[Any], statement: str) -> Observation:
    """Runs `statement` in the transaction that is open, and tells what it did on top of what that transaction did before.

    After a failure the transaction is left aborted, as PostgreSQL leaves it.
    """
    with _listening(connection) as messages:
        return _inside(connection, statement, messages)._replace(within=True)


@contextmanager
def apart(connection: Connection[Any]) -> Iterator[Cursor[Any]]:
    """A cursor for questions to the catalog that leave no trace, inside or outside a transaction.

    Whatever the session has set: names and operators mean PostgreSQL's own, and no limit on time applies.
    """
    from psycopg.pq import TransactionStatus

    inside = connection.info.transaction_status == TransactionStatus.INTRANS
    with connection.cursor() as cursor:
        cursor.execute(b"SAVEPOINT dbguard_apart;" + _APART if inside else b"BEGIN;" + _APART)
        yield cursor
        cursor.execute(b"ROLLBACK TO dbguard_apart; RELEASE dbguard_apart" if inside else b"ROLLBACK")


_APART = (
    b"SET LOCAL client_min_messages = warning; SET LOCAL search_path = pg_catalog; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'"
)


@contextmanager
def _listening(connection: Connection[Any]) -> Iterator[list[str]]:
    """What the server says of its own work, not what RAISE says."""
    messages: list[str] = []

    def listen(notice: Any) -> None:
        text = notice.message_primary or ""
        if text.startswith(MESSAGES) and notice.source_function != "exec_stmt_raise":
            messages.append(text)

    connection.add_notice_handler(listen)
    try:
        yield messages
    finally:
        connection.remove_notice_handler(listen)


def _requires_transaction(connection: Connection[Any], statement: str) -> bool:
    """Whether it is refused outside a transaction. Tried only with those words that PostgreSQL may refuse so."""
    import psycopg

    if not _MAY_REQUIRE.match(statement):
        return False
    try:
        connection.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate == NO_ACTIVE_SQL_TRANSACTION
    return False


_MAY_REQUIRE = re.compile(r"\s*(lock|savepoint|release|rollback\s+to|declare)\b", re.IGNORECASE)


def run(connection: Connection[Any], statement: str) -> Done:
    """Runs one statement as it stands. COPY FROM STDIN gets no rows."""
    import psycopg
    from psycopg.pq import ExecStatus

    began = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            if _COPIES.match(statement):
                with cursor.copy(statement.encode()) as copy:
                    while cursor.pgresult is not None and cursor.pgresult.status == ExecStatus.COPY_OUT and copy.read():
                        pass  # the connection is of no use until all is read
            else:
                cursor.execute(statement.encode())
            tag = cursor.statusmessage or ""
            return Done(cursor.rowcount, time.perf_counter() - began, None, tag.rstrip("0123456789 "))
    except psycopg.Error as error:
        return Done(-1, time.perf_counter() - began, failure_of(error))


_COPIES = re.compile(r"\s*copy\b(?:[^']|'[^']*')*?\b(?:from\s+stdin|to\s+stdout)\b", re.IGNORECASE)


def failure_of(error: Any) -> Failure:
    """The server's words, with no values of rows: those stand in its detail."""
    diag = error.diag
    position = diag.statement_position
    return Failure(
        message=(diag.message_primary or str(error).strip().splitlines()[0] if str(error).strip() else "the server closed the connection"),
        sqlstate=error.sqlstate or "",
        position=int(position) if position else None,
        hint=diag.message_hint or "",
        context=(diag.context or "").partition("\n")[0],
    )


def _inside(connection: Connection[Any], statement: str, messages: list[str]) -> Observation:
    with apart(connection) as cursor:
        before = _read_relations(cursor)
        held = frozenset(read_locks(cursor))
        scanned = _read_scanned(cursor)
        valid = frozenset(oid for (oid,) in cursor.execute("SELECT oid FROM pg_catalog.pg_constraint WHERE contype = 'f' AND convalidated"))
    connection.execute("SET LOCAL client_min_messages = debug1")
    messages.clear()
    done = run(connection, statement)
    if done.failure is not None:
        return _failed(done.failure, Facts(before=before, held=held), done.seconds)
    said = tuple(messages)
    with apart(connection) as cursor:
        facts = Facts(
            before=before,
            held=held,
            locks=frozenset(read_locks(cursor)),
            after=_read_relations(cursor),
            messages=said,
            scanned=tuple(oid for oid, times in _read_scanned(cursor).items() if times != scanned.get(oid)),
            foreign_keys=_read_foreign_keys(cursor, said, valid),
            tag=done.tag,
        )
    return Observation(effects_of(facts), facts, rows=done.rows, seconds=done.seconds)


def _ended(connection: Connection[Any], seen: Observation, end: str) -> Observation:
    """What is left to fail when the transaction ends: constraints that were deferred."""
    done = run(connection, end)
    return seen if done.failure is None else _failed(done.failure, seen.facts, seen.seconds + done.seconds)


def _failed(failure: Failure, facts: Facts, seconds: float) -> Observation:
    return Observation(Effects(fails=failure.message), facts, failure.sqlstate, failure, seconds=seconds)


def _outside(connection: Connection[Any], statement: str, before: Mapping[int, Relation], messages: list[str], watcher: str | None) -> Observation:
    """Runs the statement by itself while other sessions stop it at every change of the catalog to look at its locks."""
    from concurrent.futures import ThreadPoolExecutor

    connection.execute("SET client_min_messages = debug1")
    messages.clear()
    locks: set[tuple[int, LockMode]] = set()
    names = {oid: relation.name.name for oid, relation in before.items()}
    try:
        with ThreadPoolExecutor(1) as pool, brakes(connection, watcher) as brake:
            if not ON_CATALOGS.match(statement):
                brake.press()
            running = pool.submit(run, connection, statement)
            try:
                while not running.done():
                    locks.update(brake.step(running.done, names))
            except BaseException:
                connection.cancel()
                raise
            finally:
                brake.release()
            done = running.result()
    finally:
        if not connection.closed:
            connection.execute("RESET client_min_messages")
    said = tuple(messages)
    if done.failure is not None:
        return _failed(done.failure, Facts(before=before), done.seconds)
    with apart(connection) as cursor:
        after = _read_relations(cursor)
    facts = Facts(before=before, after=after, locks=frozenset(locks), messages=said, tag=done.tag)
    return Observation(effects_of(facts), facts, rows=done.rows, seconds=done.seconds)


_RELATIONS = """
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relfilenode, i.indrelid,
       (c.relispartition AND EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(c.oid) a
                                     JOIN pg_catalog.pg_partitioned_table p ON p.partdefid = a.relid))
       OR (c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                                       WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid >= 16384 AND t.typtype IN ('d', 'b', 'c'))),
       CASE WHEN c.relkind IN ('r', 'm') AND c.oid <> ALL (ARRAY(SELECT l.relation FROM pg_catalog.pg_locks l
           WHERE l.mode = 'AccessExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid() AND l.relation IS NOT NULL))
       THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'
"""


def _read_relations(cursor: Cursor[Any]) -> dict[int, Relation]:
    relations = {}
    for oid, schema, name, kind, file, table, silent, size in cursor.execute(_RELATIONS.encode()):
        full = Name("pg_temp" if schema.startswith("pg_temp_") else schema, name)
        relations[oid] = Relation(full, kind, file, table, bool(silent), size or 0)
    return relations


def _read_scanned(cursor: Cursor[Any]) -> dict[int, int]:
    """Sequential scans that this session began and has not reported yet, by relation."""
    return dict(cursor.execute("SELECT relid, seq_scan FROM pg_catalog.pg_stat_xact_user_tables WHERE seq_scan > 0"))


def _read_foreign_keys(cursor: Cursor[Any], messages: tuple[str, ...], valid: frozenset[int]) -> dict[str, tuple[Name, ...]]:
    """The referencing tables of the foreign keys that were validated; `valid` are those that were valid before."""
    names = validated(messages)
    if not names:
        return {}
    rows = cursor.execute(
        """
        SELECT k.oid, k.conname, n.nspname, c.relname FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND c.relkind = 'r' AND k.conname = ANY (%s) AND EXISTS (
            SELECT FROM pg_catalog.pg_locks l WHERE l.relation = k.conrelid AND l.pid = pg_catalog.pg_backend_pid()
            AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareRowExclusiveLock', 'AccessExclusiveLock'))
        """,
        (names,),
    )
    tables: dict[str, tuple[Name, ...]] = {}
    for oid, constraint, schema, table in rows:
        if oid in valid:
            continue
        tables[constraint] = (*tables.get(constraint, ()), Name("pg_temp" if schema.startswith("pg_temp_") else schema, table))
    return tables
