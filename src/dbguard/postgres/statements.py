"""pg_stat_statements of a database that is connected to: what it has counted for that database, as `Total`s without literals."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dbguard.errors import ServerError
from dbguard.model.calls import Total
from dbguard.workload.hiding import Hiding
from dbguard.workload.statements import StatementsReader

if TYPE_CHECKING:
    from psycopg import Connection

SOURCE = "pg_stat_statements"
MOST = 20_000
_WHERE = (
    "SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'"
)
_COLUMNS = """
SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = (pg_catalog.quote_ident(%s) || '.pg_stat_statements')::regclass AND attnum > 0
"""


def read_totals(connection: Connection[Any]) -> tuple[list[Total], tuple[str, ...]]:
    """The totals of the connected database, the most called first, and what users should know about them.

    Names of columns are those of the extension from 1.8 (PostgreSQL 13) to 1.12 (18): `total_time` became `total_exec_time`, `toplevel`
    came with 14. Raises `ServerError` if the extension is not there or not loaded.
    """
    import psycopg
    from psycopg import sql

    place = connection.execute(_WHERE).fetchone()
    if place is None:
        raise ServerError("this database has no pg_stat_statements: CREATE EXTENSION pg_stat_statements, and load it with shared_preload_libraries")
    known = {row[0] for row in connection.execute(_COLUMNS, place).fetchall()}
    wanted = [name for name in ("query", "calls", "rows", "total_exec_time", "total_time", "toplevel") if name in known]
    statement = sql.SQL(
        "SELECT {columns}, r.rolname, pg_catalog.current_database() AS datname FROM {view} s"
        " LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.userid"
        " WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"
        " ORDER BY s.calls DESC, s.query LIMIT {most}"
    ).format(
        columns=sql.SQL(", ").join(sql.Identifier("s", name) for name in wanted),
        view=sql.Identifier(place[0], "pg_stat_statements"),
        most=sql.Literal(MOST),
    )
    try:
        rows = connection.execute(statement).fetchall()
    except psycopg.errors.ObjectNotInPrerequisiteState:
        raise ServerError("pg_stat_statements counts nothing: name it in shared_preload_libraries and restart the server") from None
    names = [*wanted, "rolname", "datname"]
    totals: list[Total] = []
    skipped: Counter[str] = Counter()
    reader = StatementsReader(SOURCE, Hiding(), skipped, totals.append, as_json=False)
    for row in rows:
        reader.row(dict(zip(names, row, strict=True)), 0)
    return totals, _notes(skipped, len(rows))


def _notes(skipped: Counter[str], count: int) -> tuple[str, ...]:
    notes = [f"{SOURCE}: skipped {number} {reason}" for reason, number in sorted(skipped.items())]
    if skipped["statements whose text is not shown"]:
        notes.append(f"{SOURCE}: texts of other users are shown to members of pg_read_all_stats only")
    if count == MOST:
        notes.append(f"{SOURCE}: only the {MOST:,} statements that were called most were read")
    return tuple(notes)
