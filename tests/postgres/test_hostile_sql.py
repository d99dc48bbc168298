"""SQL from a stranger cannot leave the database: no programs, no files, no superuser, no lies to the observer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.postgres.embedded import start
from dbguard.postgres.observe import observe, observe_within
from dbguard.postgres.roles import HARMLESS_EXTENSIONS, ROLE, SUPERUSER, without_superuser
from dbguard.postgres.trace_rows import rows_in

OLDER = Path("/usr/lib/postgresql")


@pytest.fixture(scope="module")
def access():
    with start() as server:
        yield without_superuser(server)


@pytest.fixture
def connection(access):
    import psycopg

    name = access.create_database()
    with psycopg.connect(access.dsn(name), autocommit=True, prepare_threshold=None) as connection:
        yield connection
    access.drop_database(name)


REFUSED = {
    "a program by COPY TO": "CREATE TABLE t (a text); COPY t TO PROGRAM 'touch {marker}'",
    "a program by COPY FROM": "CREATE TABLE t (a text); COPY t FROM PROGRAM 'touch {marker}; id'",
    "a program in a DO block": "DO $$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch {marker}'''; END $$",
    "a file by COPY FROM": "CREATE TABLE t (a text); COPY t FROM '/etc/passwd'",
    "a file by COPY TO": "COPY (SELECT 1) TO '{marker}'",
    "a file by a function": "SELECT pg_read_file('/etc/passwd')",
    "a file by a binary function": "SELECT pg_read_binary_file('/etc/passwd')",
    "a listing of a folder": "SELECT pg_ls_dir('/etc')",
    "a listing of logs": "SELECT pg_ls_logdir()",
    "a file as a large object": "SELECT lo_import('/etc/passwd')",
    "a large object to a file": "SELECT lo_export(lo_create(0), '{marker}')",
    "a function in C": "CREATE FUNCTION f(text) RETURNS int LANGUAGE c AS 'libc.so.6', 'system'",
    "a function of the server itself": "CREATE FUNCTION f(text) RETURNS bytea LANGUAGE internal AS 'pg_read_binary_file_all'",
    "a language of its own": "CREATE LANGUAGE mine HANDLER plpgsql_call_handler",
    "a library": "LOAD '/tmp/evil.so'",
    "a setting of the server": "ALTER SYSTEM SET archive_command = 'touch {marker}'",
    "a library for every session": "ALTER ROLE postgres SET session_preload_libraries = 'evil'",
    "a library for this database": "ALTER DATABASE {database} SET session_preload_libraries = 'evil'",
    "a library search path": "SET dynamic_library_path = '/tmp'",
    "a reload of settings": "SELECT pg_reload_conf()",
    "a superuser": "CREATE ROLE boss SUPERUSER LOGIN",
    "itself as a superuser": "ALTER ROLE postgres SUPERUSER",
    "the right to replicate": "ALTER ROLE postgres REPLICATION",
    "the role for programs": "GRANT pg_execute_server_program TO postgres",
    "the role for reading files": "GRANT pg_read_server_files TO postgres",
    "the role for programs through a new role": "CREATE ROLE helper; GRANT pg_execute_server_program TO helper",
    "a new role in the role for programs": "CREATE ROLE helper IN ROLE pg_execute_server_program",
    "the superuser's role": f"SET ROLE {SUPERUSER}",
    "the bootstrap superuser's role": "SET ROLE dbguard_bootstrap",
    "the superuser's session": f"SET SESSION AUTHORIZATION {SUPERUSER}",
    "the superuser's membership": f"GRANT {SUPERUSER} TO postgres",
    "the superuser's objects": f"REASSIGN OWNED BY {SUPERUSER} TO postgres",
    "a password for the superuser": f"ALTER ROLE {SUPERUSER} PASSWORD 'known'",
    "the catalog": "UPDATE pg_catalog.pg_authid SET rolsuper = true",
    "the catalog, with its switch": "SET allow_system_table_mods = on",
    "passwords": "SELECT rolpassword FROM pg_catalog.pg_authid",
    "an event trigger": "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION e()",
    "a function in pg_catalog": "CREATE FUNCTION pg_catalog.pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a subscription": "CREATE SUBSCRIPTION s CONNECTION 'host=example.com' PUBLICATION p",
    "a foreign server": "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw",
    "a wrapper of foreign data": "CREATE FOREIGN DATA WRAPPER w",
    "an access method": "CREATE ACCESS METHOD heap3 TYPE TABLE HANDLER heap_tableam_handler",
    "a tablespace": "CREATE TABLESPACE elsewhere LOCATION '/tmp'",
    "a function that runs as the superuser": f"CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; ALTER FUNCTION f() OWNER TO {SUPERUSER}",
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_migration_does_not_get(what: str, connection, tmp_path):
    import psycopg

    marker = tmp_path / "marker"
    sql = REFUSED[what].replace("{marker}", str(marker)).replace("{database}", connection.info.dbname)
    with pytest.raises(psycopg.Error):
        connection.execute(sql)
    assert not marker.exists()


@pytest.mark.parametrize("way", ["RESET ROLE", "SET ROLE NONE", "RESET SESSION AUTHORIZATION", "SET SESSION AUTHORIZATION DEFAULT", "DISCARD ALL"])
def test_going_back_leads_to_the_same_role(way: str, connection):
    connection.execute(way)
    assert connection.execute("SELECT current_user, session_user").fetchone() == (ROLE, ROLE)
    assert connection.execute("SHOW is_superuser").fetchone() == ("off",)


@pytest.mark.parametrize("extension", ["dblink", "postgres_fdw", "file_fdw", "plpython3u", "plperlu", "adminpack", "xml2", "pageinspect"])
def test_extensions_that_reach_further_are_not_harmless(extension: str, connection):
    import psycopg

    assert extension not in HARMLESS_EXTENSIONS
    with pytest.raises(psycopg.Error):
        connection.execute(f"CREATE EXTENSION {extension}")


def test_the_socket_lets_in_who_may_open_the_folder_only(access):
    mode = access.server.folder.stat().st_mode & 0o777
    assert mode == 0o700
    done = subprocess.run(["ss", "-ltn"], capture_output=True, text=True, check=False)
    assert ":5432 " not in done.stdout


def test_the_superusers_sessions_cannot_be_ended(access, connection):
    import psycopg

    with psycopg.connect(access.superuser(connection.info.dbname)) as superuser, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT pg_terminate_backend(%s)", (superuser.info.backend_pid,))


def test_the_role_can_do_what_migrations_do(connection):
    connection.execute("CREATE SCHEMA app; CREATE TABLE app.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")
    connection.execute("CREATE ROLE reader; GRANT USAGE ON SCHEMA app TO reader; ALTER TABLE app.t OWNER TO postgres")
    connection.execute("CREATE EXTENSION citext; CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN 1; END'")
    connection.execute("ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA app GRANT SELECT ON TABLES TO reader")
    connection.execute("SET session_replication_role = replica")
    connection.execute("DROP OWNED BY reader; DROP ROLE reader")


def test_functions_and_operators_in_the_way_do_not_deceive_the_observer(connection):
    connection.execute("CREATE TABLE t (id int)")
    connection.execute("CREATE FUNCTION pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 0'")
    connection.execute("CREATE FUNCTION never(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT false'")
    connection.execute("CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = oid, FUNCTION = never)")
    connection.execute("CREATE VIEW pg_locks AS SELECT * FROM pg_catalog.pg_locks WHERE false")
    connection.execute("SET search_path = public, pg_catalog")
    table = Name("public", "t")
    assert observe(connection, "ALTER TABLE t ADD COLUMN a int").effects.mode(table) == LockMode.ACCESS_EXCLUSIVE
    connection.execute("BEGIN")
    assert observe_within(connection, "ALTER TABLE t ADD COLUMN b int").effects.mode(table) == LockMode.ACCESS_EXCLUSIVE
    connection.execute("ROLLBACK")
    assert connection.execute("SHOW search_path").fetchone() == ("public, pg_catalog",)


def test_settings_of_the_database_do_not_reach_the_superuser(access, connection):
    import psycopg

    database = connection.info.dbname
    connection.execute(f"CREATE SCHEMA evil; ALTER DATABASE {database} SET search_path = evil, pg_catalog")
    connection.execute(f"ALTER DATABASE {database} SET statement_timeout = '1ms'; ALTER DATABASE {database} SET default_transaction_read_only = on")
    with psycopg.connect(access.superuser(database), autocommit=True) as superuser:
        assert superuser.execute("SHOW search_path").fetchone() == ("",)
        assert superuser.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_timeouts_and_levels_of_the_migration_do_not_blind_the_observer(connection):
    connection.execute("CREATE TABLE t (id int)")
    connection.execute("BEGIN")
    connection.execute("SET LOCAL statement_timeout = '1'; SET LOCAL client_min_messages = error")
    connection.execute("SET LOCAL statement_timeout = '2s'")
    assert observe_within(connection, "ALTER TABLE t ALTER COLUMN id SET NOT NULL").effects.scans == (Name("public", "t"),)
    assert connection.execute("SHOW statement_timeout").fetchone() == ("2s",)
    connection.execute("COMMIT")


def test_what_raise_says_is_not_what_the_server_says(connection):
    connection.execute("CREATE TABLE t (id int)")
    seen = observe(connection, "DO $$ BEGIN LOCK TABLE t; RAISE DEBUG1 'verifying table \"t\"'; RAISE NOTICE 'rewriting table \"t\"'; END $$")
    assert (seen.effects.scans, seen.effects.rewrites) == ((), ())


def test_made_up_rows_are_never_written_by_a_superuser(access, connection):
    import psycopg

    connection.execute("CREATE TABLE log (who text); CREATE TABLE t (id int)")
    connection.execute(
        "CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO public.log SELECT current_setting(''is_superuser''); RETURN NEW; END'"
    )
    connection.execute("CREATE TRIGGER spy BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION spy(); ALTER TABLE t ENABLE ALWAYS TRIGGER spy")
    with psycopg.connect(access.dsn(connection.info.dbname), autocommit=True) as rows, rows_in(rows, [Name("public", "t")]) as put:
        assert put == {Name("public", "t")}
    told = connection.execute("SELECT DISTINCT who FROM log").fetchall()
    assert told == [("off",)]
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_before_16_the_role_creates_no_roles():
    """CREATEROLE was enough to join pg_execute_server_program then."""
    import psycopg

    programs = next((path for path in sorted(OLDER.glob("1[345]/bin")) if (path / "initdb").is_file()), None)
    if programs is None:
        pytest.skip("no PostgreSQL before 16 here")
    with start(programs) as server:
        access = without_superuser(server)
        with (
            psycopg.connect(access.dsn(access.create_database()), autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("CREATE ROLE helper")
