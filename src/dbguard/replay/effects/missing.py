"""What a statement needs and the schema does not have. Asked only where the schema is complete: then a name that is not there
does not exist.

RangeVarGetRelidExtended in src/backend/catalog/namespace.c; checkInsertTargets and transformUpdateTargetList in
src/backend/parser for the columns that a statement assigns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dbguard.model import operations as op
from dbguard.model.expression import Uses
from dbguard.model.names import Name
from dbguard.model.state import State
from dbguard.replay.effects.common import SYSTEM_COLUMNS

_SYSTEM = frozenset({"pg_catalog", "information_schema", "pg_toast"})


def why_missing(operation: Any, state: State) -> str | None:
    """The reason to refuse `operation` because something it names does not exist; None if nothing is known to be missing.

    An extension brings objects that the migrations do not name, so with one nothing is certain.
    """
    needs = _NEEDS.get(type(operation))
    if needs is None or state.schema.extensions - {"plpgsql"}:
        return None
    for name in needs(operation):
        if name is not None and not _exists(state.resolve(name), name, state):
            return f"relation `{state.resolve(name)}` does not exist"
    return _missing_column(operation, state)


def _exists(full: Name, written: Name, state: State) -> bool:
    if full.schema in _SYSTEM or (written.schema is None and written.name.startswith("pg_")):
        return True
    return state.schema.has_relation(full)


def _missing_column(operation: Any, state: State) -> str | None:
    match operation:
        case op.Insert(table=table, columns=columns) | op.CreateStatistics(table=table, columns=columns):
            wanted = set(columns)
        case op.Update(table=table):
            wanted = set(operation.assigned) | _filtered_by(operation)
        case op.Delete(table=table):
            wanted = _filtered_by(operation)
        case op.CreateIndex(table=table, keys=keys, include=include, where=where):
            expressions = [key.expression for key in keys if key.expression is not None] + ([where] if where is not None else [])
            wanted = {key.column for key in keys if key.column} | set(include) | {c for e in expressions for c in e.columns}
        case _:
            return None
    target = state.table(table)
    missing = wanted - target.columns.keys() - SYSTEM_COLUMNS - {target.name.name}
    return f'column "{min(missing)}" of relation `{target.name}` does not exist' if target.known and missing else None


_COMMENTED = frozenset({"table", "view", "materialized view", "index", "sequence", "column", "trigger", "rule", "policy"})


def _filtered_by(change: op.Update | op.Delete) -> set[str]:
    """The columns in WHERE, where they can only be those of the target."""
    return set() if change.where is None or change.joined or change.where_query else set(change.where.columns)


def _one(operation: Any) -> Iterable[Name | None]:
    return (operation.table,)


def _all(operation: Any) -> Iterable[Name | None]:
    return tuple(operation.tables)


def _dropped(operation: Any) -> Iterable[Name | None]:
    return () if operation.if_exists else tuple(operation.names)


def _of_table(operation: Any) -> Iterable[Name | None]:
    return () if getattr(operation, "if_exists", False) else (operation.table,)


def _used(uses: Uses) -> Iterator[Name]:
    yield from uses.reads
    yield from uses.row_locks
    yield from (write.table for write in uses.writes)


def _queried(operation: Any) -> Iterable[Name | None]:
    return tuple(_used(operation.uses))


def _written(operation: Any) -> Iterable[Name | None]:
    return (operation.table, *_used(operation.uses))


_NEEDS: dict[type, Callable[[Any], Iterable[Name | None]]] = {
    op.AlterPolicy: _one,
    op.AlterSequence: lambda o: () if o.if_exists else (o.name,),
    op.Analyze: _all,
    op.Cluster: _one,
    op.Comment: lambda o: (o.table if o.table is not None else o.name,) if o.kind in _COMMENTED else (),
    op.Copy: _written,
    op.CreateIndex: _one,
    op.CreateMaterializedView: _queried,
    op.CreatePolicy: _one,
    op.CreateRule: _one,
    op.CreateStatistics: _one,
    op.CreateTableAs: _queried,
    op.CreateTrigger: _one,
    op.CreateView: _queried,
    op.Delete: _written,
    op.DropIndex: _dropped,
    op.DropOnTable: _of_table,
    op.DropSequence: _dropped,
    op.DropView: _dropped,
    op.Grant: lambda o: o.names if o.kind in {"table", "sequence"} and not o.all_in_schema else (),
    op.Insert: _written,
    op.LockTable: _all,
    op.Merge: _written,
    op.Refresh: lambda o: (o.name,),
    op.Reindex: lambda o: (o.name,) if o.kind in {"table", "index"} else (),
    op.RenameTable: _of_table,
    op.Select: _queried,
    op.SetSchema: _of_table,
    op.Truncate: _all,
    op.Update: _written,
    op.Vacuum: _all,
}
