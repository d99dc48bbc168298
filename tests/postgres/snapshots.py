"""What tests of snapshots share."""

from __future__ import annotations

import psycopg

from dbguard.postgres.session import open_read_only
from dbguard.postgres.snapshot import Wishes, take


def make_role(server, name):
    """A role that may log in, once per server: roles are not of a database."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
            connection.execute(f"CREATE ROLE {name} LOGIN")


def taken(dsn, role="", **wishes):
    """A snapshot of the database as a role sees it."""
    with open_read_only(dsn.replace("user=postgres", f"user={role}") if role else dsn) as connection:
        return take(connection, Wishes(**wishes))


def run(dsn, *statements):
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def index_order(connection):
    return connection.execute(
        "SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index WHERE indrelid >= 16384"
        " AND indrelid::regclass::text NOT LIKE 'pg_toast%' ORDER BY indrelid::regclass::text COLLATE \"C\", indexrelid"
    ).fetchall()


def by_column(snapshot):
    """Statistics by `relation.column` without the schema `public`."""
    return {f"{str(one.relation).removeprefix('public.')}.{one.column}": one for one in snapshot.columns if not one.inherited}
