"""Opening, holding locks in, and closing a transaction."""

from __future__ import annotations

from dbguard.model.state import Effects, State, Transaction


def opened(state: State, *, explicit: bool) -> State:
    """The state inside a new transaction; `explicit` if the text says BEGIN, not the tool."""
    transaction = Transaction(number=state.now.transaction, explicit=explicit, settings=state.settings, before=state.schema)
    return state._replace(transaction=transaction)


def hold(state: State, effects: Effects) -> State:
    """The state in which an open transaction holds the locks of `effects` until it ends."""
    transaction = state.transaction
    if transaction is None or not effects.locks:
        return state
    held = transaction.locks
    more = {lock.relation: lock.mode for lock in effects.locks if lock.mode > held.get(lock.relation, 0)}
    if not more:
        return state
    locks = {**held, **more}
    return state._replace(transaction=transaction._replace(locks=locks))


def close(state: State, *, committed: bool) -> State:
    """The state after COMMIT or ROLLBACK of the open transaction."""
    transaction = state.transaction
    if transaction is None:
        return state
    if not committed:
        return state._replace(schema=transaction.before, settings=transaction.settings, transaction=None)
    settings = state.settings if transaction.lasting is None else transaction.lasting
    schema = state.schema
    if schema.types is not transaction.before.types and any(one.new_labels for one in schema.types.values()):
        usable = {name: one._replace(new_labels=frozenset()) if one.new_labels else one for name, one in schema.types.items()}
        schema = schema._replace(types=usable)
    return state._replace(schema=schema, settings=settings, transaction=None)
