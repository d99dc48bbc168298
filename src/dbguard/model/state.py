"""What is carried from statement to statement, and what PostgreSQL does at each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from dbguard.model.names import Name
from dbguard.model.operations import Operation
from dbguard.model.postgres import LockMode, Server
from dbguard.model.record import Record
from dbguard.model.schema import Created, Schema, Table
from dbguard.model.source import Script, Statement


class Lock(Record):
    relation: Name
    mode: LockMode


class Effects(Record):
    """What PostgreSQL does when it runs an operation in a state. Predicted by `replay`, observed by `postgres/observe`.

    Relations are those that existed by name before the statement; names are complete. See "Details" in docs/effects.md.
    """

    locks: tuple[Lock, ...] = ()  # strongest mode per relation, sorted by relation
    rewrites: tuple[Name, ...] = ()  # tables whose every row is written again
    scans: tuple[Name, ...] = ()  # leaf relations read in full to verify rows
    builds: tuple[Name, ...] = ()  # indexes built or rebuilt on a table that existed before
    transaction: str = "allowed"  # allowed, forbidden, required
    fails: str | None = None  # why the server refuses
    unknown: tuple[str, ...] = ()  # what was assumed, as sentences

    def mode(self, relation: Name) -> LockMode | None:
        """The mode taken on `relation`, None if it is not locked."""
        return next((lock.mode for lock in self.locks if lock.relation == relation), None)


class Transaction(Record):
    number: int  # ordinal within the whole replay
    explicit: bool  # opened by BEGIN in the text, not by the tool
    locks: Mapping[Name, LockMode] = {}  # held now, on relations that existed before the transaction
    settings: Mapping[str, str] = {}  # values to go back to at the end (SET LOCAL) or on rollback
    before: Schema = Schema()  # to go back to on rollback
    savepoints: tuple[tuple[str, Schema, Mapping[Name, LockMode]], ...] = ()
    lasting: Mapping[str, str] | None = None  # settings after a commit, once SET LOCAL made them differ from those in force
    savepoint_settings: tuple[tuple[Mapping[str, str], Mapping[str, str] | None], ...] = ()  # in force and lasting, per savepoint
    written: frozenset[Name] = frozenset()  # tables with rows that it inserted or updated
    pending: frozenset[Name] = frozenset()  # tables with rows that wait for the check of a deferred constraint
    deferring: bool | None = None  # SET CONSTRAINTS ALL DEFERRED or IMMEDIATE; None: as each constraint says


class State(Record):
    schema: Schema = Schema()
    transaction: Transaction | None = None
    settings: Mapping[str, str] = {}  # by lower-case name: search_path, lock_timeout, timezone ...; only what was SET
    now: Created = Created(0, 0)  # ordinals of the script and transaction being replayed
    batch: int | None = None  # ordinal of the first script that production does not have yet, where that is known

    @property
    def search_path(self) -> tuple[str, ...]:
        setting = self.settings.get("search_path")
        return _DEFAULT_PATH if setting is None else _namespaces(setting)

    def resolve(self, name: Name) -> Name:
        """The full name of the relation (table, view, sequence or index) that `name` means here.

        One that is not known is taken to be in the first schema of `search_path`.
        """
        if name.schema is not None:
            return name
        schema = self.schema
        tables, indexes, sequences = schema.tables, schema.index_tables, schema.sequences
        last = name.name
        for namespace in _DEFAULT_LOOKUP if "search_path" not in self.settings else ("pg_temp", *self.search_path):
            full = (namespace, last)  # equal to the Name, and cheaper: this is asked for every name of every statement
            table: Table | None = tables.get(full)  # type: ignore[call-overload]
            if table is not None:
                return table.name
            if full in indexes or full in sequences:
                return Name(namespace, last)
        return self.target(name)

    def target(self, name: Name) -> Name:
        """The full name that an object created as `name` gets."""
        return name if name.schema is not None else Name._make((next(iter(self.search_path), "public"), name.name))

    def resolve_type(self, name: Name) -> Name:
        if name.schema is not None:
            return name
        for namespace in self.search_path:
            full = Name(namespace, name.name)
            if full in self.schema.types or full in self.schema.tables:
                return full
        return self.target(name)

    def table(self, name: Name) -> Table:
        """The table that `name` means here, known or not."""
        return self.schema.table(self.resolve(name))

    def is_new(self, name: Name) -> bool:
        """Whether nobody can be using the table yet: temporary, created by this transaction, or by this migration or batch and not filled."""
        table = self.table(name)
        if _is_temporary(table) or (table.created == self.now and self.transaction is not None):
            return True
        return not table.filled and self._was_created_here(table)

    def is_empty(self, name: Name) -> bool:
        """Whether the table holds next to nothing: created by this migration or batch, and not filled since, or temporary, or
        emptied by TRUNCATE in this transaction, whose lock lets nobody else fill it.
        """
        table = self.table(name)
        if _is_temporary(table) or (table.truncated and table.emptied == self.now and self.transaction is not None):
            return True
        return not table.filled and self._was_created_here(table)

    def may_be_empty(self, name: Name) -> bool:
        """Whether no row is certain: besides empty tables those that this migration or batch emptied, which others may have filled again."""
        emptied = self.table(name).emptied
        return self.is_empty(name) or (emptied is not None and emptied.script >= self._first)

    @property
    def _first(self) -> int:
        """The first script that production may not have yet."""
        return self.now.script if self.batch is None else min(self.batch, self.now.script)

    def _was_created_here(self, table: Table) -> bool:
        return table.created is not None and table.created.script >= self._first


def _is_temporary(table: Table) -> bool:
    return table.persistence == "temporary" or table.name.schema == "pg_temp"


_DEFAULT_PATH = ("public",)
_DEFAULT_LOOKUP = ("pg_temp", *_DEFAULT_PATH)


@lru_cache(maxsize=64)
def _namespaces(setting: str) -> tuple[str, ...]:
    """The schemas of a `search_path` setting that can hold objects of the user."""
    return tuple(part.strip().strip('"') for part in setting.split(",") if part.strip() not in {"", '"$user"', "$user", "pg_catalog"})


class Step(Record):
    """An operation, the state it met, what PostgreSQL does, and the state it leaves."""

    script: Script
    statement: Statement
    operation: Operation
    before: State
    effects: Effects
    after: State
    server: Server

    def table(self, name: Name) -> Table:
        return self.before.table(name)

    def is_new(self, name: Name) -> bool:
        return self.before.is_new(name)

    def is_new_or_empty(self, name: Name) -> bool:
        """Whether reading or writing all rows of the table keeps nobody waiting."""
        return self.before.is_new(name) or self.before.is_empty(name)

    def display(self, name: Name) -> Name:
        """A complete name as the user would write it here: without the schema where `search_path` finds it anyway."""
        short = Name._make((None, name.name))
        return short if self.before.resolve(short) == name else name

    @property
    def text(self) -> str:
        """The statement's SQL, as written or as the framework sends it."""
        return self.statement.sql or self.script.source.text[self.statement.start : self.statement.end]


class EndOfTransaction(Record):
    """A moment, not a statement: a transaction (or a statement outside one) is over. It wakes checks like an operation."""

    steps: tuple[Step, ...]
    committed: bool = True


class EndOfScript(Record):
    """A moment: the script is over. `steps` are all of its steps, moments left out."""

    steps: tuple[Step, ...]
