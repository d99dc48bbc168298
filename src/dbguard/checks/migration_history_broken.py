"""Migrations that do not hang together: several heads, a cycle, a parent that is not there, an id that is used twice."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.finding import Severity
from dbguard.model.operations import HistoryProblem
from dbguard.model.state import Step


def check(problem: HistoryProblem, step: Step) -> Iterator[Flag]:
    heads = problem.kind == "heads"
    variant = ("heads-django" if step.script.tool == "django" else "") if heads else problem.kind.replace(" ", "-")
    severity = Severity.WARNING if heads and step.script.tool == "alembic" else None  # `upgrade heads` runs them all
    yield flag(variant=variant, severity=severity, migration=problem.migration, others=", ".join(problem.others) or "itself")
