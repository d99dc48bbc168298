"""Rows that are fetched one by one to be changed one by one."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.units import Site, UnitOfWork

LEAST = 3


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    for group in work.groups:
        if group.why_not == "read then written" and group.in_loop and group.different >= LEAST:
            yield flag(about=Site(group.place, group.calls, group.asked.key), table=group.asked.tables[0])
