"""Locked rows while the application does other things."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.units import Site, UnitOfWork, place_of, shown

LEAST_SECONDS = 0.2


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    for one in work.transactions:
        if one.lock is None or one.locked is None or one.idle is None or one.idle.seconds <= LEAST_SECONDS:
            continue
        after = one.idle.after
        yield flag(
            about=Site(place_of(one.lock), (one.lock,), one.locked.key, after.frames[:1]),
            table=one.locked.tables[0] if one.locked.tables else "",
            seconds=f"{one.idle.seconds:.1f}",
            before=shown(place_of(one.idle.before), one.idle.before),
            after=shown(place_of(after), after),
        )
