"""A transaction that stays open while the application does other things."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.units import Site, UnitOfWork, place_of, shown

LEAST_SECONDS = 1.0
MOST_BUSY = 0.2
LOCK_HELD = 0.2


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    for one in work.transactions:
        if one.idle is not None and one.idle.seconds > LOCK_HELD:
            continue  # of lock-held-idle
        if one.seconds > LEAST_SECONDS and one.busy < MOST_BUSY * one.seconds:
            before = one.longest.before
            yield flag(
                about=Site(place_of(before), (before,), "", one.longest.after.frames[:1]),
                seconds=f"{one.seconds:.1f}",
                idle=f"{one.seconds - one.busy:.1f}",
                after=shown(place_of(one.longest.after), one.longest.after),
            )
