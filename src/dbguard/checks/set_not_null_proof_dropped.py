"""SET NOT NULL and DROP CONSTRAINT of the CHECK that proves it, in one ALTER TABLE: the proof is gone first."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import proof_dropped_with
from dbguard.model.names import quote
from dbguard.model.operations import SetNotNull
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    for one in script.steps:
        change = one.operation
        if not isinstance(change, SetNotNull) or not one.effects.scans or one.is_new_or_empty(change.table):
            continue
        proof = proof_dropped_with(one, script.steps, change.column)
        if proof is not None:
            yield flag(at=one.statement, table=change.table, column=quote(change.column), constraint=quote(proof.name))
