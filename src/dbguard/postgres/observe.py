"""What PostgreSQL does when it runs one statement, asked of the server itself.

In: a connection to a server on which the statement may be run, and the statement. Out: an `Observation`, whose
`effects` are the same value that `replay` predicts. Nothing is guessed from the text: locks come from `pg_locks`,
rewrites from `pg_class.relfilenode`, scans and builds from the server's DEBUG1 messages and the transaction's counters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.model.record import Record
from dbguard.model.state import Effects, Lock
from dbguard.postgres.brakes import ON_CATALOGS, brakes, read_locks

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

ACTIVE_SQL_TRANSACTION = "25001"  # "cannot run inside a transaction block"
INVALID_TRANSACTION_TERMINATION = "2D000"  # COMMIT in a DO block or procedure that runs inside a transaction block
NO_ACTIVE_SQL_TRANSACTION = "25P01"  # "can only be used in transaction blocks"


class Relation(Record):
    """One row of pg_class, as far as effects ask for it."""

    name: Name
    kind: str  # relkind
    file: int  # relfilenode
    table: int | None  # oid of the table, of an index
    silent: bool  # PostgreSQL reads it in full without a message in some statements, see `_silent_scans`
    bytes: int


class Facts(Record):
    """What was read from the server around one statement."""

    before: Mapping[int, Relation] = {}
    after: Mapping[int, Relation] = {}
    locks: tuple[tuple[int, LockMode], ...] = ()
    messages: tuple[str, ...] = ()  # DEBUG1 and above, in order
    scanned: tuple[int, ...] = ()  # relations that were read sequentially in the transaction
    foreign_keys: Mapping[str, tuple[Name, ...]] = {}  # constraint name -> referencing tables


class Observation(Record):
    effects: Effects
    facts: Facts
    sqlstate: str | None = None  # of the error, if the statement failed
    messages: tuple[str, ...] = ()


def observe(connection: Connection[Any], statement: str, *, keep: bool = True) -> Observation:
    """Runs `statement` in a transaction of its own (outside one, if PostgreSQL insists) and tells what it did.

    The connection must be idle; `keep` false rolls back where that is possible. The user must be allowed to read
    pg_locks; to see every lock of a statement that forbids a transaction, it must be a superuser.
    """
    import psycopg

    connection.autocommit = True
    messages: list[str] = []

    def listen(notice: psycopg.errors.Diagnostic) -> None:
        messages.append(notice.message_primary or "")

    connection.add_notice_handler(listen)
    try:
        required = _requires_transaction(connection, statement)
        connection.execute("SET client_min_messages = debug1")
        seen = _inside_transaction(connection, statement, messages, keep=keep)
        if seen.sqlstate in {ACTIVE_SQL_TRANSACTION, INVALID_TRANSACTION_TERMINATION}:
            messages.clear()
            seen = _outside_transaction(connection, statement, messages)
            return seen._replace(effects=seen.effects._replace(transaction="forbidden"))
        return seen._replace(effects=seen.effects._replace(transaction="required")) if required else seen
    finally:
        connection.remove_notice_handler(listen)
        connection.execute("RESET client_min_messages")


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


def _inside_transaction(connection: Connection[Any], statement: str, messages: list[str], *, keep: bool) -> Observation:
    import psycopg

    with connection.cursor() as cursor:
        before = _read_relations(cursor)
        cursor.execute("BEGIN")
        scanned = _read_scanned(cursor)
        messages.clear()
        try:
            cursor.execute(statement.encode())
            said = tuple(messages)
            facts = Facts(
                before=before,
                locks=read_locks(cursor),
                after=_read_relations(cursor),
                messages=said,
                scanned=tuple(oid for oid, times in _read_scanned(cursor).items() if times != scanned.get(oid)),
                foreign_keys=_read_foreign_keys(cursor, said),
            )
            cursor.execute("COMMIT" if keep else "ROLLBACK")
        except psycopg.Error as error:
            if not connection.closed:
                cursor.execute("ROLLBACK")
            return _failed(error, before, messages)
    return Observation(_effects(facts), facts, None, facts.messages)


def _failed(error: Any, before: Mapping[int, Relation], messages: list[str]) -> Observation:
    text = error.diag.message_primary or str(error)
    return Observation(Effects(fails=text), Facts(before=before), error.sqlstate, tuple(messages))


def _outside_transaction(connection: Connection[Any], statement: str, messages: list[str]) -> Observation:
    """Runs the statement by itself while other sessions stop it at every change of the catalog to look at its locks."""
    from concurrent.futures import ThreadPoolExecutor

    import psycopg

    with connection.cursor() as cursor:
        before = _read_relations(cursor)
        messages.clear()
        locks: set[tuple[int, LockMode]] = set()
        names = {oid: relation.name.name for oid, relation in before.items()}
        with ThreadPoolExecutor(1) as pool, brakes(connection) as brake:
            if not ON_CATALOGS.match(statement):
                brake.press()
            running = pool.submit(connection.execute, statement.encode())
            try:
                while not running.done():
                    locks.update(brake.step(running.done, names))
            finally:
                brake.release()
            try:
                running.result()
            except psycopg.Error as error:
                return _failed(error, before, messages)
        said = tuple(messages)
        facts = Facts(before=before, after=_read_relations(cursor), locks=tuple(locks), messages=said)
    return Observation(_effects(facts), facts, None, said)


_RELATIONS = """
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relfilenode, i.indrelid,
       (c.relispartition AND EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(c.oid) a
                                     JOIN pg_catalog.pg_partitioned_table p ON p.partdefid = a.relid))
       OR (c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                                       WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid >= 16384 AND t.typtype IN ('d', 'b', 'c'))),
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END
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


