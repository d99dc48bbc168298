"""Rows that a driver holds in memory, hashed without being fetched.

In: what a hook put into `Pending.shown`, ("psycopg", PGresult) or ("asyncpg", records). Out: (column, hashes) pairs.
Chosen are columns that may turn up as parameters later: primary keys, foreign keys, what is unique or indexed (where the ORM tells),
then whole numbers and UUIDs, then short text and dates.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import struct
import uuid
from itertools import islice
from typing import Any

from dbguard.capture.hashes import NULL, Hasher

MOST_HASHES = 2_000
MOST_COLUMNS = 8
_MOST_COLUMNS_OF_LARGE = 4
_LARGE = 200
_NUMBERS = 2  # the rank of whole numbers and UUIDs that are no keys; text and dates come after it
_MOST_BYTES_OF_TEXT = 128
_WHOLE = {20: ">q", 21: ">h", 23: ">i", 26: ">I"}
_UUID, _DATE, _MOMENT, _MOMENT_WITH_ZONE = 2950, 1082, 1114, 1184
_TEXT = {25, 1043, 1042, 19}
_OIDS: dict[type, int] = {int: 20, str: 25, dt.date: _DATE, dt.datetime: _MOMENT}
_KEY = re.compile(r"(?:^|_)(?:id|uuid|guid|pk|key|fk)$|^id_", re.IGNORECASE)

Choice = tuple[int, str, int, int]  # index, name in JSON, type OID, rank
Shown = Any
Hashed = list[tuple[str, list[str]]]


def choose(columns: list[tuple[str, int]], keys: dict[int, bool]) -> list[Choice]:
    """Columns worth a look, best first. `keys` says by index what the ORM knows: True is a key, False is not."""
    ranked = []
    for index, (name, oid) in enumerate(columns):
        known = keys.get(index)
        if oid in _WHOLE or oid == _UUID:
            rank = 0 if known or (known is None and _KEY.search(name)) else _NUMBERS
        elif oid in _TEXT:
            rank = 3 if known else 4
        elif oid in {_DATE, _MOMENT, _MOMENT_WITH_ZONE}:
            rank = 5
        else:
            continue
        ranked.append((rank, index, name, oid))
    return [(index, json.dumps(name), oid, rank) for rank, index, name, oid in sorted(ranked)[:MOST_COLUMNS]]


def columns_of(shown: Shown) -> list[tuple[str, int]]:
    if shown[0] == "psycopg":
        result = shown[1]
        return [((result.fname(index) or b"").decode("utf-8", "replace"), result.ftype(index)) for index in range(result.nfields)]
    first = shown[1][0]
    return [(name, next((_oid(row[index]) for row in islice(shown[1], 20) if row[index] is not None), 0)) for index, name in enumerate(first.keys())]


def _oid(value: Any) -> int:
    return _UUID if isinstance(value, uuid.UUID) else _OIDS.get(type(value), 0)


def hashed(shown: Shown, choices: list[Choice], hasher: Hasher) -> Hashed:
    """Hashes of the chosen columns, in the order of the rows, at most MOST_HASHES of each. Of a single row, numbers and UUIDs are enough."""
    driver, rows = shown
    if driver == "psycopg":
        count = rows.ntuples
        if count == 1:
            return _of_row(rows, choices, hasher)
        chosen = choices if count <= _LARGE else choices[:_MOST_COLUMNS_OF_LARGE]
        seen = min(count, MOST_HASHES)
        return [(name, _of_result(rows, index, oid, seen, hasher)) for index, name, oid, _ in chosen]
    count = len(rows)
    chosen = (
        [choice for choice in choices if choice[3] <= _NUMBERS] if count == 1 else choices if count <= _LARGE else choices[:_MOST_COLUMNS_OF_LARGE]
    )
    seen = min(count, MOST_HASHES)
    return [(name, [_limited(row[index], hasher) for row in islice(rows, seen)]) for index, name, _, _ in chosen]


def _of_row(result: Any, choices: list[Choice], hasher: Hasher) -> Hashed:
    if choices and result.fformat(0) == 1:
        return [(name, _of_result(result, index, oid, 1, hasher)) for index, name, oid, rank in choices if rank <= _NUMBERS]
    found = []
    for index, name, _, rank in choices:
        if rank > _NUMBERS:
            break
        raw = result.get_value(0, index)
        found.append((name, [NULL if raw is None else hasher.of_text(raw)]))
    return found


def _limited(value: Any, hasher: Hasher) -> str:
    return "?" if type(value) is str and len(value) > _MOST_BYTES_OF_TEXT else hasher.of(value)


def _of_result(result: Any, index: int, oid: int, seen: int, hasher: Hasher) -> list[str]:
    value, of_text = result.get_value, hasher.of_text
    if result.fformat(index) == 1:
        return [_of_binary(value(row, index), oid, hasher) for row in range(seen)]
    if oid in _WHOLE or oid == _UUID:
        return [NULL if (raw := value(row, index)) is None else of_text(raw) for row in range(seen)]
    found = []
    for row in range(seen):
        raw = value(row, index)
        if raw is None:
            found.append(NULL)
        elif len(raw) > _MOST_BYTES_OF_TEXT or (oid == _MOMENT_WITH_ZONE and not raw.endswith(b"+00")):
            found.append("?")
        else:
            found.append(of_text(_moment(raw) if oid in {_MOMENT, _MOMENT_WITH_ZONE} else raw))
    return found


def _moment(raw: bytes) -> bytes:
    """PostgreSQL leaves out zeros at the end of a fraction, Python writes six digits or none."""
    raw = raw[:-3] if raw.endswith(b"+00") else raw
    whole, dot, fraction = raw.partition(b".")
    return whole + dot + fraction.ljust(6, b"0") if dot else raw


def _of_binary(raw: bytes | None, oid: int, hasher: Hasher) -> str:
    if raw is None:
        return NULL
    if oid in _WHOLE:
        return hasher.of_text(b"%d" % struct.unpack(_WHOLE[oid], raw)[0])
    if oid == _UUID:
        return hasher.of_text(str(uuid.UUID(bytes=bytes(raw))).encode())
    return hasher.of_text(bytes(raw)) if oid in _TEXT and len(raw) <= _MOST_BYTES_OF_TEXT else "?"


def keys_of(context: Any) -> dict[int, bool]:
    """Which columns of a result SQLAlchemy knows to be keys, by index; empty for plain text."""
    compiled = getattr(context, "compiled", None)
    columns = getattr(compiled, "_result_columns", None) or ()
    found: dict[int, bool] = {}
    for index, entry in enumerate(columns):
        for column in entry[2] or ():
            if getattr(column, "table", None) is not None and hasattr(column, "primary_key"):
                found[index] = bool(column.primary_key or column.foreign_keys or getattr(column, "unique", None) or getattr(column, "index", None))
                break
    return found
