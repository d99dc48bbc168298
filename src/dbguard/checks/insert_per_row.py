"""Rows that are inserted one by one."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.units import Group, Site, UnitOfWork

LEAST = 5
LEAST_WITHOUT_LOOP = 10


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    for group in work.groups:
        if group.asked.command == "insert" and group.asked.one_row and not group.why_not and _is_often(group):
            yield flag(about=Site(group.place, group.calls, group.asked.key), table=group.asked.tables[0], fix=group.fix)


def _is_often(group: Group) -> bool:
    return group.place is not None and len(group.calls) >= (LEAST if group.in_loop else LEAST_WITHOUT_LOOP)
