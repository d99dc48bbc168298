"""The one way to a database that somebody names: a connection that cannot write, cannot wait and cannot stay.

In: a connection string, or the environment (see `connect`). Out: a psycopg connection, inside a READ ONLY transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbguard.errors import ServerError, UsageError
from dbguard.model.postgres import OLDEST
from dbguard.model.record import Record
from dbguard.postgres.connect import advice, connecting, describe, parameters, secrets, shown

if TYPE_CHECKING:
    from psycopg import Connection

SECONDS_TO_CONNECT = 10


class Limits(Record):
    """How long anything may take, in seconds."""

    statement: float = 60.0
    lock: float = 1.0
    idle: float = 120.0


@contextmanager
def open_read_only(dsn: str | None = None, *, limits: Limits = Limits(), application: str = "dbguard") -> Iterator[Connection[Any]]:  # noqa: B008 - immutable
    """A connection to the database that is named. It is never in autocommit: every statement runs in a READ ONLY transaction.

    `search_path` is empty, so names must be complete, and no function of the user stands in for one of PostgreSQL.
    Through a pooler in transaction mode nothing may outlive a transaction: after `rollback`, call `guard` again. Raises
    UsageError if no database is named, ServerError if it does not answer, also midway.
    """
    import psycopg

    given = parameters(dsn)
    settings = {"connect_timeout": str(SECONDS_TO_CONNECT), "keepalives_idle": "20", "application_name": application, "client_encoding": "utf8"}
    with connecting(given):
        connection = psycopg.connect(**{**settings, **given, "application_name": application, "client_encoding": "utf8"}, prepare_threshold=None)  # type: ignore[arg-type]
    try:
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        guard(connection, limits)
        if connection.info.server_version < OLDEST * 10000:
            version = connection.info.parameter_status("server_version")
            raise UsageError(f"{shown(given)} is PostgreSQL {version}: dbguard reads {OLDEST} and later")
        yield connection
    except psycopg.Error as error:
        reason = describe(error, secrets(given))
        if connection.closed:
            raise ServerError(f"{shown(given)} closed the connection: {reason}") from None
        raise ServerError(f"cannot read {shown(given)}: {reason}{advice(reason)}") from None
    finally:
        _close(connection)


def _close(connection: Connection[Any]) -> None:
    """Ends the transaction first: a pooler throws away a connection to the server whose client leaves in the middle of one."""
    import psycopg
    from psycopg.pq import TransactionStatus

    try:
        if connection.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
            connection.rollback()
    except psycopg.Error:
        pass
    finally:
        connection.close()


def guard(connection: Connection[Any], limits: Limits = Limits()) -> None:  # noqa: B008 - immutable
    """Begins a READ ONLY transaction and sets its limits. SET LOCAL alone: behind a pooler the session belongs to others."""
    settings = {
        "transaction_read_only": "on",
        "default_transaction_read_only": "on",
        "statement_timeout": f"{int(limits.statement * 1000)}",
        "lock_timeout": f"{int(limits.lock * 1000)}",
        "idle_in_transaction_session_timeout": f"{int(limits.idle * 1000)}",
        "search_path": "",
        "datestyle": "ISO, YMD",
        "intervalstyle": "postgres",
        "extra_float_digits": "1",
        "bytea_output": "hex",
        "jit": "off",
        "max_parallel_workers_per_gather": "0",
    }
    connection.execute("; ".join(f"SET LOCAL {name} = '{value}'" for name, value in settings.items()).encode())


def is_pooled(connection: Connection[Any]) -> bool:
    """Whether a pooler stands between: the process that answers is not the one that greeted."""
    row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    return row is None or row[0] != connection.info.backend_pid
