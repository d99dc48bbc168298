"""ADD VALUE without BEFORE or AFTER."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import AddEnumValue
from dbguard.model.state import Step


def check(add: AddEnumValue, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the statement says it all
    if add.neighbour is None:
        yield flag(type=add.type, label=add.label)
