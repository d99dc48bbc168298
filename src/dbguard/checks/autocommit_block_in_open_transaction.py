"""autocommit_block() on a connection whose transaction is not Alembic's."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import AutocommitBlock
from dbguard.model.state import Step


def check(block: AutocommitBlock, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - what env.py does was read with the revision
    if block.broken_by:
        yield flag(cause=block.broken_by)
