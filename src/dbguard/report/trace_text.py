"""A trace for people: a block per statement, what it was seen to do, where that is not what was predicted, and the findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dbguard.report.full import painter
from dbguard.report.full import render as render_findings
from dbguard.report.locks_text import blocked, effects, first_line
from dbguard.report.words import counted, one_line, visible

MOST_QUERIES = 5
_WIDEST = 100


def render(trace: Any, *, color: bool = False) -> str:
    """`trace` is the `Trace` of `pipelines.trace`; with `color`, escape sequences for a terminal."""
    paint = painter(color=color)
    blocks = ["\n".join(_statement(one, paint)) for one in trace.statements]
    blocks.append(render_findings(trace.result, color=color).rstrip("\n"))
    notes = [f"note  {one_line(note)}" for note in trace.notes]
    return "\n\n".join([*blocks, "\n".join([*notes, last_line(trace)])]) + "\n"


def last_line(trace: Any) -> str:
    """What ran, how long it took, and what was not as predicted."""
    ran = [one for one in trace.statements if one.seconds is not None]
    compared = sum(one.observed is not None for one in trace.statements)
    seconds = sum(one.seconds for one in ran)
    differences = sum(bool(one.differences) for one in trace.statements)
    errors = sum(one.error is not None for one in trace.statements)
    sentences = [f"{counted(len(ran), 'statement')} ran on PostgreSQL {trace.postgres} in {_seconds(seconds)}."]
    if errors:
        sentences.append(f"{counted(errors, 'error')}.")
    if compared:
        how = "each as predicted" if not differences else f"{counted(differences, 'statement')} not as predicted"
        sentences.append(f"{counted(compared, 'statement')} watched, {how}.")
    skipped = sum(bool(one.skipped) and one.skipped != "no SQL" for one in trace.statements)
    if skipped:
        sentences.append(f"{counted(skipped, 'statement')} not run.")
    if trace.queries:
        waiting = {query.shape for one in trace.statements for query in one.waits}
        broken = {query.shape for one in trace.statements for query in one.breaks}
        sentences.append(f"Of {counted(trace.queries, 'query', 'queries')}, {len(waiting):,} wait at some step, and {len(broken):,} stop working.")
    return " ".join(sentences)


def _statement(one: Any, paint: Any) -> Iterator[str]:
    place = paint(f"{one_line(one.predicted.path)}:{one.predicted.line}", "1")
    way = "" if one.direction == "up" else f"  {one.direction}"
    yield f"{place}{way}" + ("" if one.seconds is None else f"  {paint(_seconds(one.seconds), '2')}")
    yield f"  {first_line(one.predicted.sql)}"
    if one.skipped:
        yield f"  {'not run':<12}  {one_line(one.skipped)}"
    elif one.observed is not None and one.error is None:
        yield from _observed(one)
    for line in one.differences:
        yield f"  {paint('differs'.ljust(12), '1;35')}  {one_line(line)}"
    if one.error is not None:
        yield from _error(one, paint)
    for note in one.notes:
        yield f"  {'note':<12}  {one_line(note)}"
    yield from _queries("waits", one.waits, paint)
    yield from _queries("breaks", one.breaks, paint)


def _observed(one: Any) -> Iterator[str]:
    told = list(effects(one.observed))
    if one.held and not one.observed.locks:
        told = [line for line in told if not line.startswith("  locks nothing")]
    yield from told
    for lock in one.held:
        if lock.blocks:
            yield f"  {lock.mode:<24}  {one_line(lock.relation)}  (held since before, {blocked(lock.blocks)})"


def _error(one: Any, paint: Any) -> Iterator[str]:
    error = one.error
    code = f" ({error.sqlstate})" if error.sqlstate else ""
    when = "at COMMIT: " if error.at_end else ""
    yield f"  {paint('error'.ljust(12), '1;31')}  {when}{one_line(error.message)}{code}"
    lines = visible(one.predicted.sql).split("\n")
    row, first = error.line - one.predicted.line, one.predicted.column
    if error.exact and 0 <= row < len(lines):
        at = error.column - (first if row == 0 else 1)
        text = lines[row].replace("\t", " ")
        cut = max(0, at - _WIDEST + 20)
        yield f"  {f'{error.line}:{error.column}':>12} | {text[cut : cut + _WIDEST]}"
        yield f"  {'':>12}   {' ' * (at - cut)}{paint('^', '1;31')}"
    if error.context:
        yield f"  {'in':<12}  {one_line(error.context)}"
    if error.hint:
        yield f"  {'hint':<12}  {one_line(error.hint)}"


def _queries(word: str, queries: Any, paint: Any) -> Iterator[str]:
    for query in queries[:MOST_QUERIES]:
        yield f"  {paint(word.ljust(12), '1;33')}  {first_line(query.sql)}"
        if query.error:
            yield f"  {'':<12}  {one_line(query.error)}"
    if len(queries) > MOST_QUERIES:
        yield f"  {'':<12}  and {counted(len(queries) - MOST_QUERIES, 'more query', 'more queries')}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f} s" if seconds < 10 else f"{seconds:.1f} s"
