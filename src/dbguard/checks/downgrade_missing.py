"""An Alembic revision without a way back."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import MissingDowngrade
from dbguard.model.state import Step


def check(downgrade: MissingDowngrade, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the operation says it all
    yield flag()
