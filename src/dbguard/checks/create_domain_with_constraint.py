"""CREATE DOMAIN with CHECK or NOT NULL."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateDomain
from dbguard.model.state import Step


def check(domain: CreateDomain, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the text alone decides
    if domain.not_null or domain.constraints:
        yield flag(domain=domain.name, base=str(domain.base))
