"""Units of work to findings: wake the checks on units, and merge what they say of one shape at one place.

In: units of any source, the rules of the run. Out: findings at the user's lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.model.calls import Call, Unit
from dbguard.model.finding import Finding, Flag
from dbguard.model.record import Record
from dbguard.model.units import Site, UnitOfWork
from dbguard.pipelines.waking import Checks, finding_of
from dbguard.rulebook import Rule
from dbguard.rulebook.select import Selection
from dbguard.workload.companions import work_of
from dbguard.workload.repetition import WRITES
from dbguard.workload.shapes import asked

MOST_PLACES = 10
_OF_ANY_LENGTH = frozenset(["session", "trace"])  # units that are cut out of a stream: one call by itself says nothing


class Said(Record):
    """One flag, and the units in which it was said."""

    rule: Rule
    flag: Flag
    site: Site
    unit: Unit
    units: int = 1


class UnitInspection:
    """Takes units one by one, so that a long workload needs no more memory than its findings."""

    def __init__(self, selection: Selection) -> None:
        self._checks = Checks()
        self.crashed = self._checks.crashed
        self._rules = selection.woken().get("Unit", ())
        self._said: dict[tuple[object, ...], Said] = {}

    def take(self, unit: Unit) -> None:
        if not self._rules or len(unit.calls) < (2 if unit.kind in _OF_ANY_LENGTH else 1):
            return
        mine: set[tuple[object, ...]] = set()
        for rule, flag, _ in self._checks.said(self._rules, _work(unit), unit.name):
            site = flag.about
            if not isinstance(site, Site):
                continue
            place = site.place or (site.calls[0].source, site.calls[0].line if not site.shape else 0)
            key = (rule.name, site.shape, place[:2], flag.facts.get("relationship", ""))
            known = self._said.get(key)
            if known is None:
                self._said[key] = Said(rule, flag, site, unit)
            else:
                more = len(site.calls) > len(known.site.calls)
                kept = known._replace(flag=flag, site=site, unit=unit) if more else known
                self._said[key] = kept._replace(units=known.units + (key not in mine))
            mine.add(key)

    def findings(self) -> Iterator[Finding]:
        for said in self._said.values():
            yield _finding(said)


def _work(unit: Unit) -> UnitOfWork:
    """A unit with its facts, and with all that changes or locks rows in it."""
    pairs = ((call, asked(call.sql)) for call in (unit.calls if unit.phase in {"", "call"} else ()))
    return work_of(unit)._replace(changes=tuple([(call, what) for call, what in pairs if what.command in WRITES or what.locks]))


def _finding(said: Said) -> Finding:
    rule, flag, site = said.rule, said.flag, said.site
    first = site.calls[0]
    path, line = site.place[:2] if site.place is not None else (first.source or "-", max(first.line, 1))
    places = dict.fromkeys((*([site.place] if site.place is not None else []), *site.places))
    return finding_of(
        rule,
        flag._replace(facts={**flag.facts, "times": _times(said)}),
        path=path,
        line=line,
        because=_sent(first, site),
        excerpt=first.sql[:2_000],
        shape=site.shape,
        calls=len(site.calls),
        units=said.units,
        places=tuple([(one.path, one.line, one.function) for one in list(places)[:MOST_PLACES]]),
    )


def _sent(first: Call, site: Site) -> tuple[str, ...]:
    """The line that asks for the rows, where that is not the line of the loop that leads to it."""
    frame = first.frames[0] if first.frames else None
    if frame is None or site.place is None or frame[:2] == site.place[:2]:
        return ()
    return (f"{frame.path}:{frame.line} sends it{f', in `{frame.function}`' if frame.function else ''}",)


def _times(said: Said) -> str:
    """`40 calls in "GET /orders"`, or the most of several units."""
    calls = len(said.site.calls)
    count = f"{calls:,} call{'s' if calls != 1 else ''}"
    name = f"`{said.unit.name}`" if said.unit.name else "one unit of work"
    return f"{count} in {name}" if said.units == 1 else f"up to {count} in each of {said.units:,} units of work, such as {name}"
