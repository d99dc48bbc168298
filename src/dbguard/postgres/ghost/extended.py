"""Writes what CREATE STATISTICS collected: `ExtendedStatistics` in, rows of pg_statistic_ext_data out.

No version up to 18 reads these values from text. They are written here in the form in which PostgreSQL stores them, through casts that
exist for one transaction: `statext_ndistinct_serialize` (mvdistinct.c), `statext_dependencies_serialize` (dependencies.c).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from json import JSONDecodeError, loads
from typing import TYPE_CHECKING, Any

from dbguard.model.snapshot import ExtendedStatistics

if TYPE_CHECKING:
    from psycopg import Connection

_NDISTINCT_MAGIC, _DEPENDENCIES_MAGIC, _TYPE = 0xA352BFA4, 0xB4549A2C, 1
_NUMBERS = re.compile(r"-?\d+")
MOST_COLUMNS = 8  # STATS_MAX_DIMENSIONS


def restore(connection: Connection[Any], given: Iterable[ExtendedStatistics]) -> list[str]:
    """Returns sentences about what is left out. The connection is a superuser's, in a transaction, with `allow_system_table_mods`."""
    import psycopg

    lost: list[str] = []
    given = list(given)
    if not given:
        return lost
    for kind in ("pg_ndistinct", "pg_dependencies"):
        connection.execute(f"CREATE CAST (bytea AS pg_catalog.{kind}) WITHOUT FUNCTION".encode())
    for one in given:
        try:
            with connection.transaction():
                _write(connection, one)
        except (psycopg.DataError, ValueError, AttributeError, struct.error):
            lost.append(f"extended statistics {one.name} are left out: they cannot be read")
        if one.most_common_vals is not None:
            lost.append(f"extended statistics {one.name}: their most common combinations of values are left out")
    for kind in ("pg_ndistinct", "pg_dependencies"):
        connection.execute(f"DROP CAST (bytea AS pg_catalog.{kind})".encode())
    return lost


def _write(connection: Connection[Any], one: ExtendedStatistics) -> None:
    values = (
        ndistinct(one.n_distinct) if one.n_distinct is not None else None,
        dependencies(one.dependencies) if one.dependencies is not None else None,
    )
    found = "SELECT s.oid FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE n.nspname = %s AND s.stxname = %s"
    row = connection.execute(found.encode(), (one.name.schema, one.name.name)).fetchone()
    if row is None:
        return
    if connection.info.server_version >= 150000:
        text = (
            "INSERT INTO pg_statistic_ext_data (stxoid, stxdinherit, stxdndistinct, stxddependencies)"
            " VALUES (%s, %s, %s::bytea::pg_ndistinct, %s::bytea::pg_dependencies)"
        )
        connection.execute(text.encode(), (row[0], one.inherited, *values))
    elif not one.inherited:
        text = (
            "UPDATE pg_statistic_ext_data SET stxdndistinct = %s::bytea::pg_ndistinct, stxddependencies = %s::bytea::pg_dependencies"
            " WHERE stxoid = %s"
        )
        connection.execute(text.encode(), (*values, row[0]))


def ndistinct(text: str) -> bytes:
    """`{"1, 2": 42}` as PostgreSQL stores it. Raises ValueError for anything else."""
    items = _items(text)
    data = struct.pack("<III", _NDISTINCT_MAGIC, _TYPE, len(items))
    for columns, value in items:
        data += struct.pack("<di", value, len(columns)) + struct.pack(f"<{len(columns)}h", *columns)
    return data


def dependencies(text: str) -> bytes:
    """`{"1 => 2": 0.97}` as PostgreSQL stores it. Raises ValueError for anything else."""
    items = _items(text)
    data = struct.pack("<III", _DEPENDENCIES_MAGIC, _TYPE, len(items))
    for columns, value in items:
        data += struct.pack("<dh", value, len(columns)) + struct.pack(f"<{len(columns)}h", *columns)
    return data


def _items(text: str) -> list[tuple[list[int], float]]:
    try:
        value = loads(text)
    except (JSONDecodeError, RecursionError) as error:
        raise ValueError(text[:40]) from error
    items = []
    for key, number in value.items():
        columns = [int(found) for found in _NUMBERS.findall(key)]
        if not 2 <= len(columns) <= MOST_COLUMNS or not isinstance(number, int | float):
            raise ValueError(key[:40])
        items.append((columns, float(number)))
    if not items:
        raise ValueError("empty")
    return items
