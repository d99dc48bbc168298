"""ALTER SEQUENCE in a transaction that goes on: nextval, so every INSERT that needs it, waits."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import AlterSequence
from dbguard.model.postgres import LockMode
from dbguard.model.state import EndOfTransaction, Step


def check(transaction: EndOfTransaction, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    for position, one in enumerate(transaction.steps):
        if not isinstance(one.operation, AlterSequence):
            continue
        sequence = one.before.resolve(one.operation.name)
        known = one.before.schema.sequences.get(sequence)
        is_new = known is not None and known.created is not None and known.created.script == one.before.now.script
        mode = one.effects.mode(sequence)
        goes_on = any(later.effects.locks or later.effects.builds for later in transaction.steps[position + 1 :])
        if mode is not None and mode >= LockMode.SHARE_ROW_EXCLUSIVE and not is_new and goes_on:
            owner = known.owner[0] if known is not None and known.owner is not None else None
            yield flag(at=one.statement, sequence=one.operation.name, table=one.display(owner) if owner else "", variant="" if owner else "unowned")
