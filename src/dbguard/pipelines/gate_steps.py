"""Which pending statements the ghost takes, and which of them makes a query fail or changes its plan: by halving."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from dbguard.model.plan import Plan
from dbguard.model.record import Record
from dbguard.model.state import State
from dbguard.planning.risk import Judged
from dbguard.planning.risk_plans import change as compared
from dbguard.planning.risk_plans import same
from dbguard.planning.risk_traffic import Sent

if TYPE_CHECKING:
    from dbguard.pipelines.gate import Change

MOST_REFUSED = 5  # statements that are left out one by one
Answer = Plan | str
"""A plan, or PostgreSQL's message where it does not plan."""
Asker = Callable[[str], Answer]
After = Callable[[Sequence[str]], AbstractContextManager[Asker]]


class Place(Record):
    """A pending statement with the state that it leaves."""

    judged: Judged
    before: State
    after: State

    @property
    def text(self) -> str:
        return self.judged.text

    @property
    def at(self) -> tuple[str, int]:
        return self.judged.risk.path, self.judged.risk.line


def places_of(changes: Sequence[Change]) -> list[Place]:
    return [Place(one, one.steps[0].before, one.steps[-1].after) for change in changes for one in change.judged]


class Refused(Exception):  # noqa: N818
    """The ghost's server refuses a pending migration; the text says why, `statement` is the one that it refuses where it is a single one."""

    def __init__(self, why: str, statement: str = "") -> None:
        super().__init__(why)
        self.statement = statement


def accepted(after: After, statements: Sequence[Place]) -> tuple[list[Place], list[str]]:
    """The statements that the ghost takes, and why it does not take the others: an extension that is not installed here, for example."""
    kept, why = list(statements), list[str]()
    while kept:
        try:
            with after([place.text for place in kept]):
                return kept, why
        except Refused as refused:
            culprit = next((place for place in kept if refused.statement and refused.statement.strip() in place.text), None)
            if culprit is None or len(why) == MOST_REFUSED:
                told = " ".join(str(refused).split())
                return [], [*why, f"queries were planned before the pending migrations alone, which do not run on the ghost: {told}"]
            kept = [place for place in kept if place is not culprit]
            why.append(f"{culprit.at[0]}:{culprit.at[1]} was left out where queries are planned: {str(refused).partition(chr(10))[0]}")
    return [], why


def ask_all(opened: AbstractContextManager[Asker], asked: Sequence[Sent]) -> dict[str, Answer]:
    with opened as ask:
        return {one.shape: ask(one.sql) for one in asked}


def differs(before: Answer, after: Answer) -> bool:
    """Whether something can be told of a query: it fails now and did not, or its plan is another one or dearer."""
    if isinstance(before, str):
        return False
    if isinstance(after, str):
        return True
    return not same(compared(before, after))


def _same(one: Answer, other: Answer) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) == isinstance(other, str)
    return same(compared(one, other))


def blame(
    after: After,
    statements: Sequence[Place],
    differing: Sequence[Sent],
    before: Mapping[str, Answer],
    blamed: dict[str, Place],
) -> None:
    """For each query the first statement after which its plan is not what it was. Halving: queries that share a step share the work."""
    pending: list[tuple[int, int, Sequence[Sent]]] = [(0, len(statements), differing)]  # it is the same after `low` statements, not after `high`
    while pending:
        low, high, queries = pending.pop()
        if high - low == 1:
            blamed.update((one.shape, statements[low]) for one in queries)
            continue
        middle = (low + high) // 2
        try:
            now = ask_all(after([place.text for place in statements[:middle]]), queries)
        except Refused:  # a part of a transaction that the server takes only whole
            blamed.update((one.shape, statements[high - 1]) for one in queries)
            continue
        later = [one for one in queries if _same(before[one.shape], now[one.shape])]
        earlier = [one for one in queries if one not in later]
        pending += [part for part in ((middle, high, later), (low, middle, earlier)) if part[2]]
