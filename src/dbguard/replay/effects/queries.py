"""Reading and writing rows: which tables, partitions, parents, children and sequences are locked.

Every leaf that a statement can reach is taken to hold at least one row, and no partition to be pruned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dbguard.model.expression import Uses, Write, walk
from dbguard.model.names import Name
from dbguard.model.operations import Copy, Delete, Explain, Insert, LockTable, Merge, Select, Truncate, Update
from dbguard.model.postgres import LockMode, Server
from dbguard.model.schema import Column, Table
from dbguard.model.state import Effects, Lock, State
from dbguard.replay.effects.common import AS, AX, RX, add, assumed, family, lock, lock_all, refused, schema_knows, stored_indexes
from dbguard.replay.effects.reading import PLANNED, REWRITTEN, ancestors, partition_bounds, read, read_all, use_sequences
from dbguard.replay.effects.referential import actions_after_delete, checks_after_insert, checks_after_update


def run_query(uses: Uses, state: State, server: Server) -> Effects:
    """What a query locks when it runs: reads, row locks, sequences, and every table it writes, WITH included."""
    writes = (write(state, one, server) for one in uses.writes)
    return add(Effects(), *read_all(uses, state), use_sequences(state, uses.sequences), *writes)


def plan_query(uses: Uses, state: State, *, stage: int = PLANNED) -> Effects:
    """What a query locks when it is only planned (EXPLAIN) or only rewritten (PREPARE): nothing fires, nothing is routed."""
    targets = []
    for one in uses.writes:
        chain = _view_chain(state, one.table)
        only = stage < PLANNED or one.command == "insert" or one.only
        targets.append(Effects(locks=lock_all(RX, (*chain, *family(state, chain[-1].name, only=only))), unknown=assumed(chain[-1])))
    return add(Effects(), *read_all(uses, state, stage=stage), *targets)


def write(state: State, one: Write, server: Server, *, filled_all: bool = False) -> Effects:
    """One table written; a view is opened as well as the table that it stands for (manual, Updatable Views)."""
    if one.twice:
        return refused(f'column "{one.twice}" is assigned more than once')
    chain = _view_chain(state, one.table)
    views, table = chain[:-1], chain[-1]
    if table.kind == "view":
        reads = read(state, table.uses.reads, only=table.uses.only) if table.uses is not None else Effects()
        return add(Effects(locks=lock_all(RX, chain)), reads)
    locks = (*lock_all(RX, views), *_rows_written(state, one, table, server, filled_all=filled_all))
    return Effects(locks=locks, unknown=(*assumed(table), *_fired(state, one, table)))


def _view_chain(state: State, name: Name) -> tuple[Table, ...]:
    """The relation written and, as long as it is a view of one relation, what is behind it."""
    chain = [state.table(name)]
    while len(chain) < 50 and chain[-1].kind == "view" and chain[-1].uses is not None and len(chain[-1].uses.reads) == 1:
        chain.append(state.table(chain[-1].uses.reads[0]))
    return tuple(chain)


def _rows_written(state: State, one: Write, table: Table, server: Server, *, filled_all: bool) -> Iterator[Lock]:
    columns = frozenset(one.columns)
    match one.command:
        case "insert":
            yield from _insert_locks(state, table, None if filled_all else columns or None)
        case "update":
            yield from lock_all(RX, family(state, table.name, only=one.only))
            yield from lock_all(AS, ancestors(state, table))
            yield from checks_after_update(state, table, columns)
        case "delete":
            yield from lock_all(RX, family(state, table.name, only=one.only))
            yield from _partition_bounds(state, table, server)
            yield from actions_after_delete(state, table)
        case _:  # merge
            yield from lock_all(RX, family(state, table.name, only=one.only))
            if "insert" in one.actions:
                yield from _insert_locks(state, table, columns)
            if "update" in one.actions:
                yield from lock_all(AS, ancestors(state, table))
                yield from checks_after_update(state, table, columns)
            if "delete" in one.actions:
                yield from actions_after_delete(state, table)


def _partition_bounds(state: State, table: Table, server: Server) -> tuple[Lock, ...]:
    """What a partition may hold is read from the tables above (`generate_partition_qual`), since 14 only to check new rows."""
    return partition_bounds(state, table) if server.since(14) else lock_all(AS, ancestors(state, table))


def _insert_locks(state: State, table: Table, given: frozenset[str] | None) -> Iterator[Lock]:
    """`given`: the column list, None if all columns are given."""
    if table.kind == "partitioned table":
        yield from lock_all(RX, family(state, table.name))
    yield Lock(table.name, RX)
    yield from lock_all(AS, ancestors(state, table))
    filled = given
    if given is not None:
        omitted = [column for column in table.columns.values() if column.name not in given]
        filled = given.union(column.name for column in omitted if column.default is not None)
        yield from lock(RX, *(name for column in omitted for name in sequences_of_default(state, table, column)))
    yield from checks_after_insert(state, table, filled)


def sequences_of_default(state: State, table: Table, column: Column) -> Iterator[Name]:
    """Sequences that a default value is taken from: nextval('name'), and the sequence of an identity column."""
    if column.default is not None and not column.generated and "nextval" in column.default.sql.lower():
        for node in walk(column.default.tree):
            if node[0] == "call" and node[1].name == "nextval":
                texts = [child[1] for child in walk(node) if child[0] == "const" and isinstance(child[1], str)]
                yield from (state.resolve(_parse_name(text)) for text in texts)
    if column.identity:
        owners = {(one.name, column.name) for one in (table, *ancestors(state, table))}
        yield from (sequence.name for sequence in state.schema.sequences.values() if sequence.identity and sequence.owner in owners)


def _parse_name(text: str) -> Name:
    """A name inside a string, as nextval reads it."""
    schema, dot, name = text.rpartition(".")
    return Name(schema.strip('"') if dot else None, name.strip('"'))


def _fired(state: State, one: Write, table: Table) -> Iterator[str]:
    """Sentences for what a write sets off and cannot be seen from here."""
    events = one.actions or {one.command}
    for owner in family(state, table.name):
        for trigger in owner.triggers.values():
            if trigger.events & events:
                yield f"trigger `{trigger.name}` of `{owner.name}` calls `{trigger.function}`: what that locks is not counted"
    for rule in sorted(table.rules):
        yield f"rule `{rule}` of `{table.name}` adds a statement: what that locks is not counted"


def _select(query: Select, state: State, server: Server) -> Effects:
    if query.prepared:
        return plan_query(query.uses, state, stage=REWRITTEN)
    effects = run_query(query.uses, state, server)
    if query.uses.functions and state.schema.functions:
        effects = effects._replace(unknown=effects.unknown + hidden_in(query.uses, state))
    return effects._replace(transaction="required") if query.cursor else effects


def hidden_in(uses: Uses, state: State) -> tuple[str, ...]:
    """Sentences for the functions that a query calls and whose bodies put together statements of their own."""
    from dbguard.replay.calls import runs_dynamic_sql

    called = dict.fromkeys(uses.functions)
    return tuple(f"function `{name}` runs dynamic SQL (EXECUTE): what that does is not known" for name in called if runs_dynamic_sql(name, state))


def _insert(insert: Insert, state: State, server: Server) -> Effects:
    """INSERT without a column list gives every column a value, DEFAULT VALUES gives none."""
    target = _own(insert.uses, Write("insert", insert.table, insert.columns))
    rest = insert.uses._replace(writes=_other_writes(insert.uses, insert.table))
    if insert.default_values:
        own = Effects(locks=tuple(_insert_locks(state, state.table(insert.table), frozenset())), unknown=assumed(state.table(insert.table)))
    else:
        own = write(state, target, server, filled_all=not insert.columns)
    return add(own, run_query(rest, state, server))


def _other_writes(uses: Uses, target: Name) -> tuple[Write, ...]:
    """Writes in WITH: all but the statement's own, which comes first."""
    return uses.writes[1:] if uses.writes and uses.writes[0].table == target else uses.writes


