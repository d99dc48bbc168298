"""DROP INDEX CONCURRENTLY in a form that PostgreSQL refuses."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import DropIndex
from dbguard.model.state import Step


def check(drop: DropIndex, step: Step) -> Iterator[Flag]:
    if not drop.concurrently:
        return
    index = step.before.schema.find_index(step.before.resolve(drop.names[0]))
    table = None if index is None else step.table(index.table)
    facts: dict[str, Name | str] = {"table": "" if index is None else step.display(index.table), "index": drop.names[0], "drops": _drops(drop)}
    if len(drop.names) > 1:
        yield flag(variant="", **facts)
    elif index is not None and index.constraint is not None:
        yield flag(variant="constraint", constraint=quote(index.constraint), **facts)
    elif table is not None and table.kind == "partitioned table":
        yield flag(variant="partitioned", **facts)
    elif drop.cascade:
        yield flag(variant="cascade", **facts)


def _drops(drop: DropIndex) -> str:
    condition = "IF EXISTS " if drop.if_exists else ""
    return "\n".join(f"DROP INDEX CONCURRENTLY {condition}{name};" for name in drop.names)
