"""What writing rows changes in the state: whether a table that was created here has been filled."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.operations.queries import Copy, Insert
from dbguard.model.state import State
from dbguard.replay.advance.draft import Advances, Draft


def insert(state: State, operation: Insert) -> State:
    """A few VALUES do not fill a table; a SELECT that reads tables does."""
    if operation.rows is not None or operation.default_values or operation.limited:
        return state
    return _filled(state, operation.table)


def copy(state: State, operation: Copy) -> State:
    if operation.to or operation.table is None:
        return state
    return _filled(state, operation.table)


def _filled(state: State, written: Name) -> State:
    name = state.resolve(written)
    table = state.schema.tables.get(name)
    if table is None or table.created is None or table.filled:
        return state
    draft = Draft(state)
    for one in draft.family(table):
        if not one.filled:
            draft.put(one._replace(filled=True))
    return draft.done()


ADVANCE: Advances = {Insert: insert, Copy: copy}
