"""RunPython that reads and writes all rows of a table in one transaction."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import RunProgram
from dbguard.model.state import Step


def check(program: RunProgram, step: Step) -> Iterator[Flag]:
    if step.script.tool == "django" and program.unbatched and program.in_transaction:
        yield flag(program=program.name, rows=", ".join(f"`{rows}`" for rows in program.unbatched))
