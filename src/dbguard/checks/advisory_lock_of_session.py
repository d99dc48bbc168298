"""A session-level advisory lock: behind a transaction pooler it stays with a connection that nobody can name."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Select
from dbguard.model.state import Step

SESSION_LOCKS = {"pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared"}


def check(select: Select, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the statement says it all
    for function in select.uses.functions:
        if function.name in SESSION_LOCKS:
            yield flag(function=function.name, instead_function=function.name.replace("advisory_", "advisory_xact_"))
            return
