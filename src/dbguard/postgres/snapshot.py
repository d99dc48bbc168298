"""`take`: a snapshot of the database at the other end of a read-only connection (see `session`)."""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from dbguard.model.record import Record
from dbguard.model.snapshot import Activity, ColumnStatistics, Snapshot
from dbguard.postgres.masking import Choice, mask, without_values
from dbguard.postgres.session import guard
from dbguard.postgres.snapshot_activity import difference, read_activity, read_statements, read_transactions
from dbguard.postgres.snapshot_applied import read_applied
from dbguard.postgres.snapshot_heights import with_heights
from dbguard.postgres.snapshot_relations import read_relations
from dbguard.postgres.snapshot_schema import Dump, read_schema
from dbguard.postgres.snapshot_settings import read_extensions, read_locale, read_role_settings, read_settings
from dbguard.postgres.snapshot_statistics import read_columns, read_extended
from dbguard.reading.snapshots import arrange

if TYPE_CHECKING:
    from psycopg import Connection

LOCK_SECONDS = 1.0
MODES = ("none", "masked", "full")


class Wishes(Record):
    """What a snapshot shall hold."""

    values: str = "masked"  # of MODES: what becomes of values in statistics
    choice: Choice = Choice()  # columns to mask or to keep whatever their type and name
    sample: float | None = None  # seconds between two readings of the counters; None: since they were reset
    statements: int = 500  # of pg_stat_statements, by time


def take(connection: Connection[Any], wishes: Wishes = Wishes()) -> Snapshot:  # noqa: B008 - immutable
    """A snapshot of the database at the other end of a connection of `open_read_only`.

    Reads only, in one transaction (two with `sample`), and waits for nobody: what is locked is left out and said in `hidden`,
    or ends it with the server's error. Raises psycopg's errors, which `open_read_only` turns into ServerError.
    """
    dump = Dump(connection, LOCK_SECONDS)
    try:
        return _taken(connection, wishes, dump)
    finally:
        dump.stop()


def _taken(connection: Connection[Any], wishes: Wishes, dump: Dump) -> Snapshot:
    started = monotonic()
    info = connection.info
    activity, seconds = read_activity(connection)
    relations = read_relations(connection)
    columns, unseen = read_columns(connection)
    masked, unmasked = _masked(connection, columns, wishes)
    sizes = with_heights(connection, relations.by_oid)
    extended, lost = read_extended(connection)
    settings = read_settings(connection)
    applied, unread = read_applied(connection)
    statements = read_statements(connection, wishes.statements)
    transactions, untold = read_transactions(connection)
    schema = read_schema(connection, dump)
    snapshot = Snapshot(
        major=info.server_version // 10000,
        server_version=info.parameter_status("server_version") or "",
        database=info.dbname,
        taken=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        values=wishes.values,
        schema=schema.ddl,
        relations=tuple(sizes.values()),
        extended=tuple(extended),
        columns=tuple(masked),
        settings=settings,
        role_settings=read_role_settings(connection, {name for name, _ in settings}),
        extensions=read_extensions(connection),
        locale=read_locale(connection),
        roles=schema.roles,
        statements=statements.totals,
        statements_seconds=statements.seconds,
        longest_transactions=transactions,
        applied=tuple(applied),
        hidden=(*relations.hidden, *unseen, *unmasked, *lost, *schema.hidden, *unread, *statements.hidden, *untold, *_of_standby(connection)),
    )
    if wishes.sample is not None:
        activity, seconds = _sampled(connection, activity, started, wishes.sample)
    return arrange(snapshot._replace(activity=tuple(one for one in activity if any(one[1:])), seconds=seconds))


def _masked(connection: Connection[Any], columns: list[ColumnStatistics], wishes: Wishes) -> tuple[list[ColumnStatistics], list[str]]:
    match wishes.values:
        case "full":
            return columns, []
        case "none":
            return without_values(columns), []
        case _:
            return mask(connection, columns, wishes.choice)


def _sampled(connection: Connection[Any], before: list[Activity], started: float, seconds: float) -> tuple[list[Activity], float]:
    """Counters since `started`, at least so many seconds later. Statistics stand still within a transaction, so it ends first."""
    connection.rollback()
    sleep(max(0.0, started + seconds - monotonic()))
    guard(connection)
    after, _ = read_activity(connection)
    return difference(before, after), round(monotonic() - started, 3)


def _of_standby(connection: Connection[Any]) -> list[str]:
    row = connection.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchone()
    return ["read from a standby: its counters know its own reads and no writes"] if row is not None and row[0] else []
