"""Which migrations are applied: the tables in which tools note it, a connection in, `Applied` out.

A tool is recognised by the name of its table and the columns it has, since several tools use one name. Versions are written as
in the names of the tool's files, oldest first; Django's as `app.name`, Alembic's are the heads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name, quote
from dbguard.model.record import Record
from dbguard.model.snapshot import Applied

if TYPE_CHECKING:
    from psycopg import Connection

MOST_VERSIONS = 100_000


class Table(Record):
    """A tool's table. `query` reads `{table}`; it gives one column of texts."""

    tool: str
    name: str
    columns: frozenset[str]  # that must exist
    query: str
    schema: str | None = None  # None: any
    without: frozenset[str] = frozenset()  # columns that must not exist


def _table(tool: str, name: str, columns: str, query: str, *, schema: str | None = None, without: str = "") -> Table:
    return Table(tool, name, frozenset(columns.split()), query, schema, frozenset(without.split()))


# The first that fits is the tool.
_TABLES = (
    _table("alembic", "alembic_version", "version_num", "SELECT version_num FROM {table} ORDER BY 1"),
    _table("django", "django_migrations", "app name id", "SELECT app || '.' || name FROM {table} ORDER BY id"),
    _table("supabase", "schema_migrations", "version", "SELECT version FROM {table} ORDER BY version", schema="supabase_migrations"),
    _table("hasura", "schema_migrations", "version", "SELECT version::text FROM {table} ORDER BY version", schema="hdb_catalog"),
    _table(
        "hasura",
        "hdb_version",
        "cli_state",
        "SELECT d.key || '.' || v.key FROM {table} t, pg_catalog.jsonb_each(t.cli_state->'migrations') AS d,"
        " pg_catalog.jsonb_each(d.value) AS v WHERE pg_catalog.jsonb_typeof(d.value) = 'object' ORDER BY d.key, v.key",
        schema="hdb_catalog",
    ),
    _table("golang-migrate", "schema_migrations", "version dirty", "SELECT version::text FROM {table} ORDER BY version"),
    _table("ecto", "schema_migrations", "version inserted_at", "SELECT version::text FROM {table} ORDER BY version"),
    _table("dbmate", "schema_migrations", "version", "SELECT version::text FROM {table} ORDER BY version", without="dirty inserted_at"),
    _table(
        "goose",
        "goose_db_version",
        "id version_id is_applied",
        "SELECT g.version_id::text FROM {table} g WHERE g.version_id > 0 AND g.is_applied"
        " AND g.id = (SELECT pg_catalog.max(l.id) FROM {table} l WHERE l.version_id = g.version_id) ORDER BY g.version_id",
    ),
    _table(
        "flyway",
        "flyway_schema_history",
        "installed_rank version success script",
        "SELECT coalesce(version, script) FROM {table} WHERE success AND type NOT IN ('SCHEMA', 'DELETE') ORDER BY installed_rank",
    ),
    _table("sqlx", "_sqlx_migrations", "version success", "SELECT version::text FROM {table} WHERE success ORDER BY version"),
    _table("diesel", "__diesel_schema_migrations", "version", "SELECT version FROM {table} ORDER BY version"),
    _table("refinery", "refinery_schema_history", "version name", "SELECT version::text FROM {table} ORDER BY version"),
    _table(
        "prisma",
        "_prisma_migrations",
        "migration_name finished_at rolled_back_at",
        "SELECT migration_name FROM {table} WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY finished_at, migration_name",
    ),
    _table("drizzle", "__drizzle_migrations", "id created_at", "SELECT created_at::text FROM {table} ORDER BY id"),
    _table(
        "sqitch",
        "changes",
        "change project committed_at",
        "SELECT project || ':' || change FROM {table} ORDER BY committed_at, change",
        schema="sqitch",
    ),
    _table("node-pg-migrate", "pgmigrations", "id name", "SELECT name FROM {table} ORDER BY id"),
    _table("atlas", "atlas_schema_revisions", "version applied total", "SELECT version FROM {table} WHERE applied = total ORDER BY version"),
    _table("tern", "schema_version", "version", "SELECT version::text FROM {table}", without="installed_rank script"),
    _table(
        "liquibase",
        "databasechangelog",
        "id author filename orderexecuted",
        "SELECT filename || '::' || id || '::' || author FROM {table} ORDER BY orderexecuted",
    ),
    _table("pop", "schema_migration", "version", "SELECT version FROM {table} ORDER BY version"),
)  # fmt: skip

_FIND = """
SELECT n.nspname::text, c.relname::text, pg_catalog.array_agg(a.attname::text),
       EXISTS (SELECT FROM pg_catalog.pg_class r WHERE r.relnamespace = n.oid AND r.relname = 'ar_internal_metadata'),
       pg_catalog.has_table_privilege(c.oid, 'SELECT'), c.relrowsecurity AND pg_catalog.row_security_active(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND pg_catalog.lower(c.relname) = ANY(%s) AND n.nspname NOT LIKE 'pg\\_%%'
GROUP BY n.nspname, c.relname, n.oid, c.oid, c.relrowsecurity ORDER BY 1, 2"""


def read_applied(connection: Connection[Any]) -> tuple[list[Applied], list[str]]:
    """What each tool's table says, and sentences about tables that this role may not read."""
    found: list[Applied] = []
    hidden: list[str] = []
    names = sorted({table.name for table in _TABLES})
    for schema, name, columns, is_rails, readable, by_rows in connection.execute(_FIND, [names]).fetchall():
        table = _recognised(schema, name, {column.lower() for column in columns})
        if table is None:
            continue
        tool = "rails" if is_rails and table.tool == "dbmate" else table.tool
        place = Name(schema, name)
        if by_rows or not readable:
            why = "row security applies to this role" if by_rows else "this role has no SELECT right"
            hidden.append(f"{place}: which migrations of {tool} are applied is not known: {why}")
            continue
        versions, reason = _versions(connection, table, place)
        if reason:
            hidden.append(f"{place}: which migrations of {tool} are applied is not known: {reason}")
        else:
            found.append(Applied(tool, place, versions))
    return found, hidden


def _recognised(schema: str, name: str, columns: set[str]) -> Table | None:
    for table in _TABLES:
        if table.name == name.lower() and table.schema in {None, schema} and table.columns <= columns and table.without.isdisjoint(columns):
            return table
    return None


def _versions(connection: Connection[Any], table: Table, place: Name) -> tuple[tuple[str, ...], str]:
    """Versions, or a reason why there are none: somebody else may use the name for something else."""
    import psycopg

    query = f"SELECT v::text FROM ({table.query.format(table=_complete(place))}) AS m(v) LIMIT {MOST_VERSIONS}"
    try:
        with connection.transaction():
            return tuple(row[0] for row in connection.execute(query.encode()) if row[0] is not None), ""
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
        return (), "the table is locked"
    except (psycopg.ProgrammingError, psycopg.DataError):
        return (), "the table does not look as that tool makes it"


def _complete(place: Name) -> str:
    return f"{quote(place.schema or '')}.{quote(place.name)}"