def _own(uses: Uses, written: Write) -> Write:
    """The statement's own write as it was found in the text, as far as that is known."""
    return uses.writes[0] if uses.writes and uses.writes[0].table == written.table else written


def _update(update: Update, state: State, server: Server) -> Effects:
    rest = update.uses._replace(writes=_other_writes(update.uses, update.table))
    own = _own(update.uses, Write("update", update.table, update.assigned, update.only))
    return add(write(state, own, server), run_query(rest, state, server))


def _delete(delete: Delete, state: State, server: Server) -> Effects:
    rest = delete.uses._replace(writes=_other_writes(delete.uses, delete.table))
    return add(write(state, Write("delete", delete.table, (), delete.only), server), run_query(rest, state, server))


def _merge(merge: Merge, state: State, server: Server) -> Effects:
    return run_query(merge.uses, state, server)


def _copy(copy: Copy, state: State, server: Server) -> Effects:
    """COPY FROM writes like INSERT; COPY table TO reads that table alone, and not a partitioned one (`BeginCopyTo`)."""
    if copy.table is None:
        return run_query(copy.uses, state, server)
    table = state.table(copy.table)
    if len(set(copy.columns)) < len(copy.columns):
        return refused("a column is named more than once")
    if not copy.to:
        return write(state, Write("insert", copy.table, copy.columns), server, filled_all=not copy.columns)
    unread = {"partitioned table", "view", "foreign table", *(() if server.since(18) else ("materialized view",))}
    if table.kind in unread and schema_knows(state.schema, table):
        return refused(f"COPY does not read `{table.name}`, a {table.kind}; COPY (SELECT ...) does")
    return Effects(locks=lock(AS, table.name), unknown=assumed(table))


