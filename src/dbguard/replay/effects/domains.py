"""ALTER DOMAIN: a new constraint is checked in every table with a column of the domain, under SHARE: writes wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.operations import AlterDomain
from dbguard.model.postgres import Server
from dbguard.model.schema import Table
from dbguard.model.state import Effects, State
from dbguard.model.types import DataType
from dbguard.replay.effects.common import S, leaves, lock_all, refused


def _alter_domain(operation: AlterDomain, state: State, server: Server) -> Effects:
    """validateDomainCheckConstraint and validateDomainNotNullConstraint in src/backend/commands/typecmds.c."""
    name = state.resolve_type(operation.name)
    domain = state.schema.types.get(name)
    if domain is None:
        if state.schema.complete:
            return Effects() if operation.if_exists else refused(f'type "{name}" does not exist')
        return Effects(unknown=(f"domain `{name}` was not seen being created: tables that use it are locked and read as well",))
    constraint = operation.constraint_name
    if operation.change in {"drop constraint", "validate"} and constraint not in domain.constraints and not operation.if_exists:
        return refused(f'constraint "{constraint}" of domain "{name}" does not exist')
    if not _is_checked(operation):
        return Effects()
    if operation.change == "set not null" and domain.not_null:
        return Effects()
    if any(_holds_inside(column.type, name, state) for table in state.schema.tables.values() for column in table.columns.values()):
        return refused(f'cannot alter type "{name}" because a column holds it inside an array or row')
    tables = tuple(_users(name, state))
    return Effects(locks=lock_all(S, tables), scans=leaves(tables))


def _is_checked(operation: AlterDomain) -> bool:
    if operation.change == "add constraint":
        return operation.constraint is not None and operation.constraint.valid
    return operation.change in {"validate", "set not null"}


def _users(name: Name, state: State) -> Iterator[Table]:
    """Tables with rows and a column of the domain, or of a domain over it (get_rels_with_domain)."""
    for table in state.schema.tables.values():
        if table.has_storage and any(_is_over(column.type, name, state) for column in table.columns.values()):
            yield table


def _is_over(data_type: DataType, name: Name, state: State) -> bool:
    for _ in range(32):
        if data_type.array:
            return False
        full = state.resolve_type(data_type.name)
        if full == name:
            return True
        found = state.schema.types.get(full)
        if found is None or found.base is None:
            return False
        data_type = found.base
    return False


def _holds_inside(data_type: DataType, name: Name, state: State) -> bool:
    return data_type.array and _is_over(data_type._replace(array=False), name, state)


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {AlterDomain: _alter_domain}
