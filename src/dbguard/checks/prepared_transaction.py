"""PREPARE TRANSACTION: locks outlive the session."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import PrepareTransaction
from dbguard.model.state import Step


def check(prepare: PrepareTransaction, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the statement says it all
    if prepare.command == "prepare":
        yield flag()
