"""Roles of a ghost: the one that callers connect as, and those that the schema's policies name.

The caller may plan everything and change nothing. EXPLAIN asks for the rights that running the statement needs (`ExecCheckPermissions`), so the
role has all of them; what keeps it from writing is a read-only default, and a trigger on every table for whoever turns that off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbguard.model.names import quote
from dbguard.postgres.roles import ROLE, Access

if TYPE_CHECKING:
    from psycopg import Connection

CALLER = "ghost"


def caller_dsn(access: Access, database: str) -> str:
    """A connection string for callers, which PGHOSTADDR and PGOPTIONS of the environment do not change."""
    return f"host='{access.server.folder}' hostaddr='' port=5432 user={CALLER} dbname='{database}' options=''"


def create_caller(connection: Connection[Any], policy_roles: tuple[str, ...]) -> None:
    """The caller's role, and empty ones in the place of production's: whoever says SET ROLE is planned for as that role is.

    The caller itself bypasses row security, as the owner of the tables does who runs most applications.
    """
    connection.execute(f"CREATE ROLE {CALLER} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS".encode())
    for role in policy_roles:
        if role in {CALLER, ROLE, "dbguard", "dbguard_bootstrap", "public"} or role.startswith("pg_"):
            continue
        connection.execute(f"CREATE ROLE {quote(role)} NOLOGIN".encode())
        connection.execute(f"GRANT {quote(role)} TO {CALLER}".encode())
    if connection.info.server_version >= 140000:
        for holder in (CALLER, *policy_roles):
            if not holder.startswith("pg_") and holder not in {ROLE, "public"}:
                connection.execute(f"GRANT pg_read_all_data, pg_write_all_data TO {quote(holder)}".encode())


def guard_tables(connection: Connection[Any]) -> None:
    """A trigger that refuses writes of the caller, on every table that has none yet; before 14, the caller's rights as well."""
    connection.execute(_REFUSE.encode())
    connection.execute(_GUARD.encode())
    if connection.info.server_version < 140000:
        connection.execute(_GRANT.encode())


# In pg_catalog, so that nobody who lists schemas sees it; the superuser's session allows that.
_REFUSE = """
CREATE OR REPLACE FUNCTION pg_catalog.dbguard_refuse_write() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
BEGIN
  RAISE EXCEPTION 'a ghost is read-only: it plans statements and holds no rows' USING ERRCODE = 'read_only_sql_transaction';
END
$body$"""
_GUARD = f"""
DO $do$
DECLARE
  found regclass;
BEGIN
  FOR found IN
    SELECT c.oid FROM pg_class c WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'dbguard_read_only')
      AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  LOOP
    EXECUTE format('CREATE TRIGGER dbguard_read_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT'
      ' WHEN (session_user = ''{CALLER}'') EXECUTE FUNCTION pg_catalog.dbguard_refuse_write()', found);
  END LOOP;
END
$do$"""
_GRANT = f"""
DO $do$
DECLARE
  found regnamespace;
BEGIN
  FOR found IN SELECT n.oid FROM pg_namespace n WHERE n.oid >= 16384 OR n.nspname = 'public' LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %1$s TO {CALLER}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %1$s TO {CALLER};'
      ' GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %1$s TO {CALLER}', found);
  END LOOP;
END
$do$"""
