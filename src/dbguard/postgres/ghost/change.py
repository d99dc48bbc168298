"""What a ghost becomes after more DDL: the short files of a ghost and statements in, another database out.

Sizes and statistics belong to OIDs and column numbers, so a renamed table or column keeps them. A column whose type changes loses its
statistics in PostgreSQL until the next ANALYZE; here they are put back where its old values are values of the new type.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dbguard.errors import ServerError
from dbguard.model.record import Record
from dbguard.model.snapshot import ColumnStatistics, Snapshot
from dbguard.postgres.ghost import candidates, databases, roles, sizes, statistics
from dbguard.postgres.ghost.build import Built
from dbguard.postgres.ghost.files import inflate
from dbguard.postgres.ghost.pack import Contents, read_database
from dbguard.postgres.ghost.schema import run_all, statements_of
from dbguard.postgres.roles import Access

if TYPE_CHECKING:
    from psycopg import Connection

_Key = tuple[int, int, bool]
# Such a statement reads no page of an index that exists, and writes those of a btree past shared buffers (nbtsort.c). Other methods use them.
_ONLY_ADDS = re.compile(r"\s*CREATE\s+(?:UNIQUE\s+)?INDEX\b(?!.*\bUSING\s+(?!btree\b))", re.IGNORECASE | re.DOTALL)


class Origin(Record):
    """A ghost before any more DDL."""

    access: Access
    snapshot: Snapshot
    built: Built
    contents: Contents  # its short files


def change(origin: Origin, running: str, name: str, ddl: Sequence[str]) -> Built:
    """Makes a database called `name`. `running` is asked how many rows a predicate leaves. Raises ServerError with a statement that fails."""
    import psycopg

    statements = statements_of(ddl)
    try:
        if all(_ONLY_ADDS.match(statement) for statement in statements):
            return _with_indexes(origin, running, name, statements)
        return _with_anything(origin, running, name, statements)
    except psycopg.Error as error:
        raise ServerError(f"the ghost cannot be changed: {error.diag.message_primary or error}") from None
    except OSError as error:
        raise ServerError(f"the ghost's files cannot be made: {error.strerror or error}") from None


def _with_indexes(origin: Origin, running: str, name: str, statements: Sequence[str]) -> Built:
    """Only tables must be short while indexes are made; nothing else changes."""
    import psycopg

    access, _, built, contents = origin
    tables = [file for file in built.files if not file.method]
    folder = databases.make(access, name, contents, {file.node: file for file in built.files if file.method})
    with psycopg.connect(access.superuser(name), autocommit=True) as connection:
        connection.execute(b"SET allow_system_table_mods = on")
        _run(access, name, statements)
        with connection.transaction():
            new = sizes.stored(connection, max(built.sizes, default=sizes.FIRST_OID))
            measured = candidates.measure(connection, access, running, new, built.sizes)
            sizes.write_sizes(connection, measured | {one.table: built.sizes[one.table] for one in new if one.table in built.sizes})
            files = sizes.files(connection, new, measured)
    inflate(folder, [*tables, *files])
    return built._replace(sizes=built.sizes | measured, files=(*built.files, *files))


def _run(access: Access, name: str, statements: Sequence[str]) -> None:
    import psycopg

    with psycopg.connect(access.dsn(name), autocommit=True) as restricted:
        restricted.execute(b"SET statement_timeout = '60s'")
        run_all(restricted, statements)


def _with_anything(origin: Origin, running: str, name: str, statements: Sequence[str]) -> Built:
    """DDL may read pages of indexes into shared buffers, so it runs in a database of its own, whose files are copied then."""
    short = f"{name}_short"
    try:
        folder = databases.make(origin.access, short, origin.contents, {})
        changed = _change(origin, short, running, statements)
        databases.checkpoint(origin.access)
        databases.make(origin.access, name, read_database(folder), {file.node: file for file in changed.files})
    finally:
        databases.drop(origin.access, short)
    return changed


def _change(origin: Origin, name: str, running: str, statements: Sequence[str]) -> Built:
    import psycopg

    access, snapshot, built, _ = origin
    with psycopg.connect(access.superuser(name), autocommit=True) as connection:
        connection.execute(b"SET allow_system_table_mods = on")
        before = _statistics(connection)
        nodes = {one.oid: one.node for one in sizes.stored(connection)}
        _run(access, name, statements)
        with connection.transaction():
            here = sizes.stored(connection)
            lost = _put_back(connection, before, snapshot)
            new = candidates.measure(connection, access, running, here, built.sizes)
            known = {one.oid: _kept(built.sizes[one.oid], rewritten=nodes[one.oid] != one.node) for one in here if one.oid in built.sizes} | new
            sizes.write_sizes(connection, known)
            roles.guard_tables(connection)
            return built._replace(lost=(*built.lost, *lost), sizes=known, files=tuple(sizes.files(connection, here, known)))


def _kept(size: sizes.Size, *, rewritten: bool) -> sizes.Size:
    """A table that was written again has no visibility map until the next VACUUM (`finish_heap_swap`, cluster.c): index-only scans read the table."""
    return size._replace(all_visible=0, all_frozen=0) if rewritten else size


def _statistics(connection: Connection[Any]) -> dict[_Key, tuple[str, str, str]]:
    """Names of the columns that have statistics now."""
    return {
        (oid, number, inherited): (schema, relation, column)
        for oid, number, inherited, schema, relation, column in connection.execute(_HELD.encode())
    }


def _put_back(connection: Connection[Any], before: dict[_Key, tuple[str, str, str]], snapshot: Snapshot) -> list[str]:
    held = {(oid, number, inherited) for oid, number, inherited in connection.execute(_KEYS)}
    missing = {key: names for key, names in before.items() if key not in held}
    if not missing:
        return []
    here = set(statistics.attributes(connection).values())
    by_name = {(one.relation.schema, one.relation.name, one.column, one.inherited): one for one in snapshot.columns}
    given: dict[_Key, ColumnStatistics] = {}
    for key, names in missing.items():
        one = by_name.get((*names, key[2]))
        if one is not None and key[:2] in here:
            given[key] = one
    return statistics.restore(connection, given)


_KEYS = b"SELECT starelid, staattnum, stainherit FROM pg_statistic WHERE starelid >= 16384"
_HELD = """
SELECT s.starelid, s.staattnum, s.stainherit, n.nspname::text, c.relname::text, a.attname::text
FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum WHERE s.starelid >= 16384 AND NOT a.attisdropped"""
