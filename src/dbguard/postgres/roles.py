"""SQL from files runs as a role that cannot leave the database: `without_superuser(server)`.

In: a throw-away server just started. Out: an `Access`. The role is named `postgres`, because dumps and migrations hand
objects to a role of that name; the superuser of the cluster gets another name, under which only dbguard connects.

The role owns the databases it is given and their schema public. It may create databases and, from PostgreSQL 16 on,
roles: before 16, CREATEROLE is enough to join pg_execute_server_program (manual, CREATE ROLE, release notes of 16). It is
in none of the roles for files and programs of the server, and so cannot use COPY with files or programs, untrusted
languages, ALTER SYSTEM, LOAD, lo_import or pg_read_file. Nor can it become a superuser: SET SESSION AUTHORIZATION and
RESET ROLE go back to who logged in, and that is the role itself.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from dbguard.model.record import Record

if TYPE_CHECKING:
    from psycopg import Connection

    from dbguard.postgres.embedded import Server

ROLE = "postgres"
SUPERUSER = "dbguard"

# Extensions of PostgreSQL's own contrib that only a superuser may create, and that reach neither files, programs nor the network
# (manual, appendix F). dblink, postgres_fdw, file_fdw, adminpack, xml2, pageinspect and the untrusted languages are left out.
HARMLESS_EXTENSIONS = frozenset(
    """
    amcheck autoinc bloom dict_xsyn earthdistance insert_username intagg moddatetime pg_buffercache pg_freespacemap pg_stat_statements
    pg_visibility pgrowlocks pgstattuple refint
    """.split()  # noqa: SIM905
)
_ASIDE = "dbguard_extensions"


class Access(Record):
    """A throw-away server on which SQL from files may run. Connect with these as psycopg does."""

    server: Server

    def dsn(self, dbname: str) -> str:
        """For SQL from files."""
        return f"host='{self.server.folder}' port=5432 user={ROLE} dbname='{dbname}' application_name=migration"

    def superuser(self, dbname: str) -> str:
        """For dbguard's own look at locks. Its search_path is empty whatever the database says, so that only PostgreSQL's own objects have
        short names, and it reads no table, view or function of the user.
        """
        options = "-c search_path= -c statement_timeout=0 -c lock_timeout=0 -c default_transaction_read_only=off -c row_security=on"
        return f"host='{self.server.folder}' port=5432 user={SUPERUSER} dbname='{dbname}' application_name=dbguard options='{options}'"

    def create_database(self, extensions: tuple[str, ...] = ()) -> str:
        """An empty database that the role owns. Those of `extensions` that are harmless, here, and not the role's to create are put aside in
        it: nothing of the user's is there yet that their scripts could mistake for PostgreSQL's own.
        """
        import psycopg

        with psycopg.connect(self.superuser("template1"), autocommit=True) as connection:
            name = f"trace_{secrets.token_hex(4)}"
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 OWNER {ROLE}".encode())
        with psycopg.connect(self.superuser(name), autocommit=True) as connection:
            connection.execute(f"ALTER SCHEMA public OWNER TO {ROLE}".encode())
            for extension in _needing_a_superuser(connection, extensions):
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_ASIDE}".encode())
                connection.execute(f'CREATE EXTENSION "{extension}" SCHEMA {_ASIDE}'.encode())
        return name

    def drop_database(self, name: str) -> None:
        import psycopg

        with psycopg.connect(self.superuser("template1"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def take_out(self, dbname: str, extension: str, schema: str) -> bool:
        """Moves an extension that was put aside to where CREATE EXTENSION wants it; whether there was one."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.superuser(dbname), autocommit=True) as connection:
            aside = "SELECT FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = %s AND n.nspname = %s"
            if connection.execute(aside, (extension, _ASIDE)).fetchone() is None:
                return False
            connection.execute("SET lock_timeout = '2s'")
            connection.execute(sql.SQL("ALTER EXTENSION {} SET SCHEMA {}").format(sql.Identifier(extension), sql.Identifier(schema)))
            return True


def without_superuser(server: Server) -> Access:
    """Makes the role on a server that was just started, and the superuser's other name. Nobody else may be connected."""
    import psycopg

    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {SUPERUSER} SUPERUSER LOGIN".encode())
    access = Access(server)
    with psycopg.connect(access.superuser("template1"), autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {ROLE} RENAME TO dbguard_bootstrap".encode())
        creates_roles = "CREATEROLE" if server.major >= 16 else "NOCREATEROLE"
        connection.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOREPLICATION NOBYPASSRLS CREATEDB {creates_roles}".encode())
        if server.major >= 16:  # a role that it creates is its own, as it would be a superuser's
            connection.execute(f"ALTER ROLE {ROLE} SET createrole_self_grant = 'set, inherit'".encode())
        if server.major >= 15:  # before, only a superuser can be allowed to
            connection.execute(f"GRANT SET ON PARAMETER session_replication_role TO {ROLE}".encode())
    return access


def _needing_a_superuser(connection: Connection[Any], extensions: tuple[str, ...]) -> list[str]:
    wanted = sorted(HARMLESS_EXTENSIONS.intersection(extensions))
    if not wanted:
        return []
    rows = connection.execute(
        """
        SELECT v.name FROM pg_available_extension_versions v JOIN pg_available_extensions a ON a.name = v.name AND a.default_version = v.version
        WHERE v.name = ANY (%s) AND v.superuser AND NOT v.trusted AND v.relocatable ORDER BY v.name
        """,
        (wanted,),
    )
    return [name for (name,) in rows]
