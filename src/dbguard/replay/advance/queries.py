"""What writing rows changes in the state: which tables were filled or emptied here, and whose rows wait for a deferred check."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dbguard.model.names import Name
from dbguard.model.operations.queries import Copy, Delete, Insert, Merge, Truncate, Update
from dbguard.model.operations.session import SetConstraints
from dbguard.model.predicates import is_always_true
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import State, Transaction
from dbguard.replay.advance.draft import Advances, Draft


def insert(state: State, operation: Insert) -> State:
    """A few VALUES do not fill a table; a SELECT that reads tables does."""
    few = operation.rows is not None or operation.default_values or operation.limited
    certain = few and operation.on_conflict != "nothing"
    return _filled(_noted(state, operation.table, pending=_queues_insert if certain else None), operation.table, few=few)


def copy(state: State, operation: Copy) -> State:
    if operation.to or operation.table is None:
        return state
    return _filled(_noted(state, operation.table, pending=None), operation.table, few=False)


def merge(state: State, operation: Merge) -> State:
    return _filled(_noted(state, operation.table, pending=None), operation.table, few=True)


def _filled(state: State, written: Name, *, few: bool) -> State:
    name = state.resolve(written)
    table = state.schema.tables.get(name)
    if table is None or (table.emptied is None and (few or table.created is None or table.filled)):
        return state
    draft = Draft(state)
    for one in draft.family(table):
        draft.put(one._replace(filled=one.filled or (not few and one.created is not None), emptied=None, truncated=False))
    return draft.done()


def update(state: State, operation: Update) -> State:
    return _noted(state, operation.table, pending=lambda key: not set(operation.assigned).difference(operation.nulls).isdisjoint(key.columns))


def delete(state: State, operation: Delete) -> State:
    """Without a condition nothing is left. What a key with NO ACTION has to check waits where it is deferred."""
    transaction = state.transaction
    name = state.resolve(operation.table)
    if transaction is not None and any(is_deferred(key, transaction) and key.on_delete == "no action" for _, key in state.schema.referencing(name)):
        state = state._replace(transaction=transaction._replace(pending=transaction.pending | {name}))
    if operation.joined or operation.limited or not (operation.where is None or is_always_true(operation.where.tree)):
        return state
    table = _behind(state, name)
    return state if table is None else _emptied(state, Draft(state).family(table, only=operation.only), truncated=False)


def _behind(state: State, name: Name) -> Table | None:
    """The table, or the one that a view of one relation shows."""
    table = state.schema.tables.get(name)
    for _ in range(10):
        if table is None or table.kind != "view" or table.uses is None or len(table.uses.reads) != 1:
            break
        table = state.schema.tables.get(table.uses.reads[0])
    return table


def truncate(state: State, operation: Truncate) -> State:
    """CASCADE reaches the tables that reference one of them (ExecuteTruncateGuts in tablecmds.c)."""
    draft = Draft(state)
    reached: dict[Name, Table] = {}
    for written in operation.tables:
        table = draft.find(written) if state.schema.complete else draft.learn(written)
        if table is not None:
            reached.update((one.name, one) for one in draft.family(table, only=written in operation.only))
    waiting = list(reached) if operation.cascade else []
    while waiting:
        for child, _ in state.schema.referencing(waiting.pop()):
            more = [one for one in draft.family(child) if one.name not in reached]
            reached.update((one.name, one) for one in more)
            waiting += [one.name for one in more]
    return _emptied(state, reached.values(), truncated=True)


def _emptied(state: State, tables: Iterable[Table], *, truncated: bool) -> State:
    draft = Draft(state)
    for table in tables:
        draft.put(table._replace(emptied=state.now, truncated=truncated, filled=False))
    return draft.done()


def _noted(state: State, written: Name, *, pending: Callable[[Constraint], bool] | None) -> State:
    """The transaction remembers whose rows it wrote, and whose wait for the check of a deferred foreign key of which `pending` is true."""
    transaction = state.transaction
    if transaction is None:
        return state
    name = state.resolve(written)
    table = state.schema.tables.get(name)
    waits = pending is not None and table is not None and any(is_deferred(key, transaction) and pending(key) for key in table.foreign_keys())
    if name in transaction.written and not waits:
        return state
    queued = transaction.pending | {name} if waits else transaction.pending
    return state._replace(transaction=transaction._replace(written=transaction.written | {name}, pending=queued))


def _queues_insert(_key: Constraint) -> bool:
    """AfterTriggerSaveEvent in src/backend/commands/trigger.c looks at no value of a new row."""
    return True


def is_deferred(key: Constraint, transaction: Transaction) -> bool:
    """Whether the check of the constraint waits for the end of the transaction."""
    if not key.enforced or not key.deferrable:
        return False
    return key.deferred if transaction.deferring is None else transaction.deferring


def set_constraints(state: State, operation: SetConstraints) -> State:
    """IMMEDIATE checks at once what waits."""
    transaction = state.transaction
    if transaction is None:
        return state
    pending = transaction.pending if operation.deferred else frozenset()
    deferring = transaction.deferring if operation.names else operation.deferred
    return state._replace(transaction=transaction._replace(pending=pending, deferring=deferring))


ADVANCE: Advances = {
    Copy: copy,
    Delete: delete,
    Insert: insert,
    Merge: merge,
    SetConstraints: set_constraints,
    Truncate: truncate,
    Update: update,
}
