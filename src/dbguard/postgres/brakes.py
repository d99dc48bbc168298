"""Stops a statement at every change of the catalog, so that the locks it holds on the way can be read one by one.

In: the connection that runs a statement which forbids a transaction. Out: the locks it held, by step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbguard.model.postgres import LockMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection, Cursor


def read_locks(cursor: Cursor[Any], pid: int | None = None) -> tuple[tuple[int, LockMode], ...]:
    """Locks on relations of this database that the session (by default the one asking) holds."""
    rows = cursor.execute(
        """
        SELECT relation, mode FROM pg_catalog.pg_locks
        WHERE pid = coalesce(%s::int, pg_catalog.pg_backend_pid()) AND granted AND locktype = 'relation'
          AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        """,
        (pid,),
    )
    return tuple((relation, LockMode.from_pg_locks(mode)) for relation, mode in rows)


# Statements that lock pg_class itself: stopping them there would stop the sessions that watch as well.
ON_CATALOGS = re.compile(
    r"\s*(reindex\s*(\(.*?\)\s*)?(database|system)\b|(vacuum|cluster)\b[^;]*pg_class|vacuum(\s*\(.*?\)|\s+full|\s+verbose|\s+analyze)*\s*;?\s*$)",
    re.IGNORECASE,
)


class Brakes:
    """Two sessions that take turns holding SHARE on pg_class: every change of the catalog needs ROW EXCLUSIVE there.

    While the statement waits for one, the other queues up behind the statement, so that it is stopped again at its
    next change. What it holds at each stop is read by a third session. The locks are on the catalog alone, and LOCK
    TABLE takes no snapshot, so none of CONCURRENTLY's own waits is prolonged.
    """

    def __init__(self, pid: int, holder: Connection[Any], next_holder: Connection[Any], watcher: Cursor[Any]) -> None:
        self.pid = pid
        self.holder = holder
        self.next_holder = next_holder
        self.watcher = watcher
        self.usable = False

    def press(self) -> None:
        import psycopg

        try:
            self.holder.execute("BEGIN")
            self.holder.execute("LOCK TABLE pg_catalog.pg_class IN SHARE MODE")
            self.usable = True
        except psycopg.errors.InsufficientPrivilege:
            self.holder.execute("ROLLBACK")

    def release(self) -> None:
        if self.usable:
            self.holder.execute("ROLLBACK")

    def step(self, done: Callable[[], bool], names: Mapping[int, str]) -> set[tuple[int, LockMode]]:
        """Lets the statement run to its next change of the catalog; returns the locks it held on the way.

        Relations renamed meanwhile are left out: REINDEX CONCURRENTLY locks an index for good only when it has another
        name and nobody uses it any more.
        """
        locks: set[tuple[int, LockMode]] = set()
        stopped = False
        while not stopped and not done():
            stopped = self.usable and self._is_stopped()
            locks.update(self._locks(names))
        if stopped:
            self.next_holder.execute("BEGIN")
            self.next_holder.pgconn.send_query(b"LOCK TABLE pg_catalog.pg_class IN SHARE MODE")
            self._wait_until_queued()
            self.holder.execute("ROLLBACK")
            self._finish_lock()
            self.holder, self.next_holder = self.next_holder, self.holder
        return locks

    def _locks(self, names: Mapping[int, str]) -> set[tuple[int, LockMode]]:
        held = read_locks(self.watcher, self.pid)
        current = dict(self.watcher.execute("SELECT oid, relname FROM pg_catalog.pg_class WHERE oid = ANY (%s)", ([oid for oid, _ in held],)))
        return {(oid, mode) for oid, mode in held if oid in current and names.get(oid) == current[oid]}

    def _is_stopped(self) -> bool:
        row = self.watcher.execute(_WAITING, (self.pid,)).fetchone()
        return bool(row and row[0])

    def _wait_until_queued(self) -> None:
        while not (row := self.watcher.execute(_WAITING, (self.next_holder.info.backend_pid,)).fetchone()) or not row[0]:
            if not self.next_holder.pgconn.is_busy():
                return
            self.next_holder.pgconn.consume_input()

    def _finish_lock(self) -> None:
        while self.next_holder.pgconn.get_result() is not None:
            pass


@contextmanager
def brakes(connection: Connection[Any], watcher: str | None = None) -> Iterator[Brakes]:
    """Brakes for what `connection` runs; `watcher` is the connection string of a superuser, by default that of `connection`."""
    import psycopg

    dsn = watcher or connection.info.dsn
    password = None if watcher else connection.info.password or None
    pid = connection.info.backend_pid
    with (
        psycopg.connect(dsn, password=password, autocommit=True) as one,
        psycopg.connect(dsn, password=password, autocommit=True) as two,
        psycopg.connect(dsn, password=password, autocommit=True) as looking,
    ):
        for session in (one, two, looking):
            session.execute("SET search_path = ''")
        yield Brakes(pid, one, two, looking.cursor())


_WAITING = """
SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_locks
WHERE pid = %s AND NOT granted AND locktype = 'relation' AND relation = 'pg_catalog.pg_class'::pg_catalog.regclass
"""
