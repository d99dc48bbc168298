"""ATTACH PARTITION and DETACH PARTITION."""

from __future__ import annotations

from dbguard.model.expression import Expression
from dbguard.model.operations.tables import AttachPartition, DetachPartition
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import State
from dbguard.replay.advance import naming
from dbguard.replay.advance.alter import on_its_own
from dbguard.replay.advance.draft import Advances, Draft
from dbguard.replay.advance.inherit import adopt


def attach(state: State, operation: AttachPartition) -> State:
    draft = Draft(state)
    parent = draft.learn(operation.table)
    child = draft.learn(operation.partition)
    if parent is None or child is None or draft.is_below(parent.name, child.name):
        return state
    if not parent.known and parent.kind == "table":
        draft.put(parent._replace(kind="partitioned table"))
    columns = {
        name: column._replace(inherited=True, identity=parent.columns[name].identity) if name in parent.columns else column
        for name, column in child.columns.items()
    }
    constraints = {
        name: one._replace(inherited=True) if one.kind in {"check", "not null"} and name in parent.constraints else one
        for name, one in child.constraints.items()
    }
    bound = operation.bound
    draft.put(child._replace(parent=parent.name, bound=bound, columns=columns, constraints=constraints))
    adopt(draft, parent.name, child.name)
    return draft.done()


def detach(state: State, operation: DetachPartition) -> State:
    """What the partition got stays with it, except triggers and identity (DetachPartitionFinalize in tablecmds.c)."""
    draft = Draft(state)
    parent, child = draft.find(operation.table), draft.find(operation.partition)
    if child is None:
        return state
    cloned = {} if parent is None else {name for name, trigger in parent.triggers.items() if trigger.row}
    alone = on_its_own(child)
    draft.put(
        alone._replace(
            parent=None,
            bound=None,
            columns={name: column._replace(identity="") if parent is not None else column for name, column in alone.columns.items()},
            indexes={name: index._replace(parent=None) for name, index in child.indexes.items()},
            triggers={name: trigger for name, trigger in child.triggers.items() if name not in cloned},
        )
    )
    if operation.concurrently and parent is not None:
        _add_bound_check(draft, parent, child)
    return draft.done()


def _add_bound_check(draft: Draft, parent: Table, child: Table) -> None:
    """DETACH CONCURRENTLY leaves the partition's bound behind as a CHECK (DetachAddConstraintIfNeeded)."""
    if parent.partition_by is None:
        return
    mentioned: set[str] = set()
    for key in parent.partition_by.keys:
        mentioned |= {key.column} if key.column is not None else key.expression.columns if key.expression is not None else set()
    name = naming.free_constraint_name(draft, child.name, tuple(mentioned) if len(mentioned) == 1 else (), "check")
    tree = ("other", "partition bound", *(("column", column) for column in sorted(mentioned)))
    draft.put_constraint(child.name, Constraint(name, "check", tuple(sorted(mentioned)), expression=Expression("", tree)))


ADVANCE: Advances = {AttachPartition: attach, DetachPartition: detach}
