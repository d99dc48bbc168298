"""Rows that wait for the check of a deferred constraint keep their table from being altered, dropped or rewritten.

CheckTableNotInUse in src/backend/commands/tablecmds.c and its callers. A new name, owner of a view, schema or comment does not mind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dbguard.model import operations as op
from dbguard.model.names import Name
from dbguard.model.operations import tables
from dbguard.model.state import State
from dbguard.replay.effects.common import family

_NOT_CHECKED = {"CreateTable", "CreateTableAs", "RenameTable", "RenameColumn", "RenameConstraint", "SetSchema", "DropTable", "ConstraintDefinition"}
_ALTERATIONS = frozenset(getattr(tables, name) for name in tables.__all__ if name not in _NOT_CHECKED and "table" in getattr(tables, name)._fields)


def why_pending(operation: Any, state: State) -> str | None:
    """The reason to refuse `operation` because rows of its table wait for a check, None if there is none."""
    assert state.transaction is not None
    pending = state.transaction.pending
    waiting = next((name for name in _touched(operation, state) if name in pending), None)
    return None if waiting is None else f"`{waiting}` has pending trigger events: rows changed before in this transaction wait for a deferred check"


def _touched(operation: Any, state: State) -> Iterator[Name]:
    match operation:
        case op.DropTable(names=names) | op.Truncate(tables=names):
            named = names
        case op.CreateIndex(table=table, concurrently=False) | op.Cluster(table=table) if table is not None:
            named = (table,)
        case op.Reindex(kind="table", name=name) if name is not None:
            named = (name,)
        case _ if type(operation) in _ALTERATIONS:
            named = (operation.table,)
        case _:
            return
    for name in named:
        yield from (one.name for one in family(state, name, only=getattr(operation, "only", False) is True))
