"""What was read from a server around one statement, and the effects that it amounts to. Pure: nothing is asked here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.model.record import Record
from dbguard.model.state import Effects, Lock

Held = frozenset[tuple[int, LockMode]]


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
    held: Held = frozenset()  # locks of the open transaction before the statement
    locks: Held = frozenset()  # those after it
    messages: tuple[str, ...] = ()  # DEBUG1 of the server about its own work, in order
    scanned: tuple[int, ...] = ()  # relations that were read sequentially in the transaction
    foreign_keys: Mapping[str, tuple[Name, ...]] = {}  # constraint name -> referencing tables
    tag: str = ""  # the server's word for what ran: UPDATE, ALTER TABLE


# elog(DEBUG1) in src/backend/commands/tablecmds.c (ATRewriteTable, validateForeignKeyConstraint) and catalog/index.c (index_build).
_REWRITES = re.compile(r'rewriting table "(.*)"', re.DOTALL)
_VERIFIES = re.compile(r'verifying table "(.*)"', re.DOTALL)
_VALIDATES = re.compile(r'validating foreign key constraint "(.*)"', re.DOTALL)
_BUILDS = re.compile(r'building index "(.*)" on table "(.*)" (?:serially|with request for .*)', re.DOTALL)
MESSAGES = ("rewriting table ", "verifying table ", "validating foreign key constraint ", "building index ")

_ON_INDEXES = LockMode.SHARE_UPDATE_EXCLUSIVE  # weaker modes on indexes say nothing
_SILENT = LockMode.SHARE
_RUNS_QUERIES = frozenset(["INSERT", "UPDATE", "DELETE", "MERGE", "SELECT", "COPY", "DO", "CALL", "REFRESH MATERIALIZED VIEW", "CREATE TABLE AS"])


def effects_of(facts: Facts) -> Effects:
    """The effects. Locks are those that the transaction did not hold before the statement."""
    existed = {relation.name for relation in facts.before.values()}
    modes = {lock.relation: lock.mode for lock in _strongest(facts, facts.locks, existed)}
    rewrites = _rewrites(facts, existed)
    taken = {lock.relation: lock.mode for lock in _strongest(facts, facts.locks - facts.held, existed)}
    scans = _scans(facts, modes, taken if facts.tag in _RUNS_QUERIES else modes) - rewrites
    return Effects(
        locks=_strongest(facts, facts.locks - facts.held, existed),
        rewrites=tuple(sorted(rewrites)),
        scans=tuple(sorted(scans)),
        builds=tuple(sorted(_builds(facts, existed))),
    )


def held_modes(facts: Facts) -> dict[Name, frozenset[LockMode]]:
    """The modes that the open transaction held before the statement, by relation."""
    found: dict[Name, frozenset[LockMode]] = {}
    for oid, mode in facts.held:
        if (relation := facts.before.get(oid)) is not None:
            found[relation.name] = found.get(relation.name, frozenset()) | {mode}
    return found


def validated(messages: tuple[str, ...]) -> list[str]:
    """The names of the foreign keys that were validated."""
    return [found[1] for message in messages if (found := _VALIDATES.fullmatch(message))]


def _strongest(facts: Facts, locks: Held, existed: set[Name]) -> tuple[Lock, ...]:
    strongest: dict[Name, LockMode] = {}
    for oid, mode in locks:
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
    """Whether a table has a new file with nothing in it. Rows that are deleted already are not written again either, but then it is said."""
    if oid is None:
        return False
    old, new = facts.before.get(oid), facts.after.get(oid)
    if old is None or new is None or new.file == old.file or old.bytes == 0 or new.bytes > 0:
        return False
    return not any((found := _REWRITES.fullmatch(message)) and found[1] == old.name.name for message in facts.messages)


def _scans(facts: Facts, modes: Mapping[Name, LockMode], silent: Mapping[Name, LockMode]) -> set[Name]:
    """Tables that were verified, tables whose foreign key was checked, and those read without a message.

    `silent` are the locks under which a scan counts that has no message: a query reads tables as well, and locks them less.
    """
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
        scans |= _silent_scans(facts, silent)
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
