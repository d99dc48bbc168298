"""DROP TABLE of a partition: the parent is locked for it."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import DropTable
from dbguard.model.questions import default_partition, tables_dropped
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    gone = tables_dropped(end.steps)
    for one in end.steps:
        if not isinstance(one.operation, DropTable):
            continue
        for name in one.operation.names:
            parent = one.table(name).parent
            if parent is None or parent in gone or one.is_new(parent):
                continue
            blocked = default_partition(parent, one.before) is not None or not one.server.since(14)
            yield flag(at=one.statement, variant="impossible" if blocked else "", table=one.display(parent), partition=name)