def _read_foreign_keys(cursor: Cursor[Any], messages: Iterable[str]) -> dict[str, tuple[Name, ...]]:
    names = [found[1] for message in messages if (found := _VALIDATES.fullmatch(message))]
    if not names:
        return {}
    rows = cursor.execute(
        """
        SELECT k.conname, n.nspname, c.relname FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND c.relkind = 'r' AND k.conname = ANY (%s) AND EXISTS (
            SELECT FROM pg_catalog.pg_locks l WHERE l.relation = k.conrelid AND l.pid = pg_catalog.pg_backend_pid()
            AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareRowExclusiveLock', 'AccessExclusiveLock'))
        """,
        (names,),
    )
    tables: dict[str, tuple[Name, ...]] = {}
    for constraint, schema, table in rows:
        tables[constraint] = (*tables.get(constraint, ()), Name("pg_temp" if schema.startswith("pg_temp_") else schema, table))
    return tables


# elog(DEBUG1) in src/backend/commands/tablecmds.c (ATRewriteTable, validateForeignKeyConstraint) and catalog/index.c (index_build).
_REWRITES = re.compile(r'rewriting table "(.*)"', re.DOTALL)
_VERIFIES = re.compile(r'verifying table "(.*)"', re.DOTALL)
_VALIDATES = re.compile(r'validating foreign key constraint "(.*)"', re.DOTALL)
_BUILDS = re.compile(r'building index "(.*)" on table "(.*)" (?:serially|with request for .*)', re.DOTALL)

_ON_INDEXES = LockMode.SHARE_UPDATE_EXCLUSIVE  # weaker modes on indexes say nothing
_SILENT = LockMode.SHARE


def _effects(facts: Facts) -> Effects:
    existed = {relation.name for relation in facts.before.values()}
    locks = _locks(facts, existed)
    modes = {lock.relation: lock.mode for lock in locks}
    rewrites = _rewrites(facts, existed)
    scans = _scans(facts, modes) - rewrites
    return Effects(locks=locks, rewrites=tuple(sorted(rewrites)), scans=tuple(sorted(scans)), builds=tuple(sorted(_builds(facts, existed))))


def _locks(facts: Facts, existed: set[Name]) -> tuple[Lock, ...]:
    strongest: dict[Name, LockMode] = {}
    for oid, mode in facts.locks:
        relation = facts.before.get(oid) or facts.after.get(oid)
        if relation is None or relation.name not in existed or (relation.kind in "iI" and mode < _ON_INDEXES):
            continue
        strongest[relation.name] = max(mode, strongest.get(relation.name, mode))
    return tuple(Lock(name, strongest[name]) for name in sorted(strongest))


def _rewrites(facts: Facts, existed: set[Name]) -> set[Name]:
    """Tables with a new file, unless that file is empty while the old one was not: TRUNCATE writes no row again."""
    changed = {oid for oid, old in facts.before.items() if _has_new_file(facts, oid) and old.kind in "rm"}
    kept = {oid for oid in changed if not _was_emptied(facts, oid)}
    return {facts.before[oid].name for oid in kept if facts.before[oid].name in existed}


def _has_new_file(facts: Facts, oid: int) -> bool:
    old, new = facts.before[oid], facts.after.get(oid)
    return new is not None and new.file != old.file


def _was_emptied(facts: Facts, oid: int | None) -> bool:
    if oid is None:
        return False
    old, new = facts.before.get(oid), facts.after.get(oid)
    return old is not None and new is not None and new.file != old.file and old.bytes > 0 and new.bytes == 0


def _scans(facts: Facts, modes: Mapping[Name, LockMode]) -> set[Name]:
    """Tables that were verified, tables whose foreign key was checked, and those read without a message."""
    verified = {found[1] for message in facts.messages if (found := _VERIFIES.fullmatch(message))}
    scans = {
        relation.name
        for relation in facts.before.values()
        if relation.kind in "rm" and relation.name.name in verified and modes.get(relation.name, 0) >= LockMode.SHARE_UPDATE_EXCLUSIVE
    }
    existed = {relation.name for relation in facts.before.values()}
    for tables in facts.foreign_keys.values():
        scans |= existed.intersection(tables)
    if not facts.foreign_keys:
        scans |= _silent_scans(facts, modes)
    return scans


def _silent_scans(facts: Facts, modes: Mapping[Name, LockMode]) -> set[Name]:
    """Scans that have no message: of a DEFAULT partition and those below it (check_default_partition_contents in partbounds.c) and of
    tables with a column of a domain (validateDomainCheckConstraint in typecmds.c). The counters show them, together with
    index builds and rewrites, which have messages and files of their own.
    """
    built_on = {found[2] for message in facts.messages if (found := _BUILDS.fullmatch(message))}
    return {
        relation.name
        for oid in facts.scanned
        if (relation := facts.before.get(oid)) is not None
        and relation.silent
        and relation.kind == "r"
        and relation.name.name not in built_on
        and not _has_new_file(facts, oid)
        and modes.get(relation.name, 0) >= _SILENT
    }


def _builds(facts: Facts, existed: set[Name]) -> set[Name]:
    """Indexes with a file that no index had before, on tables that existed and were not emptied.

    An index that ALTER TYPE keeps is a new relation with the old file (TryReuseIndex in tablecmds.c).
    """
    files = {relation.file for relation in facts.before.values() if relation.kind == "i"}
    return {
        index.name
        for index in facts.after.values()
        if index.kind == "i"
        and index.table is not None
        and index.file not in files
        and (table := facts.after.get(index.table)) is not None
        and table.name in existed
        and not _was_emptied(facts, index.table)
    }
