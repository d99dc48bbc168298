"""Calls of sessions to units of work, handed on as soon as they end.

A session of a log is cut where it is idle for `IDLE` outside a transaction, where a transaction ended a little earlier, where the
route or trace in the tags changes, and where it grows too long. No more than `MOST_OPEN` calls are kept in memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from dbguard.model.calls import Call, Unit

IDLE = 0.25
IDLE_AFTER_COMMIT = 0.02
IDLE_IN_TRANSACTION = 600.0
MOST_CALLS = 5_000
MOST_OPEN = 60_000
_SWEEP = 4_096
_CONTROL = re.compile(
    r"\s*(?:(BEGIN|START\s+TRANSACTION)|(COMMIT|END|ABORT|ROLLBACK(?!\s+(?:(?:WORK|TRANSACTION)\s+)?TO\b)|PREPARE\s+TRANSACTION))\b", re.IGNORECASE
)
Tags = tuple[tuple[str, str], ...]
_STARTS = frozenset(
    a + b for word in ("BE", "ST", "CO", "EN", "AB", "RO", "PR") for a in (word[0], word[0].lower()) for b in (word[1], word[1].lower())
)


class Open:
    """The unit of a session that is being filled."""

    __slots__ = ("after_commit", "calls", "key", "last", "route", "session", "transaction", "virtual")

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.last = 0.0
        self.key = ""
        self.session = ""
        self.route = ""
        self.transaction = ""
        self.virtual = False
        self.after_commit = False


class Cutter:
    """Takes calls of any session in the order of the log. Finished units are in `ready`."""

    def __init__(self) -> None:
        self._open: dict[str, Open] = {}
        self._calls = 0
        self._number = 0
        self._units = 0
        self._transactions = 0
        self.ready: list[Unit] = []
        self.seconds = 0.0

    def add(self, session: str, call: Call, virtual: str = "") -> None:
        """Takes a call. Its number, unit and transaction are set here; `virtual` is the virtual transaction id, "" if not known or none."""
        calls, number, key, transaction = self.place(session, call.sql, call.started, call.seconds, call.tags, virtual, failed=call.error != "")
        calls.append(call._replace(number=number, unit=key, transaction=transaction))

    def place(  # noqa: PLR0917 - called for every call of a log
        self, session: str, sql: str, begun: float | None, seconds: float | None, tags: Tags, virtual: str, *, failed: bool
    ) -> tuple[list[Call], int, str, str]:
        """Where a call belongs: the list it must be added to at once, its number, the key of its unit, its transaction."""
        if self._number % _SWEEP == 0:
            self._sweep()
        unit = self._open.get(session)
        if unit is None:
            unit = self._open[session] = Open()
        calls = unit.calls
        if not calls:
            self._start(session, unit, tags)
        elif len(calls) >= MOST_CALLS or self._is_over(unit, tags, begun):
            self._hand_on(unit)
            self._start(session, unit, tags)
        if begun is not None:
            unit.last = last = begun + (seconds or 0.0)
            if last > self.seconds:  # noqa: PLR1730 - twice as fast as max, for every call
                self.seconds = last
        self._number += 1
        self._calls += 1
        unit.after_commit = False
        if sql[:2] in _STARTS:
            transaction = self._controlled(unit, sql)
        else:
            transaction = unit.transaction
        if virtual and not transaction and not failed:
            unit.virtual = True
            transaction = f"v{virtual}"
        return unit.calls, self._number, unit.key, transaction

    def _start(self, session: str, unit: Open, tags: Tags) -> None:
        self._units += 1
        unit.key = f"{session}#{self._units}"
        unit.session = session
        unit.route = _route(tags) if tags else ""

    @staticmethod
    def _is_over(unit: Open, tags: Tags, begun: float | None) -> bool:
        if tags:
            route = _route(tags)
            if route and route != unit.route and not unit.transaction:
                if unit.route:
                    return True
                unit.route = route
        if begun is None:
            return False
        gap = begun - unit.last
        return gap > (IDLE_IN_TRANSACTION if unit.transaction else IDLE_AFTER_COMMIT if unit.after_commit else IDLE)

    def _controlled(self, unit: Open, sql: str) -> str:
        """The transaction of a statement that may begin or end one."""
        control = _CONTROL.match(sql)
        if control is not None and control[1] and not unit.transaction:
            self._transactions += 1
            unit.transaction = f"t{self._transactions}"
        elif control is not None and control[2]:
            transaction, unit.transaction = unit.transaction, ""
            unit.after_commit = True
            return transaction
        return unit.transaction

    def _hand_on(self, unit: Open, name: str = "", kind: str = "session") -> None:
        calls = unit.calls
        if unit.virtual:
            counts = Counter(call.transaction for call in calls)
            calls = [_autocommitted(call) if call.transaction[:1] == "v" and counts[call.transaction] == 1 else call for call in calls]
        self._calls -= len(calls)
        self.ready.append(Unit(unit.key, name or _named(calls) or unit.session, kind, calls=tuple(calls)))
        unit.calls = []
        unit.virtual = False

    def end(self, session: str, name: str = "", kind: str = "session") -> None:
        """The session is over, or the request that used it."""
        unit = self._open.pop(session, None)
        if unit is not None and unit.calls:
            self._hand_on(unit, name, kind)

    def _sweep(self) -> None:
        for unit in self._open.values():
            if unit.calls and self.seconds - unit.last > (IDLE_IN_TRANSACTION if unit.transaction else 10.0):
                self._hand_on(unit)
        if self._calls > MOST_OPEN:
            for unit in sorted(self._open.values(), key=lambda unit: -len(unit.calls)):
                if self._calls < MOST_OPEN // 2:
                    break
                self._hand_on(unit)
        if len(self._open) > MOST_OPEN:
            self._open = {session: unit for session, unit in self._open.items() if unit.calls or unit.transaction}

    def close(self) -> None:
        for session in list(self._open):
            self.end(session)

    def taken(self) -> Iterator[Unit]:
        """The finished units, once."""
        ready = self.ready[:]
        self.ready.clear()
        yield from ready


def _route(tags: Tags) -> str:
    if len(tags) == 1 and tags[0][0] == "application":  # the same for all of a connection
        return ""
    found = dict(tags)
    return found.get("traceparent", "")[3:35] or _name(tags)


def _name(tags: Tags) -> str:
    if len(tags) == 1 and tags[0][0] == "application":
        return ""
    found = dict(tags)
    return found.get("route") or "#".join(filter(None, (found.get("controller"), found.get("action")))) or found.get("job", "")


_AT = Call._fields.index("transaction")


def _autocommitted(call: Call) -> Call:
    """`call._replace(transaction="")`, for every call of a log."""
    return tuple.__new__(Call, (*call[:_AT], "", *call[_AT + 1 :]))


def _named(calls: list[Call]) -> str:
    return next((name for call in calls if call.tags and (name := _name(call.tags))), "")
