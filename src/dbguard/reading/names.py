"""What file names say: is it SQL, is it a migration, which comes first, is it meant for another database."""

from __future__ import annotations

import re

SQL_ENDINGS = (".sql", ".pgsql", ".psql", ".sql.postgres", ".sql.postgresql", ".sql.pg")

MIGRATION_FOLDER = re.compile(r"migrat|changelog|upgrade|update|patch|version|schema|ddl|evolution|delta", re.IGNORECASE)

_ENDING = re.compile(r"\.(?:sql(?:\.(?:postgres|postgresql|pg))?|pgsql|psql)$")
# 001_x, 2024-01-02-x, v1.2.3, 0001##x, 20240102T030405 x, U12__x, R__x: a number first, or the prefixes of Flyway.
_VERSIONED = re.compile(r"(?:[vV]?\d+(?:[._-]\d+)*(?:[_\-.# T]|$)|[VURB]\d[\w.]*?__|R__)")
_VERSION_FOLDER = re.compile(r"[vV]?\d+(?:[._]\d+)*")
_LEADING = re.compile(r"[A-Za-z]?(\d+(?:\.\d+)*)")
_DIGITS = re.compile(r"(\d+)")
_EXTENSION = re.compile(r"[\w-]+?--[^-].*\.sql$")

_DIALECTS = frozenset(
    [
        *("mysql", "mariadb", "tidb", "sqlite", "sqlite3", "mssql", "sqlserver", "tsql", "oracle", "db2", "cockroach", "cockroachdb", "crdb"),
        *("clickhouse", "h2", "hsqldb", "derby", "duckdb", "snowflake", "bigquery", "spanner", "cassandra", "mongodb"),
    ]
)


def is_sql(name: str) -> bool:
    return name.endswith(SQL_ENDINGS)


def stem(name: str) -> str:
    """A file's name without its SQL ending."""
    return _ENDING.sub("", name)


def is_versioned(name: str) -> bool:
    return _VERSIONED.match(stem(name)) is not None or is_extension_script(name)


def is_extension_script(name: str) -> bool:
    """`pgmq--1.0.0--1.1.0.sql`, see the manual, 36.17 Packaging Related Objects into an Extension."""
    return "--" in name and _EXTENSION.match(name) is not None


def is_version_folder(name: str) -> bool:
    return _VERSION_FOLDER.fullmatch(name) is not None


def is_other_database(name: str) -> bool:
    """Whether a folder's or a dialect's name is that of a database other than PostgreSQL."""
    return name.lower() in _DIALECTS


def leading_version(name: str) -> str:
    """The number at the beginning of a migration's name, `""` if there is none."""
    match = _LEADING.match(name)
    return match[1] if match else ""


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that counts: 2 before 10, numbers before letters."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(name) if part)


def numbered(name: str) -> tuple[tuple[int, ...], str]:
    """A sort key: the version at the beginning by its numbers, then the name."""
    return tuple(int(part) for part in leading_version(name).split(".") if part), name
