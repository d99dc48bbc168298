"""What a database does: counters of tables and indexes, statements by time, open transactions. A connection in, values out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name, quote
from dbguard.model.record import Record
from dbguard.model.snapshot import Activity, StatementTotal
from dbguard.parsing import lexer
from dbguard.parsing.normalize import Normalizer

if TYPE_CHECKING:
    from psycopg import Connection

MOST_TRANSACTIONS = 10
_MOST_CHARACTERS = 20_000
_PLANNED = re.compile(r"[(\s]*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE)\b", re.IGNORECASE)
_OF_CATALOG = re.compile(r"\b(?:FROM|JOIN)\s+(?:ONLY\s+)?\"?(?:pg_|information_schema\b)|\bSELECT pg_catalog\.\w+\(", re.IGNORECASE)

_TABLES = """
SELECT s.schemaname, s.relname, s.seq_scan, coalesce(s.idx_scan, 0), s.seq_tup_read + coalesce(s.idx_tup_fetch, 0), s.n_tup_ins, s.n_tup_upd,
       s.n_tup_hot_upd, s.n_tup_del FROM pg_catalog.pg_stat_user_tables s WHERE s.schemaname NOT LIKE 'pg\\_%'"""
_INDEXES = """
SELECT s.schemaname, s.indexrelname, 0, s.idx_scan, s.idx_tup_read, 0, 0, 0, 0 FROM pg_catalog.pg_stat_user_indexes s
WHERE s.schemaname NOT LIKE 'pg\\_%'"""
_SINCE_RESET = """
SELECT extract(epoch FROM pg_catalog.clock_timestamp() - d.stats_reset)::float8 FROM pg_catalog.pg_stat_database d
WHERE d.datname = pg_catalog.current_database()"""

_TRANSACTIONS = """
SELECT extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8, a.backend_type IS NULL FROM pg_catalog.pg_stat_activity a
WHERE a.datname = pg_catalog.current_database() AND a.application_name NOT LIKE 'dbguard%'
  AND (a.backend_type IS NULL OR a.backend_type = 'client backend' AND a.xact_start IS NOT NULL) ORDER BY 1 DESC NULLS LAST"""

_WHERE = """
SELECT n.nspname::text, EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'pg_stat_statements_info')
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'"""
_STATEMENTS = """
SELECT s.query, pg_catalog.sum(s.calls)::int8, pg_catalog.sum(s.total_exec_time) / 1000, pg_catalog.sum(s.rows)::int8
FROM {schema}.pg_stat_statements s WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  AND s.query !~* '\\m(from|join)\\s+(only\\s+)?"?(pg_|information_schema)'
GROUP BY s.queryid, s.query ORDER BY 3 DESC LIMIT {most}"""


class Statements(Record):
    totals: tuple[StatementTotal, ...] = ()
    seconds: float | None = None  # since the counters were reset
    hidden: tuple[str, ...] = ()


def read_activity(connection: Connection[Any]) -> tuple[list[Activity], float | None]:
    """Counters since they were last reset, and how many seconds that is, if they ever were."""
    row = connection.execute(_SINCE_RESET).fetchone()
    rows = [*connection.execute(_TABLES.encode()), *connection.execute(_INDEXES.encode())]
    return [Activity(Name(schema, name), *numbers) for schema, name, *numbers in rows], None if row is None else row[0]


def difference(before: Sequence[Activity], after: Sequence[Activity]) -> list[Activity]:
    """What happened between two samples. A counter that went back was reset in between: it counts from zero."""
    earlier = {one.relation: one for one in before}
    found = []
    for one in after:
        old = earlier.get(one.relation, Activity(one.relation))
        counts = (new if new < past else new - past for new, past in zip(one[1:], old[1:], strict=True))
        found.append(Activity(one.relation, *counts))
    return found


def read_transactions(connection: Connection[Any]) -> tuple[tuple[float, ...], list[str]]:
    """Seconds that others' transactions are open, longest first, and a sentence if some cannot be seen."""
    rows = connection.execute(_TRANSACTIONS.encode()).fetchall()
    unseen = sum(1 for _, is_unseen in rows if is_unseen)
    sentences = [f"{unseen} sessions of others: how long their transactions are open is shown to members of pg_read_all_stats only"] if unseen else []
    return tuple(round(seconds, 3) for seconds, _ in rows if seconds is not None)[:MOST_TRANSACTIONS], sentences


def read_statements(connection: Connection[Any], most: int) -> Statements:
    """The statements with the highest total time of pg_stat_statements, wherever it is installed, by text without literals."""
    import psycopg

    row = connection.execute(_WHERE).fetchone()
    if row is None or most <= 0:
        return Statements()
    schema, with_info = quote(row[0]), row[1]
    try:
        with connection.transaction():
            rows = connection.execute(_STATEMENTS.format(schema=schema, most=100 + 2 * most).encode()).fetchall()
            seconds = _since_reset(connection, schema) if with_info else None
    except psycopg.errors.ObjectNotInPrerequisiteState:
        return Statements(hidden=("pg_stat_statements is installed and not in shared_preload_libraries: no statements",))
    except psycopg.errors.InsufficientPrivilege:
        return Statements(hidden=("pg_stat_statements: this role has no SELECT right: no statements",))
    secret = sum(1 for text, *_ in rows if text is None or text == "<insufficient privilege>")
    hidden = (f"{secret} statements of others: their text is shown to members of pg_read_all_stats only",) if secret else ()
    return Statements(_totals(rows, most), seconds, hidden)


def _since_reset(connection: Connection[Any], schema: str) -> float | None:
    query = f"SELECT extract(epoch FROM pg_catalog.clock_timestamp() - i.stats_reset)::float8 FROM {schema}.pg_stat_statements_info i"
    row = connection.execute(query.encode()).fetchone()
    return None if row is None else row[0]


def _totals(rows: Sequence[tuple[Any, ...]], most: int) -> tuple[StatementTotal, ...]:
    """By text: PostgreSQL may keep a text with its literals when it is short of room, and comments always."""
    normalize = Normalizer()
    found: dict[str, StatementTotal] = {}
    for text, calls, seconds, rows_read in rows:
        sql = None if text is None else plain(text, normalize)
        if sql is not None:
            old = found.get(sql, StatementTotal(sql, 0, 0.0, 0))
            found[sql] = StatementTotal(sql, old.calls + calls, round(old.seconds + seconds, 6), old.rows + rows_read)
    return tuple(sorted(found.values(), key=lambda total: (-total.seconds, total.sql))[:most])


def plain(text: str, normalize: Normalizer) -> str | None:
    """A statement without comments and literals; None for a utility command, one that reads the catalog, or one too long."""
    if len(text) > _MOST_CHARACTERS:
        return None
    parts: list[str] = []
    position, after_comment = 0, False
    for kind, start, end in lexer.tokens(text):
        if kind != lexer.COMMENT:
            gap = text[start] not in "),;" if after_comment else start > position
            parts += [" " * (gap and bool(parts)), text[start:end]]
        position, after_comment = end, kind == lexer.COMMENT
    text = "".join(parts)
    return normalize(text)[0] if _PLANNED.match(text) and not _OF_CATALOG.search(text) else None
