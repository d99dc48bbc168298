"""Enums and domains."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.operations.objects import AddEnumValue, AlterDomain, CreateDomain, CreateEnum, RenameEnumValue
from dbguard.model.operations.tables import ConstraintDefinition
from dbguard.model.schema import Constraint, UserType
from dbguard.model.state import State
from dbguard.replay.advance import naming
from dbguard.replay.advance.define import UNKNOWN, type_in
from dbguard.replay.advance.draft import Advances, Draft, without


def create_enum(state: State, operation: CreateEnum) -> State:
    name = state.target(operation.name)
    if name in state.schema.types or name in state.schema.tables:
        return state
    return _put(state, UserType(name, "enum", operation.labels, created=state.now))


def add_value(state: State, operation: AddEnumValue) -> State:
    """A label is not usable before the commit (check_safe_enum_use in enum.c)."""
    name = state.resolve_type(operation.type)
    found = state.schema.types.get(name) or UserType(name, "enum")
    if operation.label in found.labels:
        return state
    labels = list(found.labels)
    if operation.neighbour in labels:
        labels.insert(labels.index(operation.neighbour) + operation.after, operation.label)
    else:
        labels.append(operation.label)
    new = found.new_labels
    if state.transaction is not None:
        new |= {operation.label}
    return _put(state, found._replace(labels=tuple(labels), new_labels=new))


def rename_value(state: State, operation: RenameEnumValue) -> State:
    found = state.schema.types.get(state.resolve_type(operation.type))
    if found is None or operation.label not in found.labels or operation.to in found.labels:
        return state
    labels = tuple(operation.to if label == operation.label else label for label in found.labels)
    new = frozenset(operation.to if label == operation.label else label for label in found.new_labels)
    return _put(state, found._replace(labels=labels, new_labels=new))


def create_domain(state: State, operation: CreateDomain) -> State:
    name = state.target(operation.name)
    if name in state.schema.types or name in state.schema.tables:
        return state
    draft = Draft(state)
    domain = UserType(name, "domain", (), frozenset(), type_in(draft, operation.base), operation.not_null, operation.default, {}, state.now)
    draft.own_types()[name] = domain
    for definition in operation.constraints:
        _add_check(draft, name, definition)
    return draft.done()


def _add_check(draft: Draft, name: Name, definition: ConstraintDefinition) -> None:
    domain = draft.types[name]
    if definition.kind == "not null":
        draft.own_types()[name] = domain._replace(not_null=True)
        return
    chosen = definition.name or naming.free_constraint_name(draft, name, (), "check")
    constraint = Constraint(chosen, "check", valid=definition.valid, expression=definition.expression)
    draft.own_types()[name] = domain._replace(constraints={**domain.constraints, chosen: constraint})


def alter_domain(state: State, operation: AlterDomain) -> State:
    name = state.resolve_type(operation.name)
    domain = state.schema.types.get(name) or UserType(name, "domain", base=UNKNOWN)
    written = operation.constraint_name or ""
    match operation.change:
        case "add constraint" if operation.constraint is not None:
            draft = Draft(_put(state, domain))
            _add_check(draft, name, operation.constraint)
            return draft.done()
        case "drop constraint":
            return _put(state, domain._replace(constraints=without(domain.constraints, written)))
        case "validate" if written in domain.constraints:
            valid = domain.constraints[written]._replace(valid=True)
            return _put(state, domain._replace(constraints={**domain.constraints, written: valid}))
        case "set not null" | "drop not null":
            return _put(state, domain._replace(not_null=operation.change == "set not null"))
        case "set default":
            return _put(state, domain._replace(default=operation.default))
        case "drop default":
            return _put(state, domain._replace(default=None))
    return state


def _put(state: State, one: UserType) -> State:
    return state._replace(schema=state.schema._replace(types={**state.schema.types, one.name: one}))


ADVANCE: Advances = {
    CreateEnum: create_enum,
    AddEnumValue: add_value,
    RenameEnumValue: rename_value,
    CreateDomain: create_domain,
    AlterDomain: alter_domain,
}
