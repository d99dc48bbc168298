"""DROP TABLE of a table that the running application may still use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import CreateTable, DropTable
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    for position, one in enumerate(script.steps):
        drop = one.operation
        if not isinstance(drop, DropTable):
            continue
        for name in drop.names:
            if one.is_new(name) or one.table(name).parent is not None or _was_never_there(drop, name, one, script.steps[position:]):
                continue
            yield flag(at=one.statement, table=name, aside=quote(f"{name.name}_deprecated"), variant="cascade" if drop.cascade else "")


def _was_never_there(drop: DropTable, name: Name, step: Step, later: tuple[Step, ...]) -> bool:
    """Whether IF EXISTS meets a table that no migration made so far: the history is whole, or this script goes on to create it."""
    if not drop.if_exists or step.table(name).known:
        return False
    full = step.before.resolve(name)
    creates = (one for one in later if isinstance(one.operation, CreateTable))
    return step.before.schema.complete or any(one.after.resolve(one.operation.name) == full for one in creates)
