"""Old code on a new schema: INSERTs that leave out a column which must have a value now.

PostgreSQL plans such a statement without complaint, so no plan tells; the schemas do. Everything else that breaks (columns and tables that are
gone, types that do not fit) PostgreSQL says itself when it plans the statement.
"""

from __future__ import annotations

from dbguard.model.operations import Insert
from dbguard.model.schema import Column, Table
from dbguard.model.state import State
from dbguard.parsing.query import read_query
from dbguard.planning.risk_traffic import operations_of


def insert_of(sql: str) -> Insert | None:
    """The INSERT that a text of an application is."""
    if "insert" not in sql[:2_000].lower():
        return None
    text = read_query(sql)
    found = [one for one in operations_of(text.sql if text.body is not None else sql) if isinstance(one, Insert)]
    return found[0] if found else None


def left_out(insert: Insert, before: State, after: State) -> str | None:
    """The first column that must have a value after the change, gets none from this INSERT, and needed none before."""
    table = after.table(insert.table)
    if not table.known or table.kind not in {"table", "partitioned table"} or insert.table.schema == "pg_temp":
        return None
    needed = _needed(insert, table)
    known = before.table(insert.table)
    old = _needed(insert, known) if known.known else frozenset[str]()
    return next((name for name in table.columns if name in needed and name not in old), None)


def message(column: str, insert: Insert, after: State) -> str:
    """As PostgreSQL says it (ExecConstraints in src/backend/executor/execMain.c)."""
    return f'null value in column "{column}" of relation "{after.table(insert.table).name.name}" violates not-null constraint'


def _needed(insert: Insert, table: Table) -> frozenset[str]:
    columns = list(table.columns.values())
    if insert.default_values:
        given: set[str] = set()
    elif insert.columns:
        given = set(insert.columns)
    else:
        given = {column.name for column in columns}  # how many values there are is for PostgreSQL to say
    return frozenset(column.name for column in columns if column.name not in given and _must_be_given(column))


def _must_be_given(column: Column) -> bool:
    return column.not_null and column.default is None and not column.generated and not column.identity
