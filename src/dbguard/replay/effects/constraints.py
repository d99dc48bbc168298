"""Constraints of a table that exists: added, validated, changed, renamed, dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.operations import AddConstraint, AlterConstraint, ConstraintDefinition, DropConstraint, RenameConstraint, ValidateConstraint
from dbguard.model.postgres import Server
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import Effects, State
from dbguard.replay.advance.dependents import grouped_by, references_to_key
from dbguard.replay.advance.draft import Draft
from dbguard.replay.effects.common import (
    AS,
    AX,
    RS,
    SRX,
    SUE,
    S,
    absent,
    add,
    assumed,
    built,
    family,
    leaves,
    lock,
    lock_all,
    parents_of,
    refused,
    torn,
)
from dbguard.replay.effects.foreign_keys import add_foreign_key
from dbguard.replay.effects.not_null import read_for_not_null
from dbguard.replay.effects.refusals import why_no_constraint

_KEYS = frozenset({"unique", "primary key", "exclusion"})


def _add_constraint(operation: AddConstraint, state: State, server: Server) -> Effects:
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    if (reason := why_no_constraint(operation.constraint, table, state, server, only=operation.only)) is not None:
        return refused(reason)
    match operation.constraint.kind:
        case "check":
            found = _add_check(operation, table, state, server)
        case "not null":
            found = _add_not_null(operation, table, state)
        case "foreign key":
            found = _add_foreign_key(operation, table, state, server)
        case _:
            found = _add_key(operation, table, state, server)
    return found._replace(unknown=assumed(table) + found.unknown)


def _add_check(operation: AddConstraint, table: Table, state: State, server: Server) -> Effects:
    """Verified in every table that does not have it already (ATAddCheckNNConstraint, MergeWithExistingConstraint)."""
    check = operation.constraint
    tables = family(state, table.name, only=operation.only or (check.no_inherit and not server.since(18)))
    if not check.valid or not check.enforced:
        return Effects(locks=lock_all(AX, tables))
    if check.no_inherit:
        return Effects(locks=lock_all(AX, tables), scans=leaves(tables[:1]))
    unread = [t for t in tables if check.name is None or check.name not in t.constraints]
    return Effects(locks=lock_all(AX, tables), scans=leaves(unread))


def _add_not_null(operation: AddConstraint, table: Table, state: State) -> Effects:
    constraint = operation.constraint
    tables = family(state, table.name, only=operation.only or constraint.no_inherit)
    scans = read_for_not_null(tables, constraint.columns) if constraint.valid else ()
    return Effects(locks=lock_all(AX, tables), scans=scans)


def _add_foreign_key(operation: AddConstraint, table: Table, state: State, server: Server) -> Effects:
    """Partitions that have the same foreign key already keep theirs; its triggers on the referenced table are replaced
    under ACCESS EXCLUSIVE (tryAttachPartitionForeignKey). From 18 inheritance children are locked as well, for nothing.
    """
    key = operation.constraint
    locked = family(state, table.name, only=operation.only)
    if len(locked) > 1 and table.kind != "partitioned table" and not server.since(18):
        locked = locked[:1]
    tables = family(state, table.name, only=table.kind != "partitioned table")
    same = [t for t in tables[1:] if any(_is_same_key(own, key, state) for own in t.foreign_keys())]
    fresh = (tables[0], *(t for t in tables[1:] if t not in same))
    checked = key.valid and key.enforced
    found = add(Effects(locks=lock_all(SRX, locked)), add_foreign_key(key, fresh, state, checked=checked))
    if same and key.references is not None:
        found = add(found, Effects(locks=lock(AX, state.resolve(key.references))))
    return found


def _is_same_key(own: Constraint, key: ConstraintDefinition | Constraint, state: State) -> bool:
    if key.references is None or not own.valid or own.columns != key.columns or own.references != state.resolve(key.references):
        return False
    parent = state.table(key.references)
    primary = parent.primary_key.columns if parent.primary_key is not None else ()
    same_columns = (own.referenced_columns or primary) == (key.referenced_columns or primary)
    return same_columns and (own.on_delete, own.on_update, own.deferrable, own.deferred) == (
        key.on_delete,
        key.on_update,
        key.deferrable,
        key.deferred,
    )


def _add_key(operation: AddConstraint, table: Table, state: State, server: Server) -> Effects:
    """An index is built, or taken over; the columns of a primary key are made NOT NULL (index_check_primary_key in catalog/index.c)."""
    key = operation.constraint
    partitioned = table.kind == "partitioned table"
    tables = family(state, table.name, only=operation.only or not (partitioned or key.kind == "primary key" or server.since(18)))
    below = AX if server.since(18) or key.kind == "primary key" else S
    found = Effects(locks=lock(AX, table.name) + lock_all(below, tables[1:]))
    columns = key.columns
    if key.using_index is not None:
        index = table.indexes.get(key.using_index)
        columns = index.columns if index is not None else ()
        if key.name not in {None, key.using_index}:  # the index gets the constraint's name
            found = add(found, Effects(locks=lock(SUE, Name(table.name.schema, key.using_index))))
    else:
        found = found._replace(builds=built(state, operation) if table.known or columns else ())
    if key.kind == "primary key":
        found = found._replace(scans=read_for_not_null(tables, columns) if columns else leaves(tables))
    return found


def _validate(operation: ValidateConstraint, state: State, server: Server) -> Effects:
    """SHARE UPDATE EXCLUSIVE; reads and writes go on (ATExecValidateConstraint)."""
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    constraint = table.constraints.get(operation.name)
    if constraint is None:
        if table.known:
            return refused(f'constraint "{operation.name}" of relation `{table.name}` does not exist')
        sentence = f"constraint `{operation.name}` of `{table.name}` was not seen being added: taken not to be valid yet"
        return Effects(locks=lock(SUE, table.name), scans=(table.name,), unknown=(*assumed(table), sentence))
    if constraint.kind in _KEYS:
        return refused(f'constraint "{operation.name}" of relation `{table.name}` is not a foreign key, check, or not-null constraint')
    if constraint.valid:
        return Effects(locks=lock(SUE, table.name))
    if constraint.kind == "foreign key":
        return _validate_foreign_key(constraint, table, state)
    tables = family(state, table.name, only=operation.only or constraint.no_inherit)
    unread = [t for t in tables if not _is_valid(t, constraint)]
    return Effects(locks=lock_all(SUE, tables), scans=leaves(unread))


def _is_valid(table: Table, constraint: Constraint) -> bool:
    if constraint.kind == "not null":
        return not read_for_not_null((table,), constraint.columns)
    own = table.constraints.get(constraint.name)
    return own is not None and own.valid


def _validate_foreign_key(key: Constraint, table: Table, state: State) -> Effects:
    """RI_Initial_Check in src/backend/utils/adt/ri_triggers.c reads the referenced table by a query: ACCESS SHARE on its partitions."""
    tables = family(state, table.name, only=table.kind != "partitioned table")
    parents = [parent for parent in parents_of(state, key) if parent.name != table.name]
    locks = lock_all(RS, parents[:1]) + lock_all(AS, parents[1:]) + lock_all(SUE, tables)
    return Effects(locks=locks, scans=leaves(tables))


def _drop_constraint(operation: DropConstraint, state: State, server: Server) -> Effects:
    """Its index goes with it, and of a foreign key the triggers on the referenced table, under ACCESS EXCLUSIVE (dropconstraint_internal)."""
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    constraint = table.constraints.get(operation.name)
    if constraint is None:
        if table.known and not operation.if_exists:
            return refused(f'constraint "{operation.name}" of relation `{table.name}` does not exist')
        sentence = (
            ()
            if table.known
            else (
                f"constraint `{operation.name}` of `{table.name}` was not seen being added: as a foreign key it would lock the table it references",
            )
        )
        tables = family(state, table.name, only=operation.only or table.kind != "partitioned table")
        return Effects(locks=lock_all(AX, tables), unknown=assumed(table) + sentence)
    if (reason := _keeps_constraint(constraint, table, state, cascade=operation.cascade)) is not None:
        return refused(reason)
    recurses = table.kind == "partitioned table" or (constraint.kind in {"check", "not null"} and not constraint.no_inherit)
    tables = family(state, table.name, only=operation.only or not recurses)
    if operation.only and recurses and table.partition_by is not None:
        if state.schema.partitions(table.name) and not server.since(18):
            return refused("cannot remove constraint from only the partitioned table when partitions exist")
        tables = family(state, table.name)
    elif operation.only and recurses:
        tables += state.schema.partitions(table.name)  # they keep it as their own
    return Effects(locks=lock_all(AX, tables) + torn(state, operation), unknown=assumed(table))


def _keeps_constraint(constraint: Constraint, table: Table, state: State, *, cascade: bool) -> str | None:
    if table.known and constraint.inherited:
        return f'cannot drop inherited constraint "{constraint.name}" of relation `{table.name}`'
    if cascade or constraint.kind not in {"unique", "primary key"} or not table.known:
        return None
    index = table.indexes.get(constraint.index_name.name) if constraint.index_name is not None else None
    users = [] if index is None else references_to_key(Draft(state), index)
    views = grouped_by(Draft(state), table, constraint)
    if not users and not views:
        return None
    user = f"a foreign key of `{users[0][0].name}`" if users else f"view `{views[0].name}`, which groups by it,"
    return f"cannot drop constraint {constraint.name} on table {table.name} because {user} depends on it"


def _alter_constraint(operation: AlterConstraint, state: State, server: Server) -> Effects:
    """ATExecAlterConstraint. To enforce a foreign key adds its triggers and checks it; to stop enforcing drops them."""
    if (operation.enforced is not None or operation.inherit is not None) and not server.since(18):
        return refused("ALTER CONSTRAINT ... ENFORCED or INHERIT needs PostgreSQL 18")
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    constraint = table.constraints.get(operation.name)
    if constraint is None:
        if table.known:
            return refused(f'constraint "{operation.name}" of relation `{table.name}` does not exist')
        return Effects(locks=lock(AX, table.name), unknown=assumed(table))
    if constraint.kind != "not null" and operation.inherit is not None:
        return refused(f'constraint "{operation.name}" of relation `{table.name}` is not a not-null constraint')
    if constraint.kind != "foreign key" and operation.inherit is None:
        return refused(f'constraint "{operation.name}" of relation `{table.name}` is not a foreign key constraint')
    tables = family(state, table.name, only=table.kind != "partitioned table" and operation.inherit is None)
    found = Effects(locks=lock_all(AX, tables), unknown=assumed(table))
    if operation.enforced is None or operation.enforced == constraint.enforced:
        return found
    parents = parents_of(state, constraint)
    if operation.enforced:
        return add(found, Effects(locks=lock_all(SRX, parents), scans=leaves(tables)))
    return add(found, Effects(locks=lock_all(AX, parents)))


def _rename_constraint(operation: RenameConstraint, state: State, server: Server) -> Effects:
    """rename_constraint_internal; the index behind a constraint is renamed with it."""
    table = state.table(operation.table)
    if (answer := absent(state, table)) is not None:
        return answer
    constraint = table.constraints.get(operation.name)
    if constraint is None and table.known:
        return refused(f'constraint "{operation.name}" for table `{table.name}` does not exist')
    if constraint is not None and constraint.inherited and table.known and constraint.kind in {"check", "not null"}:
        return refused(f'cannot rename inherited constraint "{operation.name}"')
    inherits = constraint is not None and constraint.kind in {"check", "not null"} and not constraint.no_inherit
    if inherits and operation.only and table.known and state.schema.partitions(table.name):
        return refused(f'inherited constraint "{operation.name}" must be renamed in child tables too')
    locks = lock_all(AX, family(state, table.name, only=operation.only or not inherits))
    if constraint is not None and constraint.index_name is not None:
        locks += lock(SUE, constraint.index_name)
    return Effects(locks=locks, unknown=assumed(table))


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    AddConstraint: _add_constraint,
    ValidateConstraint: _validate,
    DropConstraint: _drop_constraint,
    AlterConstraint: _alter_constraint,
    RenameConstraint: _rename_constraint,
}
