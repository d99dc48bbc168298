"""The same question, asked again with nothing changed in between."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.finding import Severity
from dbguard.model.units import Site, UnitOfWork, shown

LEAST_FOR_WARNING = 5


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    per_row = {(group.asked.key, group.place) for group in work.groups if group.evidence and not group.why_not}
    for repeated in work.repeated:
        if (repeated.asked.key, repeated.place) in per_row:
            continue
        first = repeated.calls[0]
        yield flag(
            about=Site(repeated.place, repeated.calls, repeated.asked.key, first.frames[:1]),
            severity=None if len(repeated.calls) >= LEAST_FOR_WARNING else Severity.ADVICE,
            table=repeated.asked.tables[0] if repeated.asked.tables else "",
            first=shown(next(iter(first.frames), first.loop), first),
            fix=repeated.fix,
        )
