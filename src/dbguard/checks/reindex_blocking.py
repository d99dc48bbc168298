"""REINDEX without CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name
from dbguard.model.operations import Reindex
from dbguard.model.state import Step


def check(reindex: Reindex, step: Step) -> Iterator[Flag]:
    if reindex.concurrently or step.effects.fails:
        return
    name = reindex.name
    if reindex.kind in {"index", "table"} and name is not None:
        table = _table_of(name, step) if reindex.kind == "index" else step.before.resolve(name)
        if table is not None and step.is_new_or_empty(table):
            return
        exclusion = reindex.kind == "index" and table is not None and _backs_exclusion(name, step)
        variant = "exclusion" if exclusion else reindex.kind
        yield flag(variant=variant, table="" if table is None else step.display(table), name=name, kind=reindex.kind.upper())
    else:
        variant = "system" if reindex.kind == "system" else ""
        yield flag(variant=variant, table="", name=name or "", kind=reindex.kind.upper())


def _table_of(index: Name, step: Step) -> Name | None:
    return step.before.schema.index_tables.get(step.before.resolve(index))


def _backs_exclusion(name: Name, step: Step) -> bool:
    index = step.before.schema.find_index(step.before.resolve(name))
    if index is None or index.constraint is None:
        return False
    constraint = step.before.schema.table(index.table).constraints.get(index.constraint)
    return constraint is not None and constraint.kind == "exclusion"
