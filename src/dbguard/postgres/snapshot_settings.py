"""Settings of the planner and those that change what SQL means, extensions, locale: a connection in, pairs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

# Beyond the category "Query Tuning": what the planner reads, or what gives the same text another meaning.
_OTHERS = (
    "work_mem", "hash_mem_multiplier", "maintenance_work_mem", "logical_decoding_work_mem", "temp_buffers", "shared_buffers",
    "max_parallel_workers", "max_parallel_workers_per_gather", "max_worker_processes", "max_parallel_maintenance_workers",
    "parallel_leader_participation",
    "default_statistics_target", "search_path", "TimeZone", "DateStyle", "IntervalStyle", "lc_collate", "lc_ctype",
    "standard_conforming_strings", "transform_null_equals", "array_nulls", "backslash_quote", "quote_all_identifiers", "row_security",
    "default_toast_compression", "default_transaction_isolation", "block_size", "lock_timeout", "statement_timeout",
    "idle_in_transaction_session_timeout", "transaction_timeout", "vacuum_cost_limit", "vacuum_cost_delay", "wal_level", "track_io_timing",
    "effective_io_concurrency", "max_connections", "autovacuum_analyze_scale_factor", "autovacuum_vacuum_scale_factor",
    "default_text_search_config", "xmlbinary", "xmloption", "bytea_output", "extra_float_digits", "data_checksums",
)  # fmt: skip

# reset_val is what a session of this role starts with: `setting` is what dbguard set for itself.
_SETTINGS = """
SELECT s.name, s.reset_val, s.unit FROM pg_catalog.pg_settings s
WHERE (s.category LIKE 'Query Tuning%%' OR s.name = ANY(%s)) AND s.reset_val IS NOT NULL ORDER BY s.name"""
_EXTENSIONS = """
SELECT e.extname::text, e.extversion, n.nspname::text FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql' ORDER BY 1"""
_ROLE_SETTINGS = """
SELECT r.rolname::text, pg_catalog.split_part(c.entry, '=', 1), pg_catalog.substr(c.entry, pg_catalog.strpos(c.entry, '=') + 1)
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c(entry)
WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))
ORDER BY s.setdatabase, 1, 2"""


def read_settings(connection: Connection[Any]) -> tuple[tuple[str, str], ...]:
    """Settings that a new session of this role has, with their units."""
    return tuple((name, with_unit(value, unit)) for name, value, unit in connection.execute(_SETTINGS, [list(_OTHERS)]))


def read_role_settings(connection: Connection[Any], known: set[str]) -> tuple[tuple[str, str, str], ...]:
    """What ALTER ROLE ... SET gives other roles here, of the settings in `known`. A setting for this database wins."""
    found = {(role, name): value for role, name, value in connection.execute(_ROLE_SETTINGS) if name in known}
    return tuple((role, name, value) for (role, name), value in found.items())


def read_extensions(connection: Connection[Any]) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, version, schema) for name, version, schema in connection.execute(_EXTENSIONS))


def read_locale(connection: Connection[Any]) -> tuple[tuple[str, str], ...]:
    """Encoding, collation, character class and provider (c, i, b; before 15 always c) of the database."""
    version = connection.info.server_version
    provider = "d.datlocprovider::text" if version >= 150000 else "'c'"
    locale = "d.datlocale" if version >= 170000 else "d.daticulocale" if version >= 150000 else "NULL"
    row = connection.execute(
        f"SELECT pg_catalog.pg_encoding_to_char(d.encoding)::text, d.datcollate::text, d.datctype::text, {provider}, {locale}"
        " FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()".encode()
    ).fetchone()
    names = ("encoding", "collate", "ctype", "provider", "locale")
    return tuple((name, value) for name, value in zip(names, row or (), strict=False) if value is not None)


def with_unit(value: str, unit: str | None) -> str:
    """`value` as SET takes it: pages of memory become kB, "-1" and "0" keep no unit."""
    if not unit or not value.lstrip("-").replace(".", "", 1).isdigit() or float(value) <= 0:
        return value
    number, pages, word = value, unit.removesuffix("kB"), unit
    if unit.endswith("kB") and pages:
        number, word = str(int(value) * int(pages)), "kB"
    if word == "kB" and int(number) % 1024 == 0:
        number, word = str(int(number) // 1024), "MB"
    return f"{number}{word}"
