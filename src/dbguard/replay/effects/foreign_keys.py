"""Adding a foreign key: SHARE ROW EXCLUSIVE on both sides, because both get triggers (ATAddForeignKeyConstraint in tablecmds.c)."""

from __future__ import annotations

from dbguard.model.operations import ConstraintDefinition
from dbguard.model.schema import Constraint, Table
from dbguard.model.state import Effects, State
from dbguard.replay.effects.common import SRX, absent, add, assumed, family, leaves, lock_all


def add_foreign_key(key: ConstraintDefinition | Constraint, tables: tuple[Table, ...], state: State, *, checked: bool) -> Effects:
    """The referenced table and its partitions locked, and the rows of `tables` checked. The lock on `tables` is the caller's."""
    if key.references is None:
        return Effects()
    parent = state.table(key.references)
    if parent.name == tables[0].name:
        return Effects(scans=leaves(tables) if checked else ())
    if (answer := absent(state, parent)) is not None:
        return answer
    locked = Effects(locks=lock_all(SRX, family(state, parent.name, only=parent.kind != "partitioned table")), unknown=assumed(parent))
    return add(locked, Effects(scans=leaves(tables))) if checked else locked
