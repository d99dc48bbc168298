"""What one history, or the queries of a run, gave; and the parts of a run to its result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date

from dbguard.config import Config
from dbguard.judgement import Allow, judge
from dbguard.model.finding import Finding, Result, UnreadPart
from dbguard.model.record import Record
from dbguard.rulebook.select import Selection


class Part(Record):
    """Findings, and what is needed to judge them and to say what was not seen."""

    findings: tuple[Finding, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    allows: tuple[Allow, ...] = ()
    crashed: tuple[str, ...] = ()
    statements: int = 0
    files: int = 0
    notes: tuple[str, ...] = ()


def result_of(parts: Sequence[Part], read: Result, config: Config, selection: Selection, began: float) -> Result:
    """The parts of a run judged, on top of what reading told: `read` holds that. `began` is when, by `time.perf_counter`."""
    summary = read.summary._replace(files=read.summary.files + sum(part.files for part in parts), statements=sum(part.statements for part in parts))
    found = read._replace(
        findings=tuple(finding for part in parts for finding in part.findings),
        unread=(*read.unread, *(unread for part in parts for unread in part.unread)),
        summary=summary,
        postgres=config.postgres,
        notes=(*read.notes, *(note for part in parts for note in part.notes)),
        crashed=tuple(crash for part in parts for crash in part.crashed),
    )
    result = judge(found, [allow for part in parts for allow in part.allows], selection, config, today=date.today())  # noqa: DTZ011
    return result._replace(summary=result.summary._replace(seconds=round(time.perf_counter() - began, 3)))
