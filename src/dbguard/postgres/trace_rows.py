"""A row or two where it decides: what a statement does to rows is not seen on a table that has none.

In: a connection of the role that owns the tables. Out: rows put in, and taken out again. The superuser never writes into
tables of the user: triggers, CHECK constraints and expressions of indexes would run as that superuser. Values are made
from the columns' types; a row with NULL wherever it may be, and one without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name, text_literal
from dbguard.model.operations import Begin, Commit, CreateExtension, Rollback
from dbguard.model.source import Parsed, Statement
from dbguard.postgres.observe import Observation, apart
from dbguard.postgres.trace import Session, sql_of, why_not_run
from dbguard.replay import forbids_transaction

if TYPE_CHECKING:
    from psycopg import Connection


@contextmanager
def rows_in(connection: Connection[Any], names: Iterable[Name]) -> Iterator[frozenset[Name]]:
    """Rows in those of the tables that exist and are empty; the names of the tables that got one.

    Committed, and taken out at the end; sequences go back to where they were. The connection must be idle, in autocommit.
    """
    import psycopg

    with suppress(psycopg.Error):  # before 15 only a superuser may; then foreign keys decide the order
        connection.execute("SET session_replication_role = replica")
    connection.execute("SET search_path = ''; SET lock_timeout = '1s'")
    sequences = _sequences(connection)
    wanted = [name for name in names if _is_empty_table(connection, name)]
    put = _put(connection, wanted)
    try:
        yield frozenset(put)
    finally:
        if not connection.closed:
            _take_out(connection, put)
            _put_back(connection, sequences)


def rehearse(session: Session, one: Parsed, deciding: Mapping[int, frozenset[Name]], tables: frozenset[Name]) -> Mapping[int, Observation]:
    """Runs the script in one transaction that is rolled back; what was seen at the statements whose `id` is in `deciding`, which names
    the tables in which rows decide. `tables` are those that hold rows made up here.

    A statement that the rows make fail is seen to fail, and runs again without them, so that those after it are seen as well.
    """
    connection = session.connection
    seen: dict[int, Observation] = {}
    connection.execute("BEGIN")
    for statement in one.statements:
        sql = sql_of(one.script, statement)
        if why_not_run(one.script, statement, sql) or any(isinstance(op, _LEFT_OUT) or forbids_transaction(op) for op in statement.operations):
            continue
        connection.execute("SAVEPOINT dbguard_step")
        ran = session.statement(statement, sql, watch=id(statement) in deciding)
        if ran.observation is not None and not connection.closed:
            seen[id(statement)] = ran.observation
        if ran.failure is not None and (connection.closed or not _again(session, statement, sql, tables & deciding.get(id(statement), tables))):
            break
        connection.execute("RELEASE dbguard_step")
    if not connection.closed:
        connection.execute("ROLLBACK")
    return seen


_LEFT_OUT = (Begin, Commit, Rollback, CreateExtension)


def _again(session: Session, statement: Statement, sql: str, tables: frozenset[Name]) -> bool:
    """The statement without rows in its tables, which get rows again for those that follow."""
    import psycopg

    connection = session.connection
    try:
        connection.execute("ROLLBACK TO dbguard_step")
        for name in tables:
            connection.execute(f"DELETE FROM ONLY {_quoted(name)}".encode())
        if session.statement(statement, sql, watch=False).failure is not None:
            return False
        for name in tables:
            _put_within(connection, name)
    except psycopg.Error:
        return False
    return True


def _put_within(connection: Connection[Any], name: Name) -> None:
    """A row in a table that the open transaction has changed, if that is possible and leaves no trigger waiting."""
    import psycopg

    with apart(connection) as cursor:
        insert = _insert(cursor.connection, name, number=1)
    connection.execute("SAVEPOINT dbguard_row")
    try:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(insert.encode())
        connection.execute("SET LOCAL session_replication_role = origin")
    except psycopg.Error:
        connection.execute("ROLLBACK TO dbguard_row")
    connection.execute("RELEASE dbguard_row")


def _is_empty_table(connection: Connection[Any], name: Name) -> bool:
    import psycopg

    found = "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s AND c.relkind = 'r'"
    if connection.execute(found, tuple(name)).fetchone() is None:
        return False
    try:
        return connection.execute(f"SELECT FROM ONLY {_quoted(name)} LIMIT 1".encode()).fetchone() is None
    except psycopg.Error:
        return False


def _put(connection: Connection[Any], names: list[Name]) -> list[Name]:
    """Those that got a row. Again as long as it helps: a foreign key wants the parent's row first."""
    import psycopg

    done: list[Name] = []
    left = names
    while left:
        refused = []
        for name in left:
            try:
                connection.execute(_insert(connection, name, number=1).encode())
                done.append(name)
            except psycopg.Error:
                refused.append(name)
                continue
            with suppress(psycopg.Error):
                connection.execute(_insert(connection, name, number=2).encode())
        if len(refused) == len(left):
            break
        left = refused
    return done


