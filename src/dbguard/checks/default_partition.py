"""A DEFAULT partition."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateTable
from dbguard.model.state import Step


def check(creation: CreateTable, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the text alone decides
    if creation.partition_of is not None and creation.bound is not None and creation.bound.default:
        yield flag(table=creation.partition_of, partition=creation.name)
