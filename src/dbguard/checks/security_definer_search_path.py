"""A SECURITY DEFINER function that looks names up in the caller's search_path."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateFunction
from dbguard.model.state import Step


def check(function: CreateFunction, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the statement says it all
    if function.security_definer and not function.atomic and not any(name == "search_path" for name, _ in function.settings):
        yield flag(function=function.name, kind="procedure" if function.procedure else "function")
