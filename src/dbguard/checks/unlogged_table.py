"""CREATE UNLOGGED TABLE."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateTable, CreateTableAs
from dbguard.model.state import Step


def check(create: CreateTable | CreateTableAs, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the statement says it all
    if create.persistence == "unlogged":
        yield flag(table=create.name)
