"""What a change does to one query: its plan before and after in, slower or not, indexes lost and tables read in full out.

Both plans are made with the same statistics, so a difference comes from the change and not from a new sample.
"""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.plan import Node, Plan, nodes
from dbguard.model.record import Record
from dbguard.planning.risk_reads import Tables
from dbguard.planning.risk_seconds import cached_seconds

TIE = 1.01  # costs within one percent are the same plan or as good as that
NOTHING_KNOWN = Tables()
BRIEF = 0.001  # seconds: a query that is over in a millisecond is not slow, whatever it was before
LONG = 0.005
BUSY = 0.05  # of one core


class Change(Record):
    """`ratio` is cost after over cost before, `slower` the same of the seconds that both work on cached tables."""

    ratio: float
    slower: float
    seconds: float  # after
    other_plan: bool
    lost: tuple[str, ...] = ()  # indexes that it used and uses no more
    read_in_full: tuple[str, ...] = ()  # tables that it reads in full now, and did not before


def change(before: Plan, after: Plan, tables: Tables = NOTHING_KNOWN) -> Change:
    """What differs. `tables` knows their sizes."""
    old, new = indexes(before), indexes(after)
    first, then = cached_seconds(before, tables), cached_seconds(after, tables)
    return Change(
        ratio=after.cost / before.cost if before.cost > 0 else 1.0 if after.cost <= 0 else float("inf"),
        slower=then / first,
        seconds=then,
        other_plan=shape(before.root) != shape(after.root),
        lost=tuple(name for name in old if name not in new),
        read_in_full=tuple(name for name in _scanned(after) if name not in _scanned(before)),
    )


def verdict(found: Change, review: float, stop: float, a_second: float = 0.0) -> str:
    """A query that is over in no time is no reason to stop, however much faster it was before, unless it is sent all the time. Little slower
    is only what the planner, too, finds dearer: where a new index is chosen, the two models differ by more than that.
    """
    if found.slower >= stop and (found.seconds >= LONG or found.seconds * a_second >= BUSY):
        return "stop"
    return "review" if found.slower >= review and found.seconds >= BRIEF and found.ratio >= 1 else "safe"


def same(found: Change) -> bool:
    """Whether there is nothing to tell."""
    return not found.other_plan and 1 / TIE <= found.ratio <= TIE


def indexes(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node.index for node in nodes(plan.root) if node.index))


def _scanned(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node.relation for node in nodes(plan.root) if node.kind == "Seq Scan" and node.relation))


def shape(node: Node) -> tuple[object, ...]:
    """What makes two plans the same: kinds of nodes, relations and indexes, not costs."""
    return tuple([(one.kind, one.relation, one.index, len(one.children)) for one in nodes(node)])


def orphans(before: Iterable[Plan], after: Iterable[Plan]) -> tuple[str, ...]:
    """Indexes that some plan used before and none uses after."""
    used = dict.fromkeys(name for plan in before for name in indexes(plan))
    still = {name for plan in after for name in indexes(plan)}
    return tuple(name for name in used if name not in still)
