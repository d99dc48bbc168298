"""Several operations in a Django migration with atomic = False."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import RunProgram
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    if step.script.tool != "django" or step.script.transaction != "none":
        return
    places = {one.statement.start for one in script.steps if not isinstance(one.operation, RunProgram)}
    if len(places) > 1:
        yield flag(at=script.steps[0].statement, operations=len(places))
