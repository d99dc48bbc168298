"""Which server is meant, and what to say when it does not answer.

In: a connection string, or none. Out: parameters of libpq, and errors in which no password stands.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbguard.errors import ServerError, UsageError

if TYPE_CHECKING:
    from psycopg import Connection, Error

VARIABLE = "DBGUARD_DATABASE"
_NAMING = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE")
_SECRETS = ("password", "sslpassword", "oauth_client_secret")
_DRIVER = re.compile(r"(postgres(?:ql)?)\+\w+(://)")
_TWO_AT = re.compile(r"postgres(?:ql)?://[^/?#]*@[^/?#]*@")
_QUOTED = re.compile(r"\"[^\"]*\"?|'[^']*'?")
_QUESTION = re.compile(r"\s*Is the server running ")  # libpq's; ours is shorter
_ADVICE = (  # part of a message of libpq or the server -> what to do
    ("password authentication failed", "give the password in PGPASSWORD or in ~/.pgpass"),
    ("no password supplied", "give the password in PGPASSWORD or in ~/.pgpass"),
    ("could not translate host name", "is the name of the host right?"),
    ("Connection refused", "does a server listen there?"),
    ("No such file or directory", "does a server listen there?"),
    ("timeout expired", "can the host be reached from here?"),
    ("lock timeout", "somebody holds a lock that excludes reading: try again later"),
    ("statement timeout", "the database is busy, or very large: try again later"),
    ("does not exist", "is the name right?"),
    ("no pg_hba.conf entry", "the server does not let this user in from here"),
    ("unsupported startup parameter", "unset PGOPTIONS: the pooler takes no options"),
    ("definition of service", "is the service in ~/.pg_service.conf or PGSERVICEFILE?"),
)


def parameters(dsn: str | None, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """libpq's parameters of the database that is meant: `dsn`, else $DBGUARD_DATABASE, else the `PG*` variables.

    A connection string is a URI (a driver as in `postgresql+psycopg://` is ignored), `key=value` pairs, or the name of a
    database. Raises UsageError if nothing names a database, or for a string that is none; its text is not repeated.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    text = (dsn or environment.get(VARIABLE, "")).strip()
    if not text:
        if not any(environment.get(name) for name in _NAMING):
            raise UsageError(f"which database? Give a connection string, or set {VARIABLE}, PGHOST and PGDATABASE, or PGSERVICE")
        return {}
    text = _DRIVER.sub(r"\1\2", text, count=1)
    if "=" not in text and "://" not in text:
        return {"dbname": text}
    if _TWO_AT.match(text):  # what stands behind the first would be taken for the host, and shown
        raise UsageError("the connection string has more than one @ before the database: write %40 for one in the password")
    try:
        return {key: str(value) for key, value in conninfo_to_dict(text).items() if value is not None}
    except psycopg.Error as error:
        reason = _QUOTED.sub("...", str(error)).strip()  # libpq quotes what it could not read, which may be half a password
        raise UsageError(
            f"the connection string cannot be read: {reason}; write it as postgresql://user@host:5432/database, `%40` for an @"
        ) from None


def secrets(given: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Texts that must not be shown. A password that is also the name of the user or the host is no secret."""
    found = [given.get(key, "") for key in _SECRETS] + [environment.get("PGPASSWORD", "")]
    public = {given.get(key) or environment.get(variable) for key, variable in (("user", "PGUSER"), ("dbname", "PGDATABASE"), ("host", "PGHOST"))}
    return tuple(text for text in found if text and text not in public)


def shown(given: Mapping[str, str]) -> str:
    """The database in words: `shop on db.example.org`."""
    name = given.get("dbname") or os.environ.get("PGDATABASE") or ""
    host = given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST") or ""
    service = given.get("service") or os.environ.get("PGSERVICE") or ""
    if not name and not host:
        return f"service {service}" if service else "the default database"
    return (name or "the default database") + (f" on {host}" if host else "")


def describe(error: Error, hidden: tuple[str, ...] = ()) -> str:
    """What a server or libpq said, in one line, without the texts in `hidden`.

    Of the server's messages only the first line is taken: details and contexts can hold values of rows, and so does what
    errors about data quote (class 22).
    """
    diagnostic = error.diag.message_primary
    lines = [line.strip() for line in (diagnostic or str(error)).splitlines() if line.strip() and not _QUESTION.match(line)]
    text = " ".join(dict.fromkeys(lines[:1] if diagnostic else lines)) or type(error).__name__
    if (error.sqlstate or "").startswith("22"):
        text = _QUOTED.sub("...", text)
    for secret in hidden:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    return text.removeprefix("connection failed: ")


def advice(text: str) -> str:
    """What to do about a connection that failed with this message."""
    return next((f"; {words}" for part, words in _ADVICE if part in text), "")


@contextmanager
def connecting(given: Mapping[str, str]) -> Iterator[None]:
    """Errors of libpq become ServerError, with advice."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        reason = describe(error, secrets(given))
        raise ServerError(f"cannot connect to {shown(given)}: {reason}{advice(reason)}") from None


def environment_for_programs(connection: Connection[Any]) -> dict[str, str]:
    """Environment in which a program of PostgreSQL reaches the same server as `connection`: no password is in its arguments."""
    from psycopg import pq

    info = connection.info
    known = {**info.get_parameters(), "host": info.host, "port": str(info.port), "user": info.user, "dbname": info.dbname, "password": info.password}
    if info.hostaddr:
        known["hostaddr"] = info.hostaddr
    variables = {option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar}
    environment = {key: value for key, value in os.environ.items() if key not in {"PGSERVICE", "PGOPTIONS", "PGAPPNAME"}}
    environment |= {variables[key]: value for key, value in known.items() if value and key in variables}
    return environment
