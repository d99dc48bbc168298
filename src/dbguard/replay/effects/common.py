"""Small things that every prediction needs: locks of families of tables, indexes to build, sentences for the unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model.expression import Expression
from dbguard.model.names import Name
from dbguard.model.postgres import LockMode, Server
from dbguard.model.schema import Constraint, Index, Schema, Table
from dbguard.model.state import Effects, Lock, State
from dbguard.replay.advance.dependents import sequences_in

AS, RS, RX, SUE, S, SRX, X, AX = LockMode  # as the manual's table 13.2 orders them
SYSTEM_COLUMNS = frozenset({"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"})
NOTHING = Effects()
FORBIDDEN = Effects(transaction="forbidden")


def lock(mode: LockMode, *relations: Name) -> tuple[Lock, ...]:
    return tuple([Lock._make((relation, mode)) for relation in relations])


def lock_all(mode: LockMode, relations: Iterable[Table | Index]) -> tuple[Lock, ...]:
    return tuple([Lock._make((relation.name, mode)) for relation in relations])


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
        if other == NOTHING:
            continue
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
    parent = state.table(constraint.references)
    return family(state, parent.name, only=parent.kind != "partitioned table")


def named_in(state: State, server: Server, *defaults: Expression | None) -> tuple[Lock, ...]:
    """ACCESS SHARE on sequences that a stored default names: from 18 a dependency is recorded under a lock."""
    named = tuple(name for default in defaults if default is not None for name in sequences_in(state, default))
    return lock(AS, *named) if named and server.since(18) else ()


def schema_knows(schema: Schema, *tables: Table) -> bool:
    """Whether a claim that something is missing may be made: the whole history was seen, and so were these tables."""
    return schema.complete and all(table.known for table in tables)


def foreign_keys_of(tables: Iterable[Table]) -> Iterator[tuple[Table, Constraint]]:
    for table in tables:
        for constraint in table.foreign_keys():
            yield table, constraint


def rewritten(tables: Iterable[Table]) -> Effects:
    """Every row of `tables` is written again and every index on them built again (ATRewriteTables in tablecmds.c)."""
    stored = tuple(table for table in tables if table.has_storage)
    indexes = stored_indexes(stored)
    return Effects(locks=lock_all(AX, indexes), rewrites=leaves(stored), builds=tuple(index.name for index in indexes))


def after(state: State, operation: object) -> Schema:
    """The schema that the operation leaves."""
    from dbguard.replay.advance import advance

    return advance(state, operation).schema


def built(state: State, operation: object) -> tuple[Name, ...]:
    """Indexes that the operation makes on tables which exist and keep rows."""
    new = after(state, operation)
    return tuple(
        index
        for index, table in new.index_tables.items()
        if index not in state.schema.index_tables and state.schema.tables.get(table, Table(name=table)).has_storage and _is_table(new, table)
    )


def _is_table(schema: Schema, name: Name) -> bool:
    return schema.table(name).has_storage


def torn(state: State, operation: object) -> tuple[Lock, ...]:
    """ACCESS EXCLUSIVE on all that the operation removes, and on both tables of every foreign key that goes.

    performMultipleDeletions in catalog/dependency.c; RemoveConstraintById in catalog/pg_constraint.c drops the triggers
    of a foreign key from both tables.
    """
    old, new = state.schema, after(state, operation)
    names: list[Name] = []
    if old.index_tables is not new.index_tables:
        names += [name for name in old.index_tables if name not in new.index_tables]
    if old.sequences is not new.sequences:
        names += [name for name in old.sequences if name not in new.sequences]
    kept = new.tables
    for name, table in [(name, table) for name, table in old.tables.items() if kept.get(name) is not table]:
        left = kept.get(name)
        if left is None or (left.columns is not table.columns and (len(left.columns) < len(table.columns) or _defaults(left) < _defaults(table))):
            names.append(name)
        if left is not None and left.constraints is table.constraints:
            continue
        for key in table.constraints.values():
            if left is None or key.name not in left.constraints:
                names.append(name)
                names += [] if key.inherited else [parent.name for parent in parents_of(state, key)]
    return lock(AX, *names)


def _defaults(table: Table) -> int:
    return sum(column.default is not None for column in table.columns.values())


def absent(state: State, table: Table, *, if_exists: bool = False) -> Effects | None:
    """The answer for a table that is not there, None for one that is or that may be."""
    if table.name in state.schema.tables or not state.schema.complete:
        return None
    return Effects() if if_exists else refused(f"relation `{table.name}` does not exist")


def no_column(table: Table, column: str) -> Effects | None:
    """The refusal for a column that a known table lacks."""
    if table.known and column not in table.columns:
        return refused(f'column "{column}" of relation `{table.name}` does not exist')
    return None
