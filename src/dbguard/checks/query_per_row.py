"""A query that is sent once per row of another: N+1."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.finding import Severity
from dbguard.model.units import Group, Site, UnitOfWork, shown

NO_PROOF = "the parameters come from the rows of another query: this source knows neither results nor lines of code"


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    for group in work.groups:
        if group.asked.command != "select" or not group.evidence or group.why_not:
            continue
        places = (*group.calls[0].frames[:1], *(group.parent.call.frames[:1] if group.parent is not None else ()))
        yield flag(
            about=Site(group.place, group.calls, group.asked.key, places),
            variant=_variant(group),
            severity=Severity.ADVICE if group.evidence == ("row",) else None,
            assumes=(NO_PROOF,) if group.evidence == ("row",) else (),
            table=group.asked.tables[0] if group.asked.tables else "a function",
            relationship=_relationship(group),
            parent="" if group.parent is None else shown(next(iter(group.parent.call.frames), group.parent.call.loop), group.parent.call),
            fix=group.fix,
        )


def _variant(group: Group) -> str:
    if group.evidence == ("row",):
        return "row"
    if "lazy" in group.evidence and _relationship(group):
        return "" if group.parent is not None else "relationship"
    return "parent" if "parent" in group.evidence else "loop" if group.in_loop else "relationship"


def _relationship(group: Group) -> str:
    load = group.load
    return f"{load.owner}.{load.relationship}" if load is not None and load.owner and load.relationship else load.owner if load is not None else ""
