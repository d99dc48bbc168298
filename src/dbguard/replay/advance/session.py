"""Transactions, savepoints and settings."""

from __future__ import annotations

from collections.abc import Mapping

from dbguard.model.operations.session import (
    Begin,
    Commit,
    PrepareTransaction,
    ReleaseSavepoint,
    ResetParameter,
    Rollback,
    RollbackToSavepoint,
    Savepoint,
    SessionCommand,
    SetParameter,
)
from dbguard.model.state import State, Transaction
from dbguard.replay.advance.draft import Advances, without
from dbguard.replay.transactions import close, opened


def begin(state: State, _operation: Begin) -> State:
    """BEGIN inside a transaction, the tool's included, is only a warning."""
    if state.transaction is not None:
        return state
    return opened(state._replace(now=state.now._replace(transaction=state.now.transaction + 1)), explicit=True)


def end(state: State, operation: Commit | Rollback) -> State:
    if state.transaction is None or operation.in_body:
        return state
    state = close(state, committed=isinstance(operation, Commit))
    return begin(state, Begin()) if operation.chain else state


def prepare(state: State, operation: PrepareTransaction) -> State:
    """PREPARE TRANSACTION takes the transaction away from the session; its end is taken to be COMMIT PREPARED."""
    return close(state, committed=True) if operation.command == "prepare" and state.transaction is not None else state


def savepoint(state: State, operation: Savepoint) -> State:
    transaction = state.transaction
    if transaction is None:
        return state
    point = (operation.name, state.schema, transaction.locks)
    settings = (state.settings, transaction.lasting)
    return state._replace(
        transaction=transaction._replace(savepoints=(*transaction.savepoints, point), savepoint_settings=(*transaction.savepoint_settings, settings))
    )


def release(state: State, operation: ReleaseSavepoint) -> State:
    transaction = state.transaction
    position = _position(transaction, operation.name)
    if transaction is None or position is None:
        return state
    return state._replace(transaction=_cut(transaction, position))


def rollback_to(state: State, operation: RollbackToSavepoint) -> State:
    """The savepoint stays; locks taken since are given back (manual section 13.3, "Explicit Locking")."""
    transaction = state.transaction
    position = _position(transaction, operation.name)
    if transaction is None or position is None:
        return state
    _, schema, locks = transaction.savepoints[position]
    settings, lasting = state.settings, transaction.lasting
    if position < len(transaction.savepoint_settings):
        settings, lasting = transaction.savepoint_settings[position]
    transaction = _cut(transaction, position + 1)._replace(locks=locks, lasting=lasting, pending=frozenset())
    return state._replace(schema=schema, settings=settings, transaction=transaction)


def set_parameter(state: State, operation: SetParameter) -> State:
    if operation.local:
        return _set_local(state, operation)
    return _set_lasting(state, operation.name, operation.value)


def reset(state: State, operation: ResetParameter) -> State:
    if operation.name is not None:
        return _set_lasting(state, operation.name, None)
    return _all_reset(state)


def command(state: State, operation: SessionCommand) -> State:
    return _all_reset(state) if operation.command.lower() == "discard all" else state


def _set_local(state: State, operation: SetParameter) -> State:
    transaction = state.transaction
    if transaction is None:
        return state
    if transaction.lasting is None:
        transaction = transaction._replace(lasting=state.settings)
    return state._replace(settings=_with(state.settings, operation.name, operation.value), transaction=transaction)


def _set_lasting(state: State, name: str, value: str | None) -> State:
    transaction = state.transaction
    if transaction is not None and transaction.lasting is not None:
        state = state._replace(transaction=transaction._replace(lasting=_with(transaction.lasting, name, value)))
    return state._replace(settings=_with(state.settings, name, value))


def _all_reset(state: State) -> State:
    transaction = state.transaction
    if transaction is not None and transaction.lasting is not None:
        state = state._replace(transaction=transaction._replace(lasting={}))
    return state._replace(settings={})


def _with(settings: Mapping[str, str], name: str, value: str | None) -> Mapping[str, str]:
    return without(settings, name) if value is None else {**settings, name: value}


def _position(transaction: Transaction | None, name: str) -> int | None:
    """The latest savepoint of that name."""
    if transaction is None:
        return None
    return next((i for i in reversed(range(len(transaction.savepoints))) if transaction.savepoints[i][0] == name), None)


def _cut(transaction: Transaction, size: int) -> Transaction:
    return transaction._replace(savepoints=transaction.savepoints[:size], savepoint_settings=transaction.savepoint_settings[:size])


ADVANCE: Advances = {
    Begin: begin,
    Commit: end,
    Rollback: end,
    PrepareTransaction: prepare,
    Savepoint: savepoint,
    ReleaseSavepoint: release,
    RollbackToSavepoint: rollback_to,
    SetParameter: set_parameter,
    ResetParameter: reset,
    SessionCommand: command,
}
