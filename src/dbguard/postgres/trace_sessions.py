"""Where scripts run: a database of its own on a throw-away server, or one that the user calls disposable. Out: a `Session`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dbguard.errors import ServerError
from dbguard.model.names import Name
from dbguard.model.source import Parsed
from dbguard.postgres.connect import connecting, describe, parameters, secrets, shown
from dbguard.postgres.observe import Observation, failure_of
from dbguard.postgres.roles import Access
from dbguard.postgres.trace import Session
from dbguard.postgres.trace_rows import rehearse, rows_in

SECONDS_TO_CONNECT = "10"


@contextmanager
def on_throw_away(access: Access, extensions: tuple[str, ...], time_limit: float) -> Iterator[Session]:
    """An empty database, dropped afterwards. Raises ServerError if the server does not answer any more."""
    import psycopg

    try:
        name = access.create_database(extensions)
        with psycopg.connect(access.dsn(name), autocommit=True, prepare_threshold=None) as connection:
            yield Session(connection, access, time_limit=time_limit)
        access.drop_database(name)
    except psycopg.OperationalError as error:
        raise ServerError(f"the throw-away server does not answer any more: {failure_of(error).message}") from None


@contextmanager
def on_database(dsn: str, lock_timeout: str, time_limit: float, *, keep: bool) -> Iterator[Session]:
    """The database that is named. Whatever transaction is left open is rolled back. Raises UsageError and ServerError."""
    import psycopg

    given = parameters(dsn)
    with connecting(given):
        settings: dict[str, Any] = {"connect_timeout": SECONDS_TO_CONNECT, "application_name": "dbguard", **given}
        connection = psycopg.connect(**settings, autocommit=True, prepare_threshold=None)
    try:
        connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, false)", (lock_timeout,))
        yield Session(connection, time_limit=time_limit, keep=keep)
    except psycopg.Error as error:
        raise ServerError(f"{shown(given)} cannot be used: {describe(error, secrets(given))}") from None
    finally:
        connection.close()


def rehearsed(session: Session, one: Parsed, deciding: Mapping[int, frozenset[Name]]) -> Mapping[int, Observation]:
    """What the statements in `deciding` (by `id`) do to rows, seen on rows made up in the tables it names, before the script runs."""
    import psycopg

    wanted: Iterable[Name] = sorted(frozenset().union(*deciding.values()))
    dsn = session.connection.info.dsn
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection, rows_in(connection, wanted) as tables:
        if not tables:
            return {}
        with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as aside:
            _copy_settings(session.connection, aside)
            return rehearse(Session(aside, session.access, time_limit=session.time_limit), one, deciding, tables)


def _copy_settings(from_connection: Any, to_connection: Any) -> None:
    rows = from_connection.execute("SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session' AND name <> 'client_min_messages'")
    for name, setting in rows.fetchall():
        to_connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, setting))
