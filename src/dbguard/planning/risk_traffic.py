"""What an application sends to a database, with the locks that each statement takes: the ones who wait when a migration locks.

In: shapes with how often they are sent, and a schema. Out: `Traffic`, one per statement. Views and functions expand as far as the schema knows
them. Where no statement with a known rate touches a table, its counters (pg_stat_user_tables) stand in for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model.names import Name
from dbguard.model.operations import Operation
from dbguard.model.postgres import LockMode, Server
from dbguard.model.record import Record
from dbguard.model.state import Lock, State
from dbguard.parsing import parse_text
from dbguard.parsing.query import read_query
from dbguard.planning.risk_sizes import Sizes
from dbguard.replay.calls import with_calls
from dbguard.replay.effects import effects


class Sent(Record):
    """One shape that the application sends."""

    shape: str
    sql: str
    calls: int = 0
    a_second: float | None = None  # None: not known
    mean: float | None = None  # seconds that one takes
    places: tuple[tuple[str, int, str], ...] = ()
    name: str = ""


class Traffic(Record):
    """A statement with the locks that it takes. `shape` is empty for what a table's counters say."""

    shape: str
    sql: str
    a_second: float | None
    locks: tuple[Lock, ...]
    places: tuple[tuple[str, int, str], ...] = ()


def traffic(sent: Iterable[Sent], state: State, major: int) -> tuple[Traffic, ...]:
    """Locks of each statement on the schema of `state`; statements that cannot be read take none."""
    return tuple([Traffic(one.shape, one.sql, one.a_second, locks_of(one.sql, state, major), one.places) for one in sent])


def locks_of(sql: str, state: State, major: int) -> tuple[Lock, ...]:
    text = read_query(sql)
    found: dict[Name, LockMode] = {}
    server = Server(major)
    for operation in operations_of(text.sql if text.body is not None else sql):
        for inner in with_calls(operation, state):
            for lock in effects(inner, state, server).locks:
                found[lock.relation] = max(lock.mode, found.get(lock.relation, lock.mode))
    return tuple([Lock(name, mode) for name, mode in found.items()])


def operations_of(sql: str) -> Iterator[Operation]:
    for statement in parse_text(sql):
        yield from statement.operations


def counters(sizes: Sizes, known: Iterable[Traffic]) -> tuple[Traffic, ...]:
    """Reads and writes of tables by their counters, where no statement with a known rate tells of them."""
    if not sizes.covered:
        return ()
    told = {(lock.relation, lock.mode >= LockMode.ROW_EXCLUSIVE) for one in known if one.a_second is not None for lock in one.locks}
    found = []
    for name, one in sizes.activity.items():
        kind = sizes.relations[name].kind if name in sizes.relations else "r"
        if kind not in {"r", "p", "m"}:
            continue
        reads = (one.seq_scans + one.index_scans) / sizes.covered
        writes = (one.inserts + one.updates + one.deletes) / sizes.covered
        if (name, False) not in told:
            found.append(Traffic("", f"reads of {_short(name)}", reads, (Lock(name, LockMode.ACCESS_SHARE),)))
        if (name, True) not in told:
            found.append(Traffic("", f"rows written to {_short(name)}", writes, (Lock(name, LockMode.ROW_EXCLUSIVE),)))
    return tuple(found)


def _short(name: Name) -> str:
    return str(Name(None, name.name) if name.schema == "public" else name)
