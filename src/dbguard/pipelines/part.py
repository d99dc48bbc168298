"""What one history, or the queries of a run, gave."""

from __future__ import annotations

from dbguard.judgement.allow import Allow
from dbguard.model.finding import Finding, UnreadPart
from dbguard.model.record import Record


class Part(Record):
    """Findings, and what is needed to judge them and to say what was not seen."""

    findings: tuple[Finding, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    allows: tuple[Allow, ...] = ()
    crashed: tuple[str, ...] = ()
    statements: int = 0
    files: int = 0
    notes: tuple[str, ...] = ()
