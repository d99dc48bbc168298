"""Names as Django makes them: quoted, cut to 63 characters with a digest, hashed for indexes and constraints."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

LONGEST = 63
_LONGEST_INDEX = 30  # of an index that `Meta.indexes` leaves without a name


def quoted(name: str) -> str:
    """A name in double quotes. Names that already have them stay: `shop"."order` is a table in a schema."""
    return name if len(name) > 1 and name.startswith('"') and name.endswith('"') else f'"{name}"'


def all_quoted(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))


def split(identifier: str) -> tuple[str, str]:
    """Schema and name of a table that was written as `schema"."table`."""
    namespace, separator, name = identifier.partition('"."')
    if not separator or '"."' in name:
        namespace, name = "", identifier
    return namespace.strip('"'), name.strip('"')


def digest(*parts: str, length: int) -> str:
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()[:length]


def truncated(identifier: str, length: int = LONGEST) -> str:
    namespace, name = split(identifier)
    if len(name) <= length:
        return identifier
    prefix = f'{namespace}"."' if namespace else ""
    return f"{prefix}{name[: length - 4]}{digest(name, length=4)}"


def hashed(table: str, columns: Iterable[str], suffix: str = "") -> str:
    """The name of an index or constraint: table, columns, a digest of both, and what it is."""
    table = split(table)[1]
    columns = list(columns)
    ending = digest(table, *columns, length=8) + suffix
    joined = "_".join(columns)
    name = f"{table}_{joined}_{ending}"
    if len(name) <= LONGEST:
        return name
    if len(ending) > LONGEST / 3:
        ending = ending[: LONGEST // 3]
    room = (LONGEST - len(ending)) // 2 - 1
    name = f"{table[:room]}_{joined[:room]}_{ending}"
    return f"D{name[:-1]}" if name[0] == "_" or name[0].isdigit() else name


def of_index(table: str, columns: list[tuple[str, bool]], suffix: str) -> str:
    """The name of an index in `Meta.indexes` that was given none. `columns` are (name, descending)."""
    table = split(table)[1]
    written = [f"-{column}" if descending else column for column, descending in columns]
    name = f"{table[:11]}_{columns[0][0][:7]}_{digest(table, *written, suffix, length=6)}_{suffix}"
    return f"D{name[1:]}" if name[0] == "_" or name[0].isdigit() else name[: _LONGEST_INDEX + max(0, len(suffix) - 3)]
