"""SET LOGGED, SET ACCESS METHOD, SET TABLESPACE: the whole table is copied under the strongest lock."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import SetAccessMethod, SetPersistence, SetTablespace
from dbguard.model.state import Step


def check(change: SetAccessMethod | SetPersistence | SetTablespace, step: Step) -> Iterator[Flag]:
    if step.is_new_or_empty(change.table) or step.effects.fails:
        return
    if isinstance(change, SetTablespace):
        if change.kind != "index" and step.table(change.table).tablespace != change.tablespace:
            yield flag(table=change.table, variant="tablespace")
        return
    if not step.effects.rewrites:
        return
    variant = "unlogged" if isinstance(change, SetPersistence) and not change.logged else ""
    yield flag(table=change.table, change="ACCESS METHOD" if isinstance(change, SetAccessMethod) else "LOGGED", variant=variant)
