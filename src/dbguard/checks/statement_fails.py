"""A statement that PostgreSQL refuses in the state that the migrations before it leave."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.state import Step


def check(operation: object, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - every operation can fail
    if step.effects.fails is not None:
        yield flag(reason=step.effects.fails)
