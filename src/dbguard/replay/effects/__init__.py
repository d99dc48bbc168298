"""What PostgreSQL does when it runs an operation in a state: `effects`, and `merge` for the operations of one statement.

Each module of this package predicts the operations of one subject and lists its functions in `EFFECTS`, by class of
operation. `tests/effects` holds every prediction against real servers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.operations import Operation
from dbguard.model.postgres import Server
from dbguard.model.state import Effects, Lock, State
from dbguard.replay.effects import (
    attached,
    column_types,
    columns,
    constraints,
    create,
    domains,
    drop,
    indexes,
    maintenance,
    not_null,
    objects,
    partitions,
    queries,
    relations,
    session,
    tables,
)
from dbguard.replay.effects.common import NOTHING, refused
from dbguard.replay.effects.impossible import why_impossible
from dbguard.replay.effects.missing import why_missing
from dbguard.replay.effects.pending import why_pending

Predict = Callable[[Any, State, Server], Effects]

_MODULES = (
    *(tables, columns, not_null, column_types, constraints, partitions, create, drop, domains),
    *(indexes, maintenance, attached, relations, objects, queries, session),
)
EFFECTS: Mapping[type, Predict] = {kind: predict for module in _MODULES for kind, predict in module.EFFECTS.items()}


def effects(operation: Operation, state: State, server: Server) -> Effects:
    """What `operation` does in `state` on `server`; nothing, for an operation that locks no relation."""
    predict = EFFECTS.get(type(operation))
    if predict is None:
        return NOTHING
    reason = why_impossible(operation, state) or (why_missing(operation, state) if state.schema.complete else None)
    if reason is not None:
        return Effects(fails=reason, transaction=predict(operation, state, server).transaction)
    if state.transaction is not None and state.transaction.pending and (reason := why_pending(operation, state)) is not None:
        return refused(reason)
    found = predict(operation, state, server)
    if len(found.locks) < 2 and not found.rewrites and not found.scans and not found.builds:
        return found  # nothing to put in order
    return merge((found,), state)


def merge(parts: Iterable[Effects], before: State, after: State | None = None) -> Effects:
    """The effects of one statement from those of its operations, `before` being the state before the first.

    `after`, the state before or after the last operation, tells what the statement created itself: relations that did
    not exist by name before are left out.
    """
    parts = tuple(parts)
    if len(parts) == 1 and _is_plain(parts[0]):
        (only,) = parts
        return only if not only.locks or not _is_created(only.locks[0].relation, before, after) else only._replace(locks=())
    locks: dict[Name, Lock] = {}
    for part in parts:
        for lock in part.locks:
            known = locks.get(lock.relation)
            if known is None or lock.mode > known.mode:
                locks[lock.relation] = lock
    rewrites = {name for part in parts for name in part.rewrites if not _is_created(name, before, after)}
    scans = {name for part in parts for name in part.scans if not _is_created(name, before, after)}
    return Effects(
        locks=tuple([locks[name] for name in sorted(locks) if after is None or not _is_created(name, before, after)]),
        rewrites=tuple(sorted(rewrites)),
        scans=tuple(sorted(scans - rewrites)),
        builds=tuple(sorted({name for part in parts for name in part.builds if not _is_of_created(name, before, after)})),
        transaction=next((part.transaction for part in parts if part.transaction != "allowed"), "allowed"),
        fails=next((part.fails for part in parts if part.fails is not None), None),
        unknown=tuple(dict.fromkeys(sentence for part in parts for sentence in part.unknown)),
    )


def _is_plain(effects: Effects) -> bool:
    """Whether there is nothing to sort or to put together, as in most statements."""
    return len(effects.locks) < 2 and not (effects.rewrites or effects.scans or effects.builds) and len(effects.unknown) < 2


def _is_of_created(index: Name, before: State, after: State | None) -> bool:
    """Whether the index is on a table that came to be between the two states."""
    table = after.schema.index_tables.get(index) if after is not None else None
    return table is not None and _is_created(table, before, after)


def _is_created(name: Name, before: State, after: State | None) -> bool:
    """Whether the relation came to be between the two states."""
    if after is None or before.schema.has_relation(name):
        return False
    schema = after.schema
    if name in schema.index_tables:
        return True
    made = schema.tables.get(name) or schema.sequences.get(name)
    return made is not None and made.created is not None
