"""CREATE EXTENSION as a role without superuser, on a server that may not have the extension.

In: what a statement asks for. Out: how it can be met: as it stands, by dbguard's superuser (roles.py), by stand-ins for the
extension's functions, or not at all, with a sentence that says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dbguard.model.operations import CreateExtension
from dbguard.model.record import Record
from dbguard.postgres.observe import apart
from dbguard.postgres.roles import Access

if TYPE_CHECKING:
    from psycopg import Connection


class Way(Record):
    """`sql` runs in the place of the statement; empty: nothing is left to run."""

    sql: str = ""
    note: str = ""


def way_of(connection: Connection[Any], asked: CreateExtension, sql: str, access: Access | None) -> Way:
    """How to create an extension on this connection. `access` is None where nobody but the connection's own role may act."""
    with apart(connection) as cursor:
        versions = cursor.execute(
            "SELECT version, superuser AND NOT trusted FROM pg_catalog.pg_available_extension_versions WHERE name = %s", (asked.name,)
        ).fetchall()
        present = cursor.execute("SELECT FROM pg_catalog.pg_extension WHERE extname = %s", (asked.name,)).fetchone()
        row = cursor.execute("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user").fetchone()
    is_superuser = bool(row and row[0])
    if access is None or is_superuser or (not versions and asked.name not in STAND_INS):
        return Way(sql) if versions or access is None else Way(note=f"extension {asked.name} is not there on this server: what needs it fails")
    schema = asked.schema or _current_schema(connection)
    if present is not None and _take_out(access, connection, asked.name, schema):
        return Way(note=f"extension {asked.name} was created by dbguard: it needs a superuser")
    if not versions:
        return Way(_stand_in(asked, schema), f"extension {asked.name} is not there on this server: stand-ins for its functions are used")
    if all(needs for _, needs in versions) and present is None:
        return Way(note=f"extension {asked.name} needs a superuser and is not created: what needs it fails")
    if asked.version is not None and asked.version not in {version for version, _ in versions}:
        return Way(
            f"CREATE EXTENSION IF NOT EXISTS {_quoted(asked.name)} SCHEMA {_quoted(schema)}",
            f"extension {asked.name} is not there as {asked.version}",
        )
    return Way(sql)


def is_about(sql: str, extensions: set[str]) -> bool:
    """Whether the statement comments on, alters or drops one of these extensions."""
    found = _ABOUT.match(sql)
    return found is not None and found[1].strip('"') in extensions


_ABOUT = re.compile(r'\s*(?:COMMENT\s+ON|ALTER|DROP)\s+EXTENSION\s+(?:IF\s+EXISTS\s+)?("[^"]+"|[\w$]+)', re.IGNORECASE)


def _current_schema(connection: Connection[Any]) -> str:
    row = connection.execute("SELECT pg_catalog.current_schema()").fetchone()
    return str(row[0]) if row and row[0] else "public"


def _take_out(access: Access, connection: Connection[Any], extension: str, schema: str) -> bool:
    import psycopg

    try:
        return access.take_out(connection.info.dbname, extension, schema)
    except psycopg.Error:  # the schema was created by the open transaction
        return True


def _stand_in(asked: CreateExtension, schema: str) -> str:
    return "; ".join(_function(_quoted(schema), line) for line in STAND_INS[asked.name].strip().splitlines())


def _function(schema: str, line: str) -> str:
    """`name(types) type volatility: expression` as a function that is never inlined, as the ones in C are not."""
    signature, _, body = line.strip().partition(": ")
    name, result, volatility = re.fullmatch(r"(\w+\(.*?\)) (\w+) (\w+)", signature).groups()  # type: ignore[union-attr]
    return f"CREATE OR REPLACE FUNCTION {schema}.{name} RETURNS {result} LANGUAGE plpgsql {volatility} AS 'BEGIN RETURN {body}; END'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_HASH = "pg_catalog.md5(pg_catalog.random()::text)"
_UUID = "pg_catalog.gen_random_uuid()"
_BYTES = "pg_catalog.decode(pg_catalog.md5($1::text), ''hex'')"
STAND_INS = {
    "uuid-ossp": f"""
        uuid_generate_v1() uuid VOLATILE: {_UUID}
        uuid_generate_v1mc() uuid VOLATILE: {_UUID}
        uuid_generate_v3(uuid, text) uuid IMMUTABLE: pg_catalog.md5($1::text || $2)::uuid
        uuid_generate_v4() uuid VOLATILE: {_UUID}
        uuid_generate_v5(uuid, text) uuid IMMUTABLE: pg_catalog.md5($1::text || $2)::uuid
        uuid_nil() uuid IMMUTABLE: ''00000000-0000-0000-0000-000000000000''::uuid
        uuid_ns_dns() uuid IMMUTABLE: ''6ba7b810-9dad-11d1-80b4-00c04fd430c8''::uuid
        uuid_ns_url() uuid IMMUTABLE: ''6ba7b811-9dad-11d1-80b4-00c04fd430c8''::uuid
        """,
    "pgcrypto": f"""
        gen_random_bytes(int) bytea VOLATILE: pg_catalog.substr(pg_catalog.decode(pg_catalog.repeat({_HASH}, 64), ''hex''), 1, $1)
        digest(text, text) bytea IMMUTABLE: {_BYTES}
        digest(bytea, text) bytea IMMUTABLE: {_BYTES}
        hmac(text, text, text) bytea IMMUTABLE: {_BYTES}
        hmac(bytea, bytea, text) bytea IMMUTABLE: {_BYTES}
        crypt(text, text) text IMMUTABLE: pg_catalog.md5($1 || $2)
        gen_salt(text) text VOLATILE: {_HASH}
        gen_salt(text, int) text VOLATILE: {_HASH}
        pgp_sym_encrypt(text, text) bytea VOLATILE: pg_catalog.convert_to($1, ''UTF8'')
        pgp_sym_encrypt(text, text, text) bytea VOLATILE: pg_catalog.convert_to($1, ''UTF8'')
        pgp_sym_decrypt(bytea, text) text IMMUTABLE: pg_catalog.convert_from($1, ''UTF8'')
        """,
}
