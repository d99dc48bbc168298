"""DROP INDEX CONCURRENTLY in a form that PostgreSQL refuses."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import DropIndex
from dbguard.model.schema import Index
from dbguard.model.state import Step


def check(drop: DropIndex, step: Step) -> Iterator[Flag]:
    if not drop.concurrently:
        return
    index = step.before.schema.find_index(step.before.resolve(drop.names[0]))
    reason = _reason(drop, index, step)
    if reason is not None:
        yield flag(
            variant=reason,
            table="" if index is None else step.display(index.table),
            index=drop.names[0],
            constraint="" if index is None else quote(index.constraint or ""),
            drops=_drops(drop),
        )


def _reason(drop: DropIndex, index: Index | None, step: Step) -> str | None:
    if len(drop.names) > 1:
        return ""
    if index is not None and index.constraint is not None:
        return "constraint"
    if index is not None and step.table(index.table).kind == "partitioned table":
        return "partitioned"
    return "cascade" if drop.cascade else None


def _drops(drop: DropIndex) -> str:
    condition = "IF EXISTS " if drop.if_exists else ""
    return "\n".join(f"DROP INDEX CONCURRENTLY {condition}{name};" for name in drop.names)
