"""DROP INDEX without CONCURRENTLY on a table that other sessions use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import DropIndex
from dbguard.model.questions import tables_dropped
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    gone = tables_dropped(end.steps)
    for one in end.steps:
        drop = one.operation
        if not isinstance(drop, DropIndex) or drop.concurrently or one.effects.fails or not one.effects.locks:
            continue
        for name in drop.names:
            index = one.before.schema.find_index(one.before.resolve(name))
            if index is None:
                yield flag(at=one.statement, variant="unknown", table="", index=name)
            elif index.table not in gone and not one.is_new(index.table):
                partitioned = one.table(index.table).kind == "partitioned table"
                variant = "partitioned" if partitioned else "cascade" if drop.cascade else ""
                yield flag(at=one.statement, variant=variant, table=one.display(index.table), index=name)
