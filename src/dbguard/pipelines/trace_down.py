"""Up, down, and up again: two scripts in, what each statement did and what is wrong with the way back out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dbguard.model.finding import Finding
from dbguard.model.postgres import Server
from dbguard.model.source import Lines, Parsed, RoundTrip, Statement
from dbguard.model.state import Effects, State, Step
from dbguard.pipelines.part import Part
from dbguard.pipelines.waking import Checks, finding_of
from dbguard.postgres.trace_catalog import changes, read_definitions
from dbguard.rulebook.select import Selection

if TYPE_CHECKING:
    from dbguard.pipelines.traced import Traced
    from dbguard.postgres.trace import Session

Watch = Callable[[Parsed, str], Iterator["Traced"]]
"""Runs a script, its statements watched, in a direction: up, down or again."""


def round_trip(session: Session, watch: Watch, up: Parsed, down: Parsed, told: Callable[[RoundTrip], None]) -> Iterator[Traced]:
    """What each statement did; `told` hears what became of the schema."""
    before = read_definitions(session.connection)
    failed = ""
    for one in watch(up, "up"):
        failed = failed or (one.error.message if one.error else "")
        yield one
    if failed:
        return
    there = read_definitions(session.connection)
    for one in watch(down, "down"):
        failed = failed or (one.error.message if one.error else "")
        yield one._replace(error=None, skipped=f"fails: {one.error.message}") if one.error else one
    if failed:
        told(RoundTrip(down_fails=failed))
        return
    left = changes(before, read_definitions(session.connection))
    for one in watch(up, "again"):
        failed = failed or (one.error.message if one.error else "")
        yield one._replace(differences=()) if left else one  # the prediction is for the schema that going up first found
    again = () if failed else changes(there, read_definitions(session.connection))
    told(RoundTrip(left=left, again=again, up_fails=failed))


def part_of(trip: RoundTrip, down: Parsed, selection: Selection, major: int) -> Part:
    """The findings of the rules that are about the way back, at the first statement of the down script."""
    place = down.statements[0] if down.statements else Statement(down.script.pieces[0][0] if down.script.pieces else 0, 0, ())
    step = Step(down.script, place, trip, State(), Effects(), State(), Server(major))
    checks = Checks()
    rules = selection.woken().get("RoundTrip", ())
    findings = tuple(_finding(rule, flag, step) for rule, flag, step in checks.said(rules, step, down.script.source.path))
    return Part(findings=findings, crashed=tuple(checks.crashed))


def _finding(rule: Any, flag: Any, step: Step) -> Finding:
    source = step.script.source
    lines = Lines(source.text)
    line, column = lines.at(step.statement.start)
    end_line, end_column = lines.at(max(step.statement.start, step.statement.end))
    return finding_of(
        rule,
        flag,
        path=source.path,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        excerpt=source.text[step.statement.start : step.statement.end],
        start=step.statement.start,
    )
