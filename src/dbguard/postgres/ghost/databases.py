"""Databases made of files that are at hand: names and bytes in, a database of a running server out.

CREATE DATABASE copies a database file by file, each as long as it is; that takes seconds for a thousand relations, and for ever where files are
terabytes long. Here a row of pg_database and a folder are made directly, as that command does in the end (dbcommands.c).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from dbguard.postgres.ghost.files import File
from dbguard.postgres.ghost.pack import Contents, write_database
from dbguard.postgres.roles import Access

GHOST = "ghost"

_ENTRY = """
INSERT INTO pg_catalog.pg_database
SELECT (pg_catalog.jsonb_populate_record(d, pg_catalog.jsonb_build_object('oid', %s::oid, 'datname', %s::text))).*
FROM pg_catalog.pg_database d WHERE d.datname = %s"""


def make(access: Access, name: str, contents: Contents, long: Mapping[str, File]) -> Path:
    """Makes a database like the ghost's own, of these files, those in `long` as long as said there; returns its folder."""
    import psycopg

    data = access.server.folder / "data"
    status = data.stat()
    owner = (status.st_uid, status.st_gid) if status.st_uid != os.geteuid() else None
    with psycopg.connect(access.superuser(GHOST), autocommit=True) as connection:
        row = connection.execute("SELECT pg_catalog.pg_nextoid('pg_database', 'oid', 'pg_database_oid_index')::bigint").fetchone()
        assert row is not None
        folder = data / "base" / str(row[0])
        try:
            write_database(folder, contents, long, owner)
            connection.execute(b"SET allow_system_table_mods = on")
            connection.execute(_ENTRY, (row[0], name, GHOST))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return folder


def drop(access: Access, name: str) -> None:
    import psycopg

    with psycopg.connect(access.superuser(GHOST), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def checkpoint(access: Access) -> None:
    """After it, files hold what the server knows."""
    import psycopg

    with psycopg.connect(access.superuser(GHOST), autocommit=True) as connection:
        connection.execute(b"CHECKPOINT")