def _truncate(truncate: Truncate, state: State, server: Server) -> Effects:
    """The tables, their descendants and indexes; CASCADE adds all that references them (`ExecuteTruncateGuts`)."""
    reached: dict[Name, Table] = {}
    for name in truncate.tables:
        reached.update((table.name, table) for table in family(state, name, only=name in truncate.only))
    outside = _referencing(state, reached)
    while truncate.cascade and outside:
        reached.update((table.name, table) for child in outside for table in family(state, child.name))
        outside = _referencing(state, reached)
    tables = tuple(reached.values())
    if outside and schema_knows(state.schema, *tables):
        return refused(f"`{outside[0].name}` references a table to be truncated")
    locks = [*lock_all(AX, tables), *lock_all(AX, stored_indexes(tables))]
    if not server.since(14):
        locks += [one for table in tables for one in lock_all(AS, ancestors(state, table))]
    if truncate.restart_identity:
        owned = (sequence.name for sequence in state.schema.sequences.values() if sequence.owner is not None and sequence.owner[0] in reached)
        locks += lock(AX, *owned)
    return Effects(locks=tuple(locks), unknown=tuple(sentence for table in tables for sentence in assumed(table)))


def _referencing(state: State, reached: Mapping[Name, Table]) -> list[Table]:
    """Tables outside with a foreign key to one inside (`heap_truncate_find_FKs`); a partition counts for its parents."""
    inside = [one.name for table in reached.values() for one in (table, *ancestors(state, table))]
    found = {child.name: child for name in dict.fromkeys(inside) for child, _ in state.schema.referencing(name)}
    return [child for child in found.values() if child.name not in reached]


def _lock_table(statement: LockTable, state: State, server: Server) -> Effects:
    """LOCK TABLE takes descendants too, and what a view reads (`LockViewRecurse` in lockcmds.c)."""
    mode = LockMode(statement.mode)
    parts = []
    for name in statement.tables:
        table = state.table(name)
        if table.kind == "materialized view" or table.name in state.schema.sequences or table.name in state.schema.index_tables:
            return refused(f"`{table.name}` is not a table or view")
        if name in statement.only:
            parts.append(Effects(locks=lock(mode, table.name), unknown=assumed(table)))
        else:
            parts.append(read(state, (name,), mode, bounds=False))
    return add(Effects(transaction="required"), *parts)


def _explain(explain: Explain, state: State, server: Server) -> Effects:
    """EXPLAIN plans; with ANALYZE it runs the statement."""
    from dbguard.replay.effects import effects

    if explain.analyze:
        return effects(explain.operation, state, server)
    uses = getattr(explain.operation, "uses", None)
    return plan_query(uses, state) if uses is not None else Effects()


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    Select: _select,
    Insert: _insert,
    Update: _update,
    Delete: _delete,
    Merge: _merge,
    Copy: _copy,
    Truncate: _truncate,
    LockTable: _lock_table,
    Explain: _explain,
}
