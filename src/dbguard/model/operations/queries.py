"""Operations that read or write rows."""

from __future__ import annotations

from dbguard.model.expression import Expression, Uses
from dbguard.model.names import Name
from dbguard.model.record import Record

__all__ = ["Copy", "Delete", "Explain", "Insert", "LockTable", "Merge", "Select", "Truncate", "Update"]


class Select(Record):
    """SELECT, VALUES, TABLE; also DECLARE CURSOR, PREPARE (prepared) and RETURN QUERY in a body."""

    uses: Uses
    prepared: bool = False
    cursor: bool = False  # DECLARE without WITH HOLD, which needs a transaction


class Insert(Record):
    """`rows` is the number of VALUES lists, None for INSERT ... SELECT; `uses.writes[0]` is the target."""

    table: Name
    columns: tuple[str, ...]
    uses: Uses
    rows: int | None = None
    default_values: bool = False
    on_conflict: str = ""  # "", nothing, update
    limited: bool = False  # INSERT ... SELECT whose SELECT has LIMIT or no FROM


class Update(Record):
    table: Name
    assigned: tuple[str, ...]  # in order, duplicates kept
    uses: Uses
    where: Expression | None = None
    only: bool = False
    joined: bool = False  # has FROM
    where_query: bool = False  # the WHERE has a sub-query (batches: WHERE id IN (SELECT ... LIMIT n))
    limited: bool = False  # a sub-query or CTE that drives it has LIMIT
    nulls: frozenset[str] = frozenset()  # columns that are assigned NULL itself


class Delete(Record):
    table: Name
    uses: Uses
    where: Expression | None = None
    only: bool = False
    joined: bool = False  # has USING
    where_query: bool = False
    limited: bool = False


class Merge(Record):
    table: Name
    uses: Uses


class Copy(Record):
    """COPY; `table` None: COPY (query). `end` is stdin, stdout, file or program."""

    table: Name | None
    to: bool
    end: str
    columns: tuple[str, ...] = ()
    uses: Uses = Uses()


class Truncate(Record):
    tables: tuple[Name, ...]
    cascade: bool = False
    restart_identity: bool = False
    only: frozenset[Name] = frozenset()


class LockTable(Record):
    tables: tuple[Name, ...]
    mode: int  # value of LockMode
    nowait: bool = False
    only: frozenset[Name] = frozenset()


class Explain(Record):
    """EXPLAIN; `operation` is what it explains, run only with `analyze`."""

    operation: object
    analyze: bool = False
