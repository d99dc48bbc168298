"""Transactions and settings: they lock nothing themselves; what matters is where they are allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.operations import (
    AlterSystem,
    Call,
    Commit,
    PrepareTransaction,
    ReleaseSavepoint,
    Requires,
    Rollback,
    RollbackToSavepoint,
    Savepoint,
    SessionCommand,
)
from dbguard.model.postgres import Server
from dbguard.model.state import Effects, State
from dbguard.replay.effects.common import FORBIDDEN
from dbguard.replay.effects.queries import run_query

REQUIRED = Effects(transaction="required")


def _required(operation: object, state: State, server: Server) -> Effects:
    """`RequireTransactionBlock` in src/backend/access/transam/xact.c."""
    return REQUIRED


def _forbidden(operation: object, state: State, server: Server) -> Effects:
    """`PreventInTransactionBlock` in src/backend/access/transam/xact.c."""
    return FORBIDDEN


def _end(end: Commit | Rollback, state: State, server: Server) -> Effects:
    """Without a transaction COMMIT only warns, but AND CHAIN is an error (`EndTransactionBlock`).

    In a body it is refused inside a transaction block (manual section 41.8, "Transaction Management").
    """
    if end.in_body:
        return FORBIDDEN
    return REQUIRED if end.chain else Effects()


def _prepared(operation: PrepareTransaction, state: State, server: Server) -> Effects:
    """COMMIT PREPARED and ROLLBACK PREPARED stand alone; PREPARE TRANSACTION ends a transaction."""
    return Effects() if operation.command == "prepare" else FORBIDDEN


def _command(operation: SessionCommand, state: State, server: Server) -> Effects:
    """DISCARD ALL stands alone (`DiscardAll`)."""
    return FORBIDDEN if operation.command.lower().split() == ["discard", "all"] else Effects()


def _call(call: Call, state: State, server: Server) -> Effects:
    effects = run_query(call.uses, state, server)
    return effects._replace(unknown=(*effects.unknown, f"procedure `{call.procedure}` runs: what it locks is not counted"))


def _requires(operation: Requires, state: State, server: Server) -> Effects:
    """A server's grammar refuses what it does not know."""
    return Effects() if server.since(operation.major) else Effects(fails=f"{operation.syntax} needs PostgreSQL {operation.major}")


EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {
    Requires: _requires,
    Savepoint: _required,
    ReleaseSavepoint: _required,
    RollbackToSavepoint: _required,
    AlterSystem: _forbidden,
    Commit: _end,
    Rollback: _end,
    PrepareTransaction: _prepared,
    SessionCommand: _command,
    Call: _call,
}
