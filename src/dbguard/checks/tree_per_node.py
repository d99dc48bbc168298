"""A tree that is walked with one query per node."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.units import Site, UnitOfWork


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    for group in work.groups:
        if group.why_not == "tree":
            yield flag(about=Site(group.place, group.calls, group.asked.key), table=group.asked.tables[0] if group.asked.tables else "")
