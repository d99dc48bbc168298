"""RunPython without reverse_code."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import RunProgram
from dbguard.model.state import Step


def check(program: RunProgram, step: Step) -> Iterator[Flag]:
    if step.script.tool == "django" and not program.reversible:
        yield flag(program=program.name)
