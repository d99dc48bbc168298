"""What else the calls of one unit say: repeated questions, transactions and their pauses, commits in loops, counts beside pages.

In: a `Unit`. Out: the records of `model.units` that checks turn into flags.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from dbguard.model.calls import Call, Unit
from dbguard.model.units import Commits, CountAndPage, Pause, Repeated, Transaction, UnitOfWork, is_test_file, place_of
from dbguard.workload.fixes import fix_of, fix_of_repeated
from dbguard.workload.repetition import WRITES, groups_of, is_counted
from dbguard.workload.shapes import asked

ENDS = {"commit", "rollback"}
PAUSE_OF_POLLING = 0.1


def work_of(unit: Unit) -> UnitOfWork:
    """A unit with its facts."""
    if unit.phase not in {"", "call"}:
        return UnitOfWork(unit)
    return UnitOfWork(
        unit,
        tuple([group._replace(fix=fix_of(group)) for group in groups_of(unit)]),
        tuple([one._replace(fix=fix_of_repeated(one)) for one in _repeated(unit)]),
        tuple(_transactions(unit)),
        tuple(_commits(unit)),
        tuple(_counts(unit)) if unit.kind != "session" else (),
    )


def _is_of_test(unit: Unit, call: Call) -> bool:
    place = place_of(call)
    return unit.kind == "test" and place is not None and is_test_file(place.path)


def _repeated(unit: Unit) -> Iterator[Repeated]:
    """The same question with no change to its tables in between; a rollback, an error or an unknown statement begins anew.

    Another transaction sees other rows. A session of a log serves many requests, so there only what one transaction asks counts.
    """
    open_: dict[tuple[str, ...], dict[tuple[object, ...], list[Call]]] = {}  # by the tables that are asked
    for call in unit.calls:
        what = asked(call.sql)
        if call.error or what.command in {"rollback", "other"}:
            yield from _closed(open_, set())
        elif what.command in WRITES:
            yield from _closed(open_, set(what.tables))
        elif is_counted(call) and call.parameters is not None and not what.locks and not what.functions and not _is_of_test(unit, call):
            within = call.transaction or (str(call.number) if unit.kind == "session" else "")
            open_.setdefault(what.tables, {}).setdefault((call.sql, call.parameters, call.database, within), []).append(call)
    yield from _closed(open_, set())


def _closed(open_: dict[tuple[str, ...], dict[tuple[object, ...], list[Call]]], tables: set[str]) -> Iterator[Repeated]:
    """Questions that a change of `tables` answers anew; all if none are named."""
    for key in [key for key in open_ if not tables or not tables.isdisjoint(key)]:
        for calls in open_.pop(key).values():
            if len(calls) > 1 and not _is_polling(calls):
                yield Repeated(asked(calls[0].sql), place_of(calls[1]), tuple(calls), calls[1].load)


def _is_polling(calls: list[Call]) -> bool:
    """Asked again until something is there, or every now and then."""
    if all(call.rows == 0 for call in calls[:-1]):
        return True
    pauses = [
        after.started - before.started - (before.seconds or 0.0)
        for before, after in itertools.pairwise(calls)
        if before.started is not None and after.started is not None
    ]
    return calls[-1].loop is not None and bool(pauses) and min(pauses) >= PAUSE_OF_POLLING


def _transactions(unit: Unit) -> Iterator[Transaction]:
    """Whole transactions: both ends in this unit, begun by the user's own code and not by a test."""
    open_: dict[str, list[Call]] = {}
    for call in unit.calls:
        if not call.transaction:
            continue
        what = asked(call.sql)
        if what.command == "begin":
            open_[call.transaction] = [call]
        elif call.transaction in open_:
            open_[call.transaction].append(call)
            if what.command in ENDS:
                calls = open_.pop(call.transaction)
                if not _is_of_test(unit, calls[0]) and not _is_of_test(unit, calls[-1]):
                    yield from _transaction(calls)


def _transaction(calls: list[Call]) -> Iterator[Transaction]:
    timed = [call for call in calls if call.started is not None]
    if len(timed) < 3 or timed[0] is not calls[0] or timed[-1] is not calls[-1]:
        return
    first = timed[1].started or 0.0  # BEGIN is often only noted, and sent with the first statement
    seconds = (timed[-1].started or 0.0) - first
    busy = sum(call.seconds or 0.0 for call in timed[1:-1])
    pauses = [Pause(a, b, max((b.started or 0.0) - (a.started or 0.0) - (a.seconds or 0.0), 0.0)) for a, b in itertools.pairwise(timed)]
    longest = max(pauses, key=lambda pause: pause.seconds)
    lock = next((call for call in timed if _locks(call)), None)
    under = [pause for pause in pauses if lock is not None and pause.before.number >= lock.number]
    idle = max(under, key=lambda pause: pause.seconds, default=None)
    yield Transaction(tuple(calls), seconds, busy, longest, lock, None if lock is None else asked(lock.sql), idle)


def _locks(call: Call) -> bool:
    what = asked(call.sql)
    return not call.error and (what.locks or what.command in {"update", "delete", "merge"}) and call.rows != 0


def _commits(unit: Unit) -> Iterator[Commits]:
    places: dict[object, list[Call]] = {}
    rows: dict[object, int] = {}
    claims: set[object] = set()
    written = 0
    claimed = False
    for call in unit.calls:
        what = asked(call.sql)
        if what.command in WRITES:
            written += max(call.rows or 0, call.many)
        elif what.command == "rollback":
            written, claimed = 0, False
        elif what.command == "commit":
            if call.loop is not None and written and not _is_of_test(unit, call):
                places.setdefault(call.loop, []).append(call)
                rows[call.loop] = rows.get(call.loop, 0) + written
                if claimed:
                    claims.add(call.loop)
            written, claimed = 0, False
        claimed = claimed or what.locks
    for place, calls in places.items():
        if calls[0].loop is not None:
            yield Commits(calls[0].loop, tuple(calls), rows[place], place in claims)


def _counts(unit: Unit) -> Iterator[CountAndPage]:
    """A count of what a page is cut from: the same FROM and WHERE with the same parameters."""
    counts: dict[str, Call] = {}
    pages: dict[str, Call] = {}
    for call in unit.calls:
        what = asked(call.sql)
        if call.error or what.command != "select" or not what.asks_from or _is_of_test(unit, call):
            continue
        key = _plain(what.asks_from)
        if what.counted:
            counts.setdefault(key, call)
        elif what.limited and not what.exists and (what.offset or what.keyset or (call.rows or 2) > 1):
            pages.setdefault(key, call)
    for key, count in counts.items():
        if key in pages:
            yield CountAndPage(count, pages[key], asked(count.sql))


def _plain(words: str) -> str:
    """Django numbers sub-queries; quotes and aliases are of no matter where the tables and conditions are the same."""
    return " ".join(words.split())
