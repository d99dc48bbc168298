"""Locks for reading: views are expanded to what they read, tables to their partitions and inheritance children."""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.expression import Uses
from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.model.schema import Table
from dbguard.model.state import Effects, Lock, State
from dbguard.replay.effects.common import AS, RS, RX, assumed, lock_all

# How far the server takes a query (src/backend/tcop/postgres.c): names alone are locked by parse analysis (CREATE VIEW),
# views are expanded by the rewriter (PREPARE), partitions are found by the planner (EXPLAIN, and running it).
ANALYSED, REWRITTEN, PLANNED = range(3)


def read(
    state: State, names: Iterable[Name], mode: LockMode = AS, *, stage: int = PLANNED, bounds: bool = True, only: frozenset[Name] = frozenset()
) -> Effects:
    """The locks of a query that reads `names`; `mode` is ROW SHARE for SELECT ... FOR UPDATE, which reaches through views.

    `bounds` is false for what is not a query and looks at no partition bounds; of the tables in `only` no children are read.
    """
    found: dict[Name, bool] = {}  # whether its children were looked at, too
    unknown: list[str] = []
    above: list[Lock] = []
    waiting = [(name, name not in only) for name in names]
    while waiting:
        name, whole = waiting.pop()
        if is_system(state, name):
            continue
        table = state.table(name)
        seen = found.get(table.name)
        if seen or seen is whole:
            continue
        if table.name not in state.schema.sequences and seen is None:
            unknown.extend(assumed(table))
        found[table.name] = whole
        if table.kind == "view" and table.uses is not None and stage >= REWRITTEN:
            waiting.extend([(one, one not in table.uses.only) for one in table.uses.reads])
        elif stage >= PLANNED and whole:
            found.update(dict.fromkeys([child.name for child in state.schema.descendants(table.name)], True))
            above.extend(partition_bounds(state, table) if bounds else ())
    return Effects(locks=(*(Lock(name, mode) for name in found), *above), unknown=tuple(unknown))


def partition_bounds(state: State, table: Table) -> tuple[Lock, ...]:
    """To plan a partitioned table that is a partition itself, its own bounds are read from the tables above
    (`set_baserel_partition_constraint` in plancat.c).
    """
    return lock_all(AS, ancestors(state, table)) if table.kind == "partitioned table" else ()


def read_all(uses: Uses, state: State, *, stage: int = PLANNED) -> tuple[Effects, ...]:
    """The locks of everything that `uses` reads, and of rows it locks."""
    return (read(state, uses.reads, stage=stage, only=uses.only), read(state, uses.row_locks, RS, stage=stage, only=uses.only))


def use_sequences(state: State, names: Iterable[Name]) -> Effects:
    """nextval, currval and setval open the sequence with ROW EXCLUSIVE (`lock_and_open_sequence` in sequence.c)."""
    return Effects(locks=tuple(Lock(state.resolve(name), RX) for name in names))


def is_system(state: State, name: Name) -> bool:
    """Whether the name is one of the system catalogs, which are not listed."""
    if name.schema is not None:
        return name.schema in {"pg_catalog", "information_schema", "pg_toast"}
    return name.name.startswith("pg_") and state.resolve(name) not in state.schema.tables


def ancestors(state: State, table: Table) -> tuple[Table, ...]:
    """The partitioned tables above a partition, nearest first."""
    found: list[Table] = []
    while table.parent is not None and len(found) < 100:  # a cycle cannot be built, but a doubted schema may hold one
        table = state.schema.table(table.parent)
        found.append(table)
    return tuple(found)
