"""All pages of a table, one after the other, by OFFSET."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.units import Group, Site, UnitOfWork

LEAST = 3


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    for group in work.groups:
        if group.asked.offset and group.place is not None and len(group.calls) >= LEAST and _grows(group):
            yield flag(about=Site(group.place, group.calls, group.asked.key), table=group.asked.tables[0] if group.asked.tables else "")


def _grows(group: Group) -> bool:
    """Constants grow; of parameters only the hashes are known, so every page must have its own and the rest stay as it is."""
    if all(offset >= 0 for offset in group.offsets):
        moved = list(group.offsets)
        return moved == sorted(moved) and len(set(moved)) >= LEAST
    at = group.asked.offset_at
    given = [call.parameters or () for call in group.calls]
    if any(len(one) < -at for one in given):
        return False
    return len({one[at] for one in given}) == len(given) and len({one[:at] + one[len(one) + at + 1 :] for one in given}) == 1
