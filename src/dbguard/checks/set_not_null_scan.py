"""SET NOT NULL that reads the whole table under its lock, because nothing proves that there are no nulls."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import not_null_steps, proof_dropped_with, proves_not_null
from dbguard.model.names import quote
from dbguard.model.operations import SetNotNull
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    for one in script.steps:
        change = one.operation
        if not isinstance(change, SetNotNull) or not one.effects.scans or one.is_new(change.table):
            continue
        if proof_dropped_with(one, script.steps, change.column):
            continue
        table = one.table(change.table)
        waiting = next((c for c in table.constraints.values() if not c.valid and proves_not_null(c, change.column)), None)
        yield flag(
            at=one.statement,
            variant="" if waiting is None else "unvalidated",
            table=change.table,
            column=quote(change.column),
            constraint="" if waiting is None else quote(waiting.name),
            not_null=not_null_steps(table, change.table, change.column),
        )
