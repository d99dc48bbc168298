"""Which queries wait while a step of a migration is held open, and which it breaks: tried, not computed.

In: queries, and the connection on which the migration runs. Another session plans each query with a lock timeout: what it
cannot lock within that time would wait. What the schema of the open transaction refuses to prepare stops working when it is
committed. Queries are planned, never run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dbguard.model.record import Record

if TYPE_CHECKING:
    from psycopg import Connection

LOCK_TIMEOUT = "50ms"
LOCK_NOT_AVAILABLE = "55P03"


class Query(Record):
    shape: str
    shown: str  # without constants
    sql: str  # with $1, $2 ...


Found = tuple[str, str, str]
"""The shape, what is shown of it, and the error if it has one."""


class Queries:
    """Queries tried beside a migration. `begin` before each script, `beside` after each of its steps; `taken` tells what was found."""

    def __init__(self, queries: Iterable[Query], connection: Connection[Any]) -> None:
        import psycopg

        info = connection.info
        self._migrating = connection
        self._aside = psycopg.connect(info.dsn, password=info.password or None, autocommit=True, prepare_threshold=None)
        self._aside.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'; SET plan_cache_mode = force_generic_plan; SET statement_timeout = '10s'")
        self._queries = tuple(queries)
        self._works: dict[str, bool] = {}
        self._needs: dict[str, frozenset[tuple[int, str]]] = {}
        self._waits: list[Found] = []
        self._breaks: list[Found] = []

    def begin(self) -> None:
        """Which queries work now, and what they lock."""
        for query in self._queries:
            self._works[query.shape] = self._plan(query) == ""

    def beside(self) -> None:
        """Tries every query that works, from another session and on the schema that the open transaction leaves."""
        answers: dict[frozenset[tuple[int, str]], bool] = {}
        for query in self._queries:
            if not self._works[query.shape]:
                continue
            needs = self._needs[query.shape]
            if needs not in answers:
                answers[needs] = self._plan(query, known=True) == LOCK_NOT_AVAILABLE
            if answers[needs]:
                self._waits.append((query.shape, query.shown, ""))
        self._break()

    def taken(self) -> tuple[list[Found], list[Found]]:
        """What waits and what breaks, since the last time this was asked."""
        found = self._waits, self._breaks
        self._waits, self._breaks = [], []
        return found

    def close(self) -> None:
        self._aside.close()

    def _plan(self, query: Query, *, known: bool = False) -> str:
        """The SQLSTATE of what keeps the query from being planned in the other session; empty if nothing does."""
        import psycopg

        connection = self._aside
        connection.execute("BEGIN")
        try:
            arguments = _prepare(connection, query)
            try:
                connection.execute("SAVEPOINT planned")
                connection.execute(f"EXPLAIN EXECUTE dbguard_query{arguments}".encode())
            except psycopg.Error as error:
                if error.sqlstate == LOCK_NOT_AVAILABLE:
                    raise
                connection.execute("ROLLBACK TO planned")  # made-up parameters can be refused; its tables were locked when it was prepared
            for table in _linked(connection):
                connection.execute(f"LOCK TABLE ONLY {table} IN ROW SHARE MODE".encode())
            if not known:
                self._needs[query.shape] = frozenset(connection.execute(_LOCKS).fetchall())
        except psycopg.Error as error:
            return error.sqlstate or "unknown"
        finally:
            connection.execute("ROLLBACK")
            connection.execute("DEALLOCATE ALL")
        return ""

    def _break(self) -> None:
        """Queries that the schema of the open transaction refuses, and those that it is the first to know."""
        import psycopg

        connection = self._migrating
        for query in self._queries:
            connection.execute("SAVEPOINT dbguard_query")
            try:
                _prepare(connection, query)
                works, message = True, ""
            except psycopg.Error as error:
                works, message = False, error.diag.message_primary or "it fails"
            connection.execute("ROLLBACK TO dbguard_query; RELEASE dbguard_query")
            if works:
                connection.execute("DEALLOCATE dbguard_query")
            elif self._works[query.shape]:
                self._works[query.shape] = False
                self._breaks.append((query.shape, query.shown, message))


def _prepare(connection: Connection[Any], query: Query) -> str:
    """Prepares the query; its arguments, all NULL, as EXECUTE takes them."""
    connection.execute(f"PREPARE dbguard_query AS {query.sql}".encode())
    row = connection.execute(
        "SELECT pg_catalog.cardinality(parameter_types) FROM pg_catalog.pg_prepared_statements WHERE name = 'dbguard_query'"
    ).fetchone()
    count = int(row[0]) if row else 0
    return f"({', '.join(['NULL'] * count)})" if count else ""


_LOCKS = """
SELECT relation, mode FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND relation >= 16384
"""


def _linked(connection: Connection[Any]) -> list[str]:
    """Tables at the other end of foreign keys of what the query writes: each row written is checked there (ri_triggers.c)."""
    rows = connection.execute(
        """
        SELECT DISTINCT o.oid::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_locks l
        JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND l.relation IN (k.conrelid, k.confrelid)
        JOIN pg_catalog.pg_class o ON o.oid IN (k.conrelid, k.confrelid) AND o.oid <> l.relation
        WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND o.relkind IN ('r', 'p')
        """
    )
    return [name for (name,) in rows]
