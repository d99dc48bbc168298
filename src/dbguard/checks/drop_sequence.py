"""DROP SEQUENCE CASCADE takes the defaults that use it."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import DropSequence
from dbguard.model.state import Step


def check(drop: DropSequence, step: Step) -> Iterator[Flag]:
    for name in drop.names:
        known = step.before.schema.sequences.get(step.before.resolve(name))
        is_new = known is not None and known.created is not None and known.created.script == step.before.now.script
        if drop.cascade and not is_new:
            yield flag(sequence=name)
