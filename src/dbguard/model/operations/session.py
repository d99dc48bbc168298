"""Transactions, settings and what else speaks to the session."""

from __future__ import annotations

from dbguard.model.expression import Uses
from dbguard.model.names import Name
from dbguard.model.record import Record

__all__ = [
    "AlterSystem",
    "Begin",
    "Call",
    "Checkpoint",
    "Commit",
    "Do",
    "PrepareTransaction",
    "ReleaseSavepoint",
    "Requires",
    "ResetParameter",
    "Rollback",
    "RollbackToSavepoint",
    "Savepoint",
    "SessionCommand",
    "SetConstraints",
    "SetParameter",
    "SetRole",
    "ShowParameter",
]


class Begin(Record):
    read_only: bool = False


class Commit(Record):
    chain: bool = False
    in_body: bool = False  # in a DO block or procedure, which must not run inside a transaction then


class Rollback(Record):
    chain: bool = False
    in_body: bool = False


class Savepoint(Record):
    name: str


class ReleaseSavepoint(Record):
    name: str


class RollbackToSavepoint(Record):
    name: str


class PrepareTransaction(Record):
    """PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED."""

    command: str  # prepare, commit, rollback


class SetParameter(Record):
    """SET name = value, SET LOCAL, and `SELECT set_config('name', 'value', is_local)` alone.

    `name` is in lower case; list values are joined with ", " ; `value` None: TO DEFAULT.
    """

    name: str
    value: str | None
    local: bool = False


class Requires(Record):
    """Not a deed but a need: the statement has syntax that servers before `major` do not know."""

    major: int
    syntax: str


class ResetParameter(Record):
    """RESET name; None: ALL."""

    name: str | None


class ShowParameter(Record):
    name: str


class SetRole(Record):
    """SET ROLE, SET SESSION AUTHORIZATION; `role` None: NONE or DEFAULT."""

    role: str | None
    session: bool = False
    local: bool = False


class SetConstraints(Record):
    names: tuple[Name, ...]  # empty: ALL
    deferred: bool = False


class Do(Record):
    """A DO block. Static statements of its body follow as operations of the same statement."""

    language: str = "plpgsql"


class Call(Record):
    """CALL procedure()."""

    procedure: Name
    uses: Uses = Uses()


class AlterSystem(Record):
    parameter: str | None


class Checkpoint(Record):
    pass


class SessionCommand(Record):
    """LISTEN, NOTIFY, UNLISTEN, DISCARD, DEALLOCATE, EXECUTE, FETCH, MOVE, CLOSE, LOAD, SET TRANSACTION: no locks on relations by itself."""

    command: str
