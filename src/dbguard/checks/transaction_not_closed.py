"""The script ends while a transaction that it opened is still open: the server rolls everything back."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Begin, Rollback
from dbguard.model.state import EndOfTransaction, Step


def check(transaction: EndOfTransaction, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    if transaction.committed or any(isinstance(one.operation, Rollback) for one in transaction.steps):
        return
    begin = next((one for one in transaction.steps if isinstance(one.operation, Begin)), transaction.steps[0])
    yield flag(at=begin.statement)
