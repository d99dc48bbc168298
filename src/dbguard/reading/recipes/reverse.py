"""What undoes a statement, where its text alone says that.

IF EXISTS throughout: a later step of the recipe may have taken away or renamed what an earlier one made.
"""

from __future__ import annotations

from collections.abc import Sequence

from dbguard.model.names import Name, quote
from dbguard.model.operations import (
    AddColumn,
    AddConstraint,
    AddIdentity,
    AttachIndexPartition,
    CreateFunction,
    CreateIndex,
    CreateSequence,
    CreateTrigger,
    CreateView,
    DropNotNull,
    Operation,
    RenameColumn,
    RenameTable,
    SetNotNull,
)


def reverse(operation: Operation | None, recipe: Sequence[Operation | None]) -> str:
    """SQL that takes back what the operation made; empty if there is nothing to take back, or it is not known."""
    attached = {one.partition.name for one in recipe if isinstance(one, AttachIndexPartition)}
    match operation:
        case CreateIndex(name=name) if name in attached:
            return ""  # goes with the index of the partitioned table
        case AddConstraint(constraint=constraint) if constraint.name in attached:
            return ""
        case AddColumn(table, column, if_not_exists=False):
            return f"ALTER TABLE {table} DROP COLUMN IF EXISTS {quote(column.name)}"
        case AddConstraint(table, constraint) if constraint.name is not None:
            return f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {quote(constraint.name)}"
        case AddIdentity(table, column):
            return f"ALTER TABLE {table} ALTER COLUMN {quote(column)} DROP IDENTITY IF EXISTS"
        case SetNotNull(table, column):
            return f"ALTER TABLE {table} ALTER COLUMN {quote(column)} DROP NOT NULL"
        case DropNotNull(table, column):
            return f"ALTER TABLE {table} ALTER COLUMN {quote(column)} SET NOT NULL"
        case RenameColumn(table, column, to, kind="table"):
            return f"ALTER TABLE {table} RENAME COLUMN {quote(to)} TO {quote(column)}"
        case RenameTable(table, to, kind="table"):
            return f"ALTER TABLE {table._replace(name=to)} RENAME TO {quote(table.name)}"
        case CreateIndex(table, name=str(name), if_not_exists=False):
            return f"DROP INDEX {'CONCURRENTLY ' if operation.concurrently else ''}IF EXISTS {Name(table.schema, name)}"
        case CreateFunction(name, procedure=False, replace=False):
            return f"DROP FUNCTION IF EXISTS {name}({', '.join(map(str, operation.arguments))})"
        case CreateTrigger(name, table, replace=False):
            return f"DROP TRIGGER IF EXISTS {quote(name)} ON {table}"
        case CreateView(name, replace=False):
            return f"DROP VIEW IF EXISTS {name}"
        case CreateSequence(name, if_not_exists=False):
            return f"DROP SEQUENCE IF EXISTS {name}"
    return ""
