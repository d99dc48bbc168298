"""ALTER TABLE on constraints, except renaming them."""

from __future__ import annotations

from dbguard.model.operations.tables import AddConstraint, AlterConstraint, DropConstraint, ValidateConstraint
from dbguard.model.schema import Column, Constraint, Table
from dbguard.model.state import State
from dbguard.replay.advance import naming
from dbguard.replay.advance.columns import remove_not_null
from dbguard.replay.advance.define import UNKNOWN, add_constraint, drop_index
from dbguard.replay.advance.dependents import drop_references_to_key, drop_relation, grouped_by, references_to_key
from dbguard.replay.advance.draft import Advances, Draft, without


def add(state: State, operation: AddConstraint) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    definition = operation.constraint
    if table is None or (definition.name is not None and definition.name in table.constraints):
        return state
    if not table.known and definition.kind in {"primary key", "not null"}:
        unseen = {c: Column(c, UNKNOWN) for c in definition.columns if c not in table.columns}
        draft.put(table._replace(columns={**table.columns, **unseen}))
    add_constraint(draft, table.name, definition, only=operation.only)
    return draft.done()


def drop(state: State, operation: DropConstraint) -> State:
    draft = Draft(state)
    table = draft.learn(operation.table)
    if table is None:
        return state
    constraint = table.constraints.get(operation.name)
    if constraint is None:
        column = naming.is_implied_not_null(table, operation.name)
        for one in draft.family(table, only=operation.only) if column is not None else ():
            remove_not_null(draft, one.name, column or "")
    else:
        index = table.indexes.get(constraint.index_name.name) if constraint.index_name is not None else None
        views = grouped_by(draft, table, constraint)
        if index is not None and not operation.cascade and (views or references_to_key(draft, index)):
            return state  # refused, or a branch of a DO block that is not taken
        for view in views:
            drop_relation(draft, view.name, cascade=True)
        _remove(draft, table, constraint, only=operation.only)
    return draft.done()


def _remove(draft: Draft, table: Table, constraint: Constraint, *, only: bool) -> None:
    if constraint.kind == "not null":
        for one in draft.family(table, only=only or constraint.no_inherit):
            remove_not_null(draft, one.name, constraint.columns[0])
        return
    index = table.indexes.get(constraint.index_name.name) if constraint.index_name is not None else None
    if index is not None:
        drop_references_to_key(draft, index)
        drop_index(draft, index)
    _forget(draft, table, constraint, only=only)


def _forget(draft: Draft, table: Table, constraint: Constraint, *, only: bool) -> None:
    """The constraint, and on children what came from it alone."""
    current = draft.tables[table.name]
    draft.put(current._replace(constraints=without(current.constraints, constraint.name)))
    if constraint.kind not in {"check", "foreign key"}:
        return
    for child in draft.children(table.name):
        copy = _copy_of(child, constraint)
        if copy is not None and only:
            draft.put_constraint(child.name, copy._replace(inherited=False))
        elif copy is not None:
            _forget(draft, child, copy, only=False)


def _copy_of(child: Table, constraint: Constraint) -> Constraint | None:
    """What a child has of its parent's constraint. A foreign key of a partition may have a name of its own."""
    if constraint.kind == "check":
        found = child.constraints.get(constraint.name)
        return found if found is not None and found.inherited else None
    same = (constraint.columns, constraint.references, constraint.referenced_columns)
    copies = [c for c in child.foreign_keys() if c.inherited and (c.columns, c.references, c.referenced_columns) == same]
    return next((c for c in copies if c.name == constraint.name), copies[0] if copies else None)


def validate(state: State, operation: ValidateConstraint) -> State:
    draft = Draft(state)
    table = draft.find(operation.table)
    constraint = table.constraints.get(operation.name) if table is not None else None
    if table is None or constraint is None or not constraint.enforced:
        return state
    _change(draft, table, constraint, {"valid": True})
    return draft.done()


def alter(state: State, operation: AlterConstraint) -> State:
    draft = Draft(state)
    table = draft.find(operation.table)
    constraint = table.constraints.get(operation.name) if table is not None else None
    if table is None or constraint is None:
        return state
    changes: dict[str, bool] = {}
    if operation.enforced is not None:
        changes |= {"enforced": operation.enforced, "valid": operation.enforced}
    if operation.inherit is not None:
        changes["no_inherit"] = not operation.inherit
    if operation.deferrable is not None:
        changes["deferrable"] = operation.deferrable
        changes["deferred"] = bool(operation.deferred) and operation.deferrable
    elif operation.deferred is not None:
        changes["deferred"] = operation.deferred
        changes["deferrable"] = operation.deferred or constraint.deferrable
    _change(draft, table, constraint, changes)
    return draft.done()


def _change(draft: Draft, table: Table, constraint: Constraint, changes: dict[str, bool]) -> None:
    draft.put_constraint(table.name, constraint._replace(**changes))  # type: ignore[arg-type]
    if constraint.no_inherit or constraint.kind not in {"check", "foreign key", "not null"}:
        return
    for child in draft.children(table.name):
        copy = child.constraints.get(constraint.name) if constraint.kind != "foreign key" else _copy_of(child, constraint)
        if copy is not None:
            _change(draft, child, copy, changes)


ADVANCE: Advances = {AddConstraint: add, DropConstraint: drop, ValidateConstraint: validate, AlterConstraint: alter}
