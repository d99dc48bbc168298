"""Units of work to findings: wake the checks on units, and merge what they say of one shape at one place.

In: units of any source, the rules of the run, the folder that paths of the capture are relative to. Out: findings at the user's lines.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dbguard.model.calls import Frame, Unit
from dbguard.model.finding import Finding, Flag
from dbguard.model.record import Record
from dbguard.model.units import Site, UnitOfWork
from dbguard.rulebook import Rule
from dbguard.rulebook.select import Selection
from dbguard.workload.companions import work_of

MOST_PLACES = 10


class Said(Record):
    """One flag, and the units in which it was said."""

    rule: Rule
    flag: Flag
    site: Site
    unit: Unit
    units: int = 1


def inspect_units(units: Iterable[Unit], selection: Selection, root: str = "", crashed: list[str] | None = None) -> Iterator[Finding]:
    """Findings, one per rule, shape and place. Checks that raise are named in `crashed`."""
    inspection = UnitInspection(selection, [] if crashed is None else crashed)
    for unit in units:
        inspection.take(unit)
    yield from inspection.findings(root)


class UnitInspection:
    """Takes units one by one, so that a long workload needs no more memory than its findings."""

    def __init__(self, selection: Selection, crashed: list[str]) -> None:
        self.crashed = crashed
        self._rules = selection.woken().get("Unit", ())
        self._checks: dict[str, Callable[[Any], Iterator[Flag]]] = {}
        self._said: dict[tuple[object, ...], Said] = {}

    def take(self, unit: Unit) -> None:
        if not self._rules or len(unit.calls) < 2:
            return
        work = work_of(unit)
        mine: set[tuple[object, ...]] = set()
        for rule in self._rules:
            for flag in self._flags(rule, work):
                site = flag.about
                if not isinstance(site, Site):
                    continue
                place = site.place or (site.calls[0].source, site.calls[0].line if not site.shape else 0)
                key = (rule.name, site.shape, place[:2])
                known = self._said.get(key)
                if known is None:
                    self._said[key] = Said(rule, flag, site, unit)
                else:
                    more = len(site.calls) > len(known.site.calls)
                    kept = known._replace(flag=flag, site=site, unit=unit) if more else known
                    self._said[key] = kept._replace(units=known.units + (key not in mine))
                mine.add(key)

    def _flags(self, rule: Rule, work: UnitOfWork) -> list[Flag]:
        try:
            check = self._checks.get(rule.name) or self._checks.setdefault(rule.name, rule.check())
            return list(check(work))
        except Exception as error:  # noqa: BLE001 - one crashed check must not silence the others; it is reported and exits 3
            self.crashed.append(f"the check of rule {rule.name} crashed on {work.unit.name}: {type(error).__name__}: {error}")
            return []

    def findings(self, root: str) -> Iterator[Finding]:
        for said in self._said.values():
            yield _finding(said, root)


def _finding(said: Said, root: str) -> Finding:
    rule, flag, site = said.rule, said.flag, said.site
    first = site.calls[0]
    path, line = site.place[:2] if site.place is not None else (first.source or "-", max(first.line, 1))
    words = rule.wording(flag._replace(facts={**flag.facts, "times": _times(said)}))
    severity = rule.severity if flag.severity is None else min(rule.severity, flag.severity)
    places = dict.fromkeys((*([site.place] if site.place is not None else []), *site.places))
    return Finding(
        rule=rule.name,
        category=rule.category,
        severity=severity,
        path=_below(path, root),
        line=line,
        column=1,
        end_line=line,
        end_column=1,
        message=words.message,
        instead=words.instead,
        recipe=words.recipe,
        assumes=flag.assumes,
        excerpt=first.sql[:2_000],
        table=flag.facts.get("table", ""),
        shape=site.shape,
        calls=len(site.calls),
        units=said.units,
        places=tuple([_placed(place, root) for place in list(places)[:MOST_PLACES]]),
    )


def _placed(place: Frame, root: str) -> tuple[str, int, str]:
    return _below(place.path, root), place.line, place.function


def _below(path: str, root: str) -> str:
    """A path of the capture as the user would write it here: relative to the folder the run was started in."""
    if not root or os.path.isabs(path):  # noqa: PTH117 - as text, the file need not be there
        return path
    return os.path.relpath(os.path.join(root, path)).replace(os.sep, "/")  # noqa: PTH118


def _times(said: Said) -> str:
    """`40 calls in "GET /orders"`, or the most of several units."""
    calls = len(said.site.calls)
    count = f"{calls:,} call{'s' if calls != 1 else ''}"
    name = f"`{said.unit.name}`" if said.unit.name else "one unit of work"
    return f"{count} in {name}" if said.units == 1 else f"up to {count} in each of {said.units:,} units of work, such as {name}"
