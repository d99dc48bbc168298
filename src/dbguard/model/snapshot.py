"""A snapshot of a database: its schema, the statistics of its planner, its counters and its settings. No rows."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.record import Record


class Relation(Record):
    """A table, index, materialized view, sequence or TOAST table that has storage, or the parent of such."""

    name: Name
    kind: str  # relkind: r table, p partitioned table, i index, I partitioned index, m materialized view, f foreign table, t TOAST (owner's name)
    pages: int = 0  # of 8 kB, of the file, not of pg_class
    tuples: float = -1.0  # reltuples; -1 if it was never analyzed
    all_visible: int = 0  # pages
    all_frozen: int = 0  # pages; 0 before PostgreSQL 18
    method: str = ""  # of an index: btree, gin, gist, brin, hash, ...
    table: Name | None = None  # of an index
    height: int | None = None  # of a btree: levels above the leaves, where the server told
    relation_bytes: int = 0  # all forks and TOAST, indexes apart
    analyzed_pages: int | None = None  # relpages of pg_class, where it is not `pages`: the planner takes `tuples` to be on so many


class ColumnStatistics(Record):
    """One row of pg_stats. Arrays are PostgreSQL's text form of anyarray, as pg_restore_attribute_stats takes them."""

    relation: Name  # a table, or an index for its expressions
    column: str  # name; of an index, that of its column: "expr"
    inherited: bool = False
    null_frac: float = 0.0
    avg_width: int = 0
    n_distinct: float = 0.0
    most_common_vals: str | None = None
    most_common_freqs: str | None = None
    histogram_bounds: str | None = None
    correlation: float | None = None
    most_common_elems: str | None = None
    most_common_elem_freqs: str | None = None
    elem_count_histogram: str | None = None
    range_length_histogram: str | None = None
    range_empty_frac: float | None = None
    range_bounds_histogram: str | None = None
    masked: bool = False  # whether values are tokens in the place of the real ones


class ExtendedStatistics(Record):
    """One row of pg_stats_ext: what CREATE STATISTICS collected. Column numbers in the texts count the columns that exist, from 1."""

    name: Name
    relation: Name
    inherited: bool = False
    n_distinct: str | None = None  # text of pg_ndistinct: {"1, 2": 42}
    dependencies: str | None = None  # text of pg_dependencies: {"1 => 2": 0.97}
    most_common_vals: str | None = None  # text[], one row of values per item; values of columns in the order of column numbers
    most_common_freqs: str | None = None
    most_common_base_freqs: str | None = None
    masked: bool = False


class Activity(Record):
    """Reads and writes of a table, or of an index (scans and tuples read only), over `Snapshot.seconds`."""

    relation: Name
    seq_scans: int = 0
    index_scans: int = 0
    rows_read: int = 0
    inserts: int = 0
    updates: int = 0
    hot_updates: int = 0
    deletes: int = 0


class StatementTotal(Record):
    """One row of pg_stat_statements. The text is PostgreSQL's normalised one and holds no value."""

    sql: str
    calls: int
    seconds: float
    rows: int


class Applied(Record):
    """The migrations that a tool's own table says are applied, in order."""

    tool: str  # alembic, django, golang-migrate, flyway, ...
    table: Name
    versions: tuple[str, ...]


class Snapshot(Record):
    """What was read from one database at one time."""

    major: int = 18
    server_version: str = ""
    database: str = ""
    taken: str = ""  # ISO 8601, UTC
    values: str = "masked"  # none, masked, full
    schema: str = ""  # DDL that makes the schema in an empty database, in the order of OIDs for indexes
    relations: tuple[Relation, ...] = ()
    columns: tuple[ColumnStatistics, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()  # of the planner, and those that change what SQL means
    extensions: tuple[tuple[str, str, str], ...] = ()  # name, version, schema
    activity: tuple[Activity, ...] = ()
    seconds: float | None = None  # that `activity` covers; None: not known
    statements: tuple[StatementTotal, ...] = ()
    longest_transactions: tuple[float, ...] = ()  # seconds, those open when the snapshot was taken, longest first
    applied: tuple[Applied, ...] = ()
    hidden: tuple[str, ...] = ()  # sentences: what the role could not see, and what follows
    locale: tuple[tuple[str, str], ...] = ()  # encoding, collate, ctype, provider of the database
    extended: tuple[ExtendedStatistics, ...] = ()
    roles: tuple[str, ...] = ()  # roles that policies of the schema name; a database that the schema is made in needs them
    role_settings: tuple[tuple[str, str, str], ...] = ()  # role, setting, value: ALTER ROLE ... SET, of the settings in `settings`
    statements_seconds: float | None = None  # that `statements` cover; None: as long as `seconds`
