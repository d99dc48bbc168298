"""A statement that PostgreSQL runs only outside a transaction block, inside one."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import (
    AlterSystem,
    Cluster,
    Commit,
    CreateIndex,
    CreateObject,
    DetachPartition,
    Do,
    DropIndex,
    DropObject,
    Reindex,
    Rollback,
    Vacuum,
)
from dbguard.model.state import Step

_TOOLS = frozenset(
    {
        "alembic", "atlas", "dbmate", "diesel", "django", "drizzle", "flyway", "goose", "liquibase", "node-pg-migrate", "pop", "sqlx",
        "supabase", "tern",
    }
)  # fmt: skip


def check(
    operation: AlterSystem | Cluster | Commit | CreateIndex | CreateObject | DetachPartition | DropIndex | DropObject | Reindex | Rollback | Vacuum,
    step: Step,
) -> Iterator[Flag]:
    transaction = step.before.transaction
    if isinstance(operation, Commit | Rollback) and (not operation.in_body or transaction is None):
        return
    in_block = not isinstance(operation, Commit | Rollback) and any(isinstance(other, Do) for other in step.statement.operations)
    if (transaction is None and not in_block) or step.effects.transaction != "forbidden":
        return
    variant = "do" if in_block else ""
    if transaction is not None and not transaction.explicit and not in_block:
        tool = step.script.tool
        variant = "single" if step.script.transaction == "single" else tool if tool in _TOOLS else "wrapped"
    yield flag(variant=variant, table=getattr(operation, "table", None) or "", statement=_statement(operation, step))


def _statement(operation: object, step: Step) -> str:
    """What cannot run there, as the user wrote it: its first words, and CONCURRENTLY where that is the reason."""
    concurrently = " CONCURRENTLY" if getattr(operation, "concurrently", False) else ""
    match operation:
        case CreateIndex():
            return "CREATE INDEX CONCURRENTLY"
        case DropIndex():
            return "DROP INDEX CONCURRENTLY"
        case DetachPartition():
            return "DETACH PARTITION CONCURRENTLY"
        case Reindex():
            return f"REINDEX {operation.kind.upper()}{concurrently}"
        case Commit() | Rollback():
            where = "a DO block" if any(isinstance(other, Do) for other in step.statement.operations) else "a procedure"
            return f"{type(operation).__name__.upper()} in {where}"
        case Vacuum() | Cluster():
            return type(operation).__name__.upper()
        case _:
            return " ".join(step.text.split()[:2]).rstrip(";").upper()
