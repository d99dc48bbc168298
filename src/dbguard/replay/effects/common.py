"""Small things that every prediction needs: locks of families of tables, indexes to build, sentences for the unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.model.schema import Constraint, Index, Schema, Table
from dbguard.model.state import Effects, Lock, State

AS, RS, RX, SUE, S, SRX, X, AX = LockMode  # as the manual's table 13.2 orders them


def lock(mode: LockMode, *relations: Name) -> tuple[Lock, ...]:
    return tuple(Lock(relation, mode) for relation in relations)


def lock_all(mode: LockMode, relations: Iterable[Table | Index]) -> tuple[Lock, ...]:
    return tuple(Lock(relation.name, mode) for relation in relations)


def family(state: State, name: Name, *, only: bool = False) -> tuple[Table, ...]:
    """The table that `name` means and, unless ONLY was written, its partitions and inheritance children at every level."""
    table = state.table(name)
    return (table,) if only else (table, *state.schema.descendants(table.name))


def leaves(tables: Iterable[Table]) -> tuple[Name, ...]:
    """Those of `tables` that keep rows in a file."""
    return tuple(table.name for table in tables if table.has_storage)


def indexes_of(tables: Iterable[Table]) -> tuple[Index, ...]:
    return tuple(index for table in tables for index in table.indexes.values())


def stored_indexes(tables: Iterable[Table]) -> tuple[Index, ...]:
    """Indexes of those of `tables` that keep rows in a file: an index of a partitioned table is only a definition."""
    return tuple(index for table in tables if table.has_storage for index in table.indexes.values())


def refused(reason: str) -> Effects:
    """What is left of a statement that the server refuses: nothing, for certain."""
    return Effects(fails=reason)


def assumed(table: Table) -> tuple[str, ...]:
    """The sentence for a table that was used but never seen being created."""
    if table.known:
        return ()
    return (f"`{table.name}` was not seen being created: taken to exist, in use and large",)


def add(effects: Effects, *others: Effects) -> Effects:
    """The union of effects, not yet put in order (`merge` does that)."""
    for other in others:
        effects = effects._replace(
            locks=effects.locks + other.locks,
            rewrites=effects.rewrites + other.rewrites,
            scans=effects.scans + other.scans,
            builds=effects.builds + other.builds,
            transaction=other.transaction if effects.transaction == "allowed" else effects.transaction,
            fails=effects.fails if effects.fails is not None else other.fails,
            unknown=effects.unknown + other.unknown,
        )
    return effects


def parents_of(state: State, constraint: Constraint) -> tuple[Table, ...]:
    """The table that a foreign key references, and its partitions."""
    if constraint.references is None:
        return ()
    return family(state, constraint.references)


def schema_knows(schema: Schema, *tables: Table) -> bool:
    """Whether a claim that something is missing may be made: the whole history was seen, and so were these tables."""
    return schema.complete and all(table.known for table in tables)


def foreign_keys_of(tables: Iterable[Table]) -> Iterator[tuple[Table, Constraint]]:
    for table in tables:
        for constraint in table.foreign_keys():
            yield table, constraint
