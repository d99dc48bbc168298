"""A commit for each row of a loop."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.units import Site, UnitOfWork

MOST_COMMITS = 10
MOST_ROWS = 2


def check(_unit: Unit, work: UnitOfWork) -> Iterator[Flag]:
    for commits in work.commits:
        count = len(commits.calls)
        if count > MOST_COMMITS and commits.rows <= MOST_ROWS * count and not commits.claims:
            yield flag(about=Site(commits.place, commits.calls), rows=commits.rows)
