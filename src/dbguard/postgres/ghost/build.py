"""Builds the database of a ghost: a server just started and a snapshot in, a database with schema and statistics and short files out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbguard.errors import ServerError
from dbguard.model.names import quote
from dbguard.model.record import Record
from dbguard.model.snapshot import Snapshot
from dbguard.postgres.ghost import extended, locale, roles, settings, sizes, statistics
from dbguard.postgres.ghost.databases import GHOST
from dbguard.postgres.ghost.files import File
from dbguard.postgres.ghost.schema import run_schema
from dbguard.postgres.ghost.stubs import Stubs
from dbguard.postgres.roles import HARMLESS_EXTENSIONS, ROLE, Access, without_superuser

if TYPE_CHECKING:
    from psycopg import Connection

    from dbguard.postgres.embedded import Server


class Built(Record):
    """What is known of a ghost once it is built. OIDs and names of files are the same in every copy of its database."""

    lost: tuple[str, ...]
    sizes: dict[int, sizes.Size]
    files: tuple[File, ...]
    folder: str  # of the database, below the data folder

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "sizes": list(self.sizes.items())}

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> Built:
        """Raises KeyError or TypeError for what `as_json` did not make."""
        measured = {oid: sizes.Size(*fields) for oid, fields in value["sizes"]}
        return cls(tuple(value["lost"]), measured, tuple(File(*fields) for fields in value["files"]), value["folder"])


def build(server: Server, snapshot: Snapshot) -> Built:
    """Makes the database `ghost`, with short files. Raises ServerError if the server does not take the snapshot at all."""
    import psycopg

    access = without_superuser(server)
    try:
        lost = _make_database(access, snapshot)
        lost += _load(access, snapshot)
        with psycopg.connect(access.superuser(GHOST), autocommit=True) as connection:
            connection.execute(b"SET allow_system_table_mods = on")
            with connection.transaction():
                measured, missing = _write_statistics(connection, snapshot, server.major)
                lost += missing
                roles.guard_tables(connection)
                connection.execute(b"UPDATE pg_catalog.pg_class SET relispopulated = true WHERE relkind = 'm' AND NOT relispopulated")
                made = sizes.files(connection, sizes.stored(connection), measured)
            row = connection.execute("SELECT oid::bigint FROM pg_catalog.pg_database WHERE datname = current_database()").fetchone()
    except psycopg.Error as error:
        raise ServerError(f"the ghost's server does not take this snapshot: {error.diag.message_primary or error}") from None
    assert row is not None
    return Built(tuple(lost), measured, tuple(made), f"base/{row[0]}")


def _make_database(access: Access, snapshot: Snapshot) -> list[str]:
    import psycopg

    with psycopg.connect(access.superuser("template1"), autocommit=True) as connection:
        lost = locale.create_database(connection, GHOST, ROLE, snapshot)
        roles.create_caller(connection, snapshot.roles)
        lost += settings.apply(connection, roles.CALLER, snapshot)
    with psycopg.connect(access.superuser(GHOST), autocommit=True) as connection:
        connection.execute(f"ALTER SCHEMA public OWNER TO {ROLE}".encode())
        connection.execute(b"REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    return lost


def _load(access: Access, snapshot: Snapshot) -> list[str]:
    """Runs the DDL of the snapshot as the role without superuser."""
    import psycopg

    with (
        psycopg.connect(access.superuser(GHOST), autocommit=True) as superuser,
        psycopg.connect(access.dsn(GHOST), autocommit=True) as connection,
    ):
        superuser.execute(b"SET allow_system_table_mods = off")
        connection.execute(b"SET statement_timeout = '120s'")
        stubs = Stubs(superuser)

        def create(name: str, schema: str) -> None:
            superuser.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)} AUTHORIZATION {ROLE}".encode())
            if not _create_extension(superuser, name, schema):
                stubs.expect(name, schema)

        lost = run_schema(connection, snapshot.schema, create, stubs.meet)
        return stubs.lost() + lost


def _create_extension(connection: Connection[Any], name: str, schema: str) -> bool:
    """Creates an extension that is there and that cannot reach out of the database."""
    import psycopg

    row = connection.execute("SELECT pg_catalog.bool_or(trusted) FROM pg_catalog.pg_available_extension_versions WHERE name = %s", (name,)).fetchone()
    if row is None or row[0] is None or not (row[0] or name in HARMLESS_EXTENSIONS):
        return False
    try:
        connection.execute(f"CREATE EXTENSION IF NOT EXISTS {quote(name)} SCHEMA {quote(schema)} CASCADE".encode())
    except psycopg.Error:
        return False
    return True


def _write_statistics(connection: Connection[Any], snapshot: Snapshot, major: int) -> tuple[dict[int, sizes.Size], list[str]]:
    measured, lost = sizes.wanted(snapshot.relations, sizes.stored(connection), major, snapshot.major)
    sizes.write_sizes(connection, measured)
    lost += statistics.restore(connection, statistics.match(connection, snapshot.columns))
    lost += extended.restore(connection, snapshot.extended)
    return measured, lost
