"""ALTER TYPE of a composite type that tables are made of."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import AlterAttribute
from dbguard.model.state import Step


def check(change: AlterAttribute, step: Step) -> Iterator[Flag]:
    for lock in step.effects.locks:
        if "write" in lock.mode.blocks and step.before.schema.table(lock.relation).kind != "composite type" and not step.is_new(lock.relation):
            yield flag(type=change.type, table=step.display(lock.relation))
            return
