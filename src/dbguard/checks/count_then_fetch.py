"""A page and the count of everything it is cut from."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.units import Site, UnitOfWork, place_of, shown


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    for one in work.counts:
        place = one.counter.frames[0] if one.counter.frames else place_of(one.counter)
        yield flag(
            about=Site(place, (one.counter,), one.asked.key, one.page.frames[:1]),
            table=one.asked.tables[0] if one.asked.tables else "",
            page=shown(next(iter(one.page.frames), None), one.page),
        )
