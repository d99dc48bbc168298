"""CREATE INDEX, DROP INDEX, ALTER INDEX ... ATTACH PARTITION."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.operations.indexes import AttachIndexPartition, CreateIndex, DropIndex, Reindex
from dbguard.model.state import State
from dbguard.replay.advance.define import IndexDefinition, build_index, drop_index
from dbguard.replay.advance.dependents import drop_references_to_key, references_to_key
from dbguard.replay.advance.draft import Advances, Draft


def create(state: State, operation: CreateIndex) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None:
        return state
    if operation.name is not None and draft.takes(Name(table.name.schema, operation.name)):
        return state
    index = IndexDefinition(operation.keys, operation.include, operation.method, operation.unique, operation.nulls_not_distinct, operation.where)
    build_index(draft, table.name, index, wanted=operation.name, only=operation.only)
    return draft.done()


def drop(state: State, operation: DropIndex) -> State:
    draft = Draft(state)
    for written in operation.names:
        index = draft.index(state.resolve(written))
        if index is not None and index.constraint is None:
            if not operation.cascade and references_to_key(draft, index):
                return state  # refused
            if operation.cascade:
                drop_references_to_key(draft, index)
            drop_index(draft, index)
    return draft.done()


def attach(state: State, operation: AttachIndexPartition) -> State:
    draft = Draft(state)
    parent = draft.index(state.resolve(operation.parent))
    partition = draft.index(state.resolve(operation.partition))
    if parent is None or partition is None:
        return state
    draft.put_index(partition._replace(parent=parent.name))
    if partition.constraint is not None and parent.constraint is not None:
        constraint = draft.tables[partition.table].constraints.get(partition.constraint)
        if constraint is not None:
            draft.put_constraint(partition.table, constraint._replace(inherited=True))
    _validate(draft, parent.name)
    return draft.done()


def _validate(draft: Draft, name: Name) -> None:
    """A partitioned index is valid once every partition has its part (validatePartitionedIndex in tablecmds.c)."""
    index = draft.index(name)
    if index is None or index.valid:
        return
    for child in draft.children(index.table):
        parts = [own for own in child.indexes.values() if own.parent == name]
        if not parts or not parts[0].valid:
            return
    draft.put_index(index._replace(valid=True))
    if index.parent is not None:
        _validate(draft, index.parent)


def reindex(state: State, operation: Reindex) -> State:
    """REINDEX makes an invalid index valid."""
    draft = Draft(state)
    if operation.name is None or operation.kind not in {"index", "table"}:
        return state
    name = state.resolve(operation.name)
    index = draft.index(name)
    table = draft.tables.get(name)
    candidates = (index,) if index is not None else tuple(table.indexes.values()) if table is not None else ()
    invalid = [one for one in candidates if not one.valid]
    for one in invalid:
        draft.put_index(one._replace(valid=True))
    return draft.done() if invalid else state


ADVANCE: Advances = {CreateIndex: create, DropIndex: drop, AttachIndexPartition: attach, Reindex: reindex}