_COLUMNS = """
SELECT a.attname, a.attnotnull OR t.typnotnull, b.typname, b.typcategory, b.typtype,
       (SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder LIMIT 1),
       (SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder DESC LIMIT 1)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
"""


def _insert(connection: Connection[Any], name: Name, number: int) -> str:
    """The first row has NULL wherever that is allowed, the second nowhere."""
    columns, values = [], []
    for column, not_null, type_name, category, kind, first, last in connection.execute(_COLUMNS, tuple(name)):
        columns.append('"' + column.replace('"', '""') + '"')
        if not not_null and number == 1:
            values.append("NULL")
        elif kind == "e":
            values.append(text_literal(str(first if number == 1 else last)))
        else:
            values.append(_value(type_name, category, number))
    if not columns:
        return f"INSERT INTO {_quoted(name)} DEFAULT VALUES"
    return f"INSERT INTO {_quoted(name)} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(values)})"


_BY_NAME = {
    "uuid": "'00000000-0000-4000-8000-00000000000{}'",
    "json": "'{{}}'",
    "jsonb": "'{{}}'",
    "bytea": "'\\x0{}'",
    "inet": "'127.0.0.{}'",
    "cidr": "'127.0.0.{}/32'",
    "macaddr": "'00:00:00:00:00:0{}'",
    "tsvector": "'a{}'",
    "xml": "'<a/>'",
    "timetz": "'00:00:0{}+00'",
    "time": "'00:00:0{}'",
    "ltree": "'a{}'",
    "point": "'(0,{})'",
    "hstore": "''",
    "vector": "NULL",
}
_BY_CATEGORY = {"N": "{}", "S": "'{}'", "B": "true", "D": "'2000-01-0{}'", "T": "'{} day'", "A": "'{{}}'", "R": "'empty'", "V": "B'{}'", "U": "'{}'"}


def _value(type_name: str, category: str, number: int) -> str:
    return _BY_NAME.get(type_name, _BY_CATEGORY.get(category, "NULL")).format(number)


def _take_out(connection: Connection[Any], names: list[Name]) -> None:
    """Nothing of the rows stays. The tables were empty, so that all of their rows go; a foreign key wants the child's row out first."""
    import psycopg

    left = names
    while left:
        refused: list[Name] = []
        for name in left:
            try:
                connection.execute(f"DELETE FROM ONLY {_quoted(name)}".encode())
            except psycopg.Error:
                refused.append(name)
        if len(refused) == len(left):
            break
        left = refused
    with suppress(psycopg.Error):  # so that an empty table has an empty file again
        connection.execute(f"VACUUM {', '.join(map(_quoted, names))}".encode())


_SEQUENCES = "SELECT schemaname, sequencename, start_value, last_value FROM pg_catalog.pg_sequences"


def _sequences(connection: Connection[Any]) -> dict[tuple[str, str], tuple[int, int | None]]:
    return {(schema, name): (start, last) for schema, name, start, last in connection.execute(_SEQUENCES)}


def _put_back(connection: Connection[Any], before: Mapping[tuple[str, str], tuple[int, int | None]]) -> None:
    import psycopg

    for name, (start, last) in _sequences(connection).items():
        if name in before and before[name][1] != last:
            was = before[name][1]
            with suppress(psycopg.Error):
                connection.execute(
                    "SELECT pg_catalog.setval(%s::regclass, %s, %s)", (_quoted(Name(*name)), start if was is None else was, was is not None)
                )


def _quoted(name: Name) -> str:
    return ".".join('"' + (part or "").replace('"', '""') + '"' for part in name)
