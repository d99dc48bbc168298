"""What one history, or the queries of a run, gave; and the parts of a run to its result."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from dbguard.config import Config
from dbguard.judgement import Allow, allows, judge
from dbguard.model.finding import Finding, Result, UnreadPart
from dbguard.model.record import Record
from dbguard.model.source import Lines, Parsed
from dbguard.rulebook.select import Selection

if TYPE_CHECKING:
    from dbguard.judgement.baseline import Known


class Part(Record):
    """Findings, and what is needed to judge them and to say what was not seen."""

    findings: tuple[Finding, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    allows: tuple[Allow, ...] = ()
    crashed: tuple[str, ...] = ()
    statements: int = 0
    files: int = 0
    notes: tuple[str, ...] = ()
    subjects: frozenset[str] = frozenset()  # of queries and calls that woke checks: Query, Unit, Totals
    query_files: tuple[str, ...] = ()
    skipped: int = 0  # files that are neither migrations nor queries


def part_of(reported: Sequence[Parsed], findings: Iterable[Finding], crashed: Iterable[str]) -> Part:
    """What one history gave: `reported` are the scripts that give anything but state."""
    return Part(
        findings=tuple(findings),
        unread=tuple(unread for one in reported for unread in _unread(one)),
        allows=tuple(allow for one in reported for allow in allows(one)),
        crashed=tuple(dict.fromkeys(crashed)),
        statements=sum(len(one.statements) for one in reported),
        files=len({one.script.source.path for one in reported}),
    )


def _unread(one: Parsed) -> Iterator[UnreadPart]:
    if any(statement.unread for statement in one.statements):
        lines = Lines(one.script.source.text)
        for statement in one.statements:
            for part in statement.unread:
                yield UnreadPart(one.script.source.path, lines.at(part.start)[0], part.reason)


def _known(parts: Sequence[Part], config: Config) -> Known | None:
    """The baseline, if anything was looked at that it could have."""
    if not any(part.subjects or any(one.shape or one.calls for one in part.findings) for part in parts):
        return None
    from dbguard.judgement.baseline import Known, Looked, below, read

    if any(one.fatal for part in parts for one in part.unread):  # what is not found may be in there
        return Known(read(config))
    subjects = frozenset[str]().union(*(part.subjects for part in parts))
    files = below((path for part in parts for path in part.query_files), config)
    return Known(read(config), Looked("Unit" in subjects, files, subjects))


def result_of(parts: Sequence[Part], read: Result, config: Config, selection: Selection, began: float) -> Result:
    """The parts of a run judged, on top of what reading told: `read` holds that. `began` is when, by `time.perf_counter`."""
    summary = read.summary._replace(
        files=read.summary.files + sum(part.files for part in parts),
        statements=sum(part.statements for part in parts),
        skipped_files=read.summary.skipped_files + sum(part.skipped for part in parts),
    )
    found = read._replace(
        findings=tuple(finding for part in parts for finding in part.findings),
        unread=(*read.unread, *(unread for part in parts for unread in part.unread)),
        summary=summary,
        postgres=config.postgres,
        notes=(*read.notes, *(note for part in parts for note in part.notes)),
        crashed=tuple(crash for part in parts for crash in part.crashed),
    )
    known = _known(parts, config) if config.baseline else None
    result = judge(found, [allow for part in parts for allow in part.allows], selection, config, today=date.today(), known=known)  # noqa: DTZ011
    return result._replace(summary=result.summary._replace(seconds=round(time.perf_counter() - began, 3)))
