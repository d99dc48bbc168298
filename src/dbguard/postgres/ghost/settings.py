"""Planner settings of the snapshot on the ghost: pairs in, settings of the role that callers connect as out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbguard.model.names import quote
from dbguard.model.snapshot import Snapshot

if TYPE_CHECKING:
    from psycopg import Connection

# Beyond the category "Query Tuning": what else the planner reads (costsize.c, planner.c), and what gives the same text another meaning.
# Nothing else of a snapshot is set: a setting can name a library to load.
_OTHERS = frozenset(
    """
    work_mem hash_mem_multiplier max_parallel_workers_per_gather max_parallel_workers parallel_leader_participation search_path TimeZone DateStyle
    IntervalStyle standard_conforming_strings transform_null_equals array_nulls backslash_quote default_text_search_config xmlbinary
    xmloption bytea_output extra_float_digits row_security quote_all_identifiers effective_io_concurrency
    """.split()  # noqa: SIM905
)
_PLANNER = ("enable_", "cpu_", "parallel_", "jit", "geqo")  # what an "on" of a newer server enables is a part of that planner
OWN = {"default_transaction_read_only": "on", "statement_timeout": "60s", "lock_timeout": "5s"}


def apply(connection: Connection[Any], role: str, snapshot: Snapshot) -> list[str]:
    """Gives `role` the settings of the snapshot; returns sentences about those that this server does not take. The connection is a superuser's."""
    import psycopg

    known = dict(connection.execute(_KNOWN, [list(_OTHERS)]).fetchall())
    lost = []
    for name, value in snapshot.settings:
        if name not in known:
            if (name in _OTHERS or name.startswith(_PLANNER)) and not (name.startswith("enable_") and value == "on"):
                lost.append(f"setting {name} = {value} is not known to the ghost's server")
            continue
        if value == known[name]:
            continue
        try:
            with connection.transaction():
                connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
                connection.execute(f"ALTER ROLE {quote(role)} SET {quote(name)} FROM CURRENT".encode())
        except psycopg.Error as error:
            lost.append(f"setting {name} = {value} is not taken: {error.diag.message_primary}")
    for name, value in OWN.items():
        connection.execute(f"ALTER ROLE {quote(role)} SET {name} = '{value}'".encode())
    return lost


_KNOWN = """
SELECT s.name, pg_catalog.current_setting(s.name) FROM pg_catalog.pg_settings s
WHERE s.context IN ('user', 'superuser') AND (s.category LIKE 'Query Tuning%%' OR s.name = ANY (%s))"""
