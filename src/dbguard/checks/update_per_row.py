"""Rows that are updated or deleted one by one."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.units import Site, UnitOfWork

LEAST = 5


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    read = {table for group in work.groups if group.why_not == "read then written" for table in group.asked.tables[:1]}
    for group in work.groups:
        what = group.asked
        if what.command not in {"update", "delete"} or group.why_not or not what.equal or what.tables[0] in read:
            continue
        if group.in_loop and len(group.calls) >= LEAST:
            yield flag(
                about=Site(group.place, group.calls, what.key),
                variant="delete" if what.command == "delete" else "",
                table=what.tables[0],
                fix=group.fix,
            )
