"""RunPython that works on models imported from the application."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import RunProgram
from dbguard.model.state import Step


def check(program: RunProgram, step: Step) -> Iterator[Flag]:
    if step.script.tool == "django" and program.imports:
        yield flag(program=program.name, imports=", ".join(f"`{name}`" for name in program.imports))
