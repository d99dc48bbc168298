"""Units of work and totals to the distinct queries in them, in bounded memory: how often, how long, from where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model.calls import Call, Frame, Total, Unit
from dbguard.model.record import Record
from dbguard.parsing.query.shapes import shape_of
from dbguard.workload.shapes import asked

MOST_SHAPES = 10_000
MOST_PLACES = 10
MOST_TEXTS = 4
_SETS_UP = frozenset(["setup", "teardown"])
_WITHOUT_CODE = frozenset(["session", "trace"])  # units of sources that know no line of code
_OF_SESSION = frozenset(["begin", "commit", "rollback", "control"])
_CONTROL = frozenset(["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ABORT"])


class Told(Record):
    """One shape of a workload, and how often and from where it was sent."""

    shape: str
    sql: str
    calls: int = 0
    units: int = 0
    seconds: float | None = None
    rows: int | None = None
    places: tuple[Frame, ...] = ()  # the first ones by path and line, so that they do not depend on what ran first
    findings: tuple[str, ...] = ()
    seen: tuple[str, int] = ("", 0)  # the line of a log, trace or export that first had it, where no line of code is known


class Shapes:
    """The distinct queries of units that pass by."""

    def __init__(self) -> None:
        self.told: dict[str, Told] = {}
        self._keys: dict[str, str] = {}
        self._texts: dict[str, dict[Frame, list[str]]] = {}  # with literals, by shape and place

    def passing(self, units: Iterable[Unit]) -> Iterator[Unit]:
        for unit in units:
            if unit.phase not in _SETS_UP:
                seen: set[str] = set()
                is_coded = unit.kind not in _WITHOUT_CODE
                for call in unit.calls:
                    self._take(call, seen, is_coded=is_coded)
            yield unit

    def key(self, sql: str) -> str:
        """The key of a text's shape; "" for control of transactions."""
        key = self._keys.get(sql)
        if key is None:
            first = sql.lstrip()[:10].split(maxsplit=1)
            is_control = bool(first) and first[0].upper().rstrip(";") in _CONTROL
            if len(self._keys) >= 10 * MOST_SHAPES:
                self._keys.clear()
            key = self._keys[sql] = "" if is_control else shape_of(sql).key
        return key

    def _known(self, key: str, sql: str) -> Told | None:
        known = self.told.get(key)
        return known or (Told(key, sql) if len(self.told) < MOST_SHAPES else None)

    def _take(self, call: Call, seen: set[str], *, is_coded: bool) -> None:
        key = self.key(call.sql)
        known = self._known(key, call.sql) if key else None
        if known is None:
            return
        place = call.frames[0] if call.frames else None
        self.told[key] = known._replace(
            calls=known.calls + call.many,
            units=known.units + (key not in seen),
            seconds=_sum(known.seconds, call.seconds),
            rows=None if (rows := _sum(known.rows, call.rows)) is None else int(rows),
            places=known.places if place is None or place in known.places else tuple(sorted((*known.places, place)))[:MOST_PLACES],
            seen=known.seen if known.seen[1] or is_coded else (call.source, call.line),
        )
        seen.add(key)
        if place is not None and is_coded and "'" in call.sql:
            texts = self._texts.setdefault(key, {}).setdefault(place, [])
            if len(texts) < MOST_TEXTS and call.sql not in texts:
                texts.append(call.sql)

    def variants(self, key: str) -> tuple[str, ...]:
        """Texts of one shape that one line sent, if it sent several."""
        return next((tuple(texts) for texts in self._texts.get(key, {}).values() if len(texts) > 1), ())

    def take_totals(self, totals: Iterable[Total]) -> None:
        """Adds what a server counted. Where calls of the same shape are known too, the server's numbers stand for all."""
        counted: set[str] = set()
        for total in totals:
            what = asked(total.sql)
            key = what.key
            known = None if what.command in _OF_SESSION or what.catalog else self._known(key, total.sql)
            if known is None:
                continue
            if key not in counted:
                known = known._replace(calls=0, seconds=None, rows=None)
                counted.add(key)
            self.told[key] = known._replace(
                calls=known.calls + total.calls,
                seconds=_sum(known.seconds, total.seconds),
                rows=(known.rows or 0) + total.rows,
                seen=known.seen if known.seen[1] else (total.source, total.line),
            )


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other
