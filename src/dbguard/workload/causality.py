"""Which earlier result the parameters of repeated calls come from.

In: the calls of one unit, in order. Out: a `Parent`, a result of several rows one of whose columns covers the parameters; and whether
calls feed themselves, as a walk up or down a tree does, or each come from a result of a single row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dbguard.model.calls import Call
from dbguard.model.units import Asked, Parent
from dbguard.workload.shapes import asked

COVERED = 0.8
FEEDS = 0.5
MOST_SHAPES = 400
MOST_BETWEEN = 60  # calls between two of a group that are looked at
_NOT_A_VALUE = {"", "?"}
_NUMBERED = re.compile(r"_\d+$")
_UP = re.compile(r"(?:^|_)(?:parent|manager|boss|supervisor|ancestor|root|reply_to|in_reply_to|reports_to|superior|container|previous|next)(?:_|$)")


class Results:
    """The results of a unit by shape. A shape counts as of several rows if one of its results has them, or it is sent once per row itself."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self.at = {call.number: index for index, call in enumerate(calls)}
        self._by_shape: dict[str, list[Call]] = {}
        self._per_row: dict[str, int] = {}  # shape to the number of its group
        self._values: dict[str, dict[str, set[str]]] = {}
        for call in calls:
            if call.results and not call.error:
                self._by_shape.setdefault(asked(call.sql).key, []).append(call)

    def found(self, shape: str, group: int) -> None:
        """The calls of this shape are sent once per row, so their single rows are rows of one list."""
        self._per_row.setdefault(shape, group)

    def parent(self, group: Sequence[Call], of: Asked) -> Parent | None:
        """The best parent: it gives objects of the class whose relationship is loaded, its column is called like the one that the calls
        look up, it covers most, and it is the latest."""
        wanted = varying(group)
        if not wanted:
            return None
        owner = group[0].load.owner if group[0].load is not None and group[0].load.event in {"lazy", "column"} else ""
        best: tuple[tuple[bool, int, float, int], Parent] | None = None
        for calls in list(self._earlier(group, of.key, wanted))[-MOST_SHAPES:]:
            source = asked(calls[0].sql)
            for column, values in columns(calls).items():
                seen = set(values) - _NOT_A_VALUE
                if len(seen) < 2:
                    continue
                covered = max(len(one & seen) / len(one) for one in wanted)
                if covered < COVERED:
                    continue
                rank = (holds(calls[0], owner), related(column, source, of), covered, calls[-1].number)
                if best is None or rank > best[0]:
                    best = rank, Parent(calls[0], source, column, len(values), covered, self._per_row.get(source.key, -1))
        return best[1] if best else None

    def _earlier(self, group: Sequence[Call], own: str, wanted: list[frozenset[str]]) -> Iterator[list[Call]]:
        """The results of several rows of each other shape, if all of its results together have what is wanted."""
        first, last = group[1].number, group[-1].number
        for shape, calls in self._by_shape.items():
            if shape == own or calls[0].number >= first:
                continue
            if not any(len(one & seen) >= COVERED * len(one) for seen in self._values_of(shape).values() for one in wanted):
                continue
            per_row = shape in self._per_row
            several = [call for call in calls if call.number < last and (per_row or (call.rows or rows_of(call)) > 1)]
            if several and several[0].number < first:
                yield several

    def _values_of(self, shape: str) -> dict[str, set[str]]:
        if shape not in self._values:
            self._values[shape] = {column: set(values) for column, values in columns(self._by_shape[shape]).items()}
        return self._values[shape]

    def from_single_rows(self, group: Sequence[Call]) -> bool:
        """Whether each call follows a result of one row that has its parameter: one object after the other, each with what belongs to it."""
        before, explained = 0, 0
        for call in group:
            index = self.at[call.number]
            given = set(call.parameters or ()) - _NOT_A_VALUE
            singles = [one for one in self.calls[max(before, index - MOST_BETWEEN) : index] if one.results and (one.rows or rows_of(one)) == 1]
            explained += any(given & set(result.values) for one in singles for result in one.results)
            before = index + 1
        return explained >= COVERED * len(group)


def holds(call: Call, owner: str) -> bool:
    """Whether the rows of a call are objects of a class, as far as the ORM or the name of the table tells."""
    if not owner:
        return False
    if call.load is not None and call.load.event == "" and call.load.owner == owner:
        return True
    name = owner.lower()
    name = name.removesuffix("y")
    return any(name in table.lower().replace("_", "") for table in asked(call.sql).tables[:1])


def rows_of(call: Call) -> int:
    return max((len(result.values) for result in call.results), default=0)


def columns(calls: Sequence[Call]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for call in calls:
        for result in call.results:
            found.setdefault(result.column, []).extend(result.values)
    return found


def varying(group: Sequence[Call]) -> list[frozenset[str]]:
    """The values at each position of the parameters that is not the same in all calls."""
    width = min((len(call.parameters or ()) for call in group), default=0)
    sets = [frozenset((call.parameters or ())[at] for call in group) - _NOT_A_VALUE for at in range(min(width, 50))]
    return [one for one in sets if len(one) > 1]


def related(column: str, source: Asked, of: Asked) -> int:
    """2 if the name of a result's column goes with a column that the calls look up: `customer_id` with `customers.id`, or the other way round."""
    column = _NUMBERED.sub("", column).lower()
    for wanted in (one.lower() for one in of.equal):
        if wanted == column and wanted != "id":
            return 2
        if wanted in {"id", "pk"} and any(_names(column, table) for table in of.tables):
            return 2
        if column in {"id", "pk"} and any(_names(wanted, table) for table in source.tables[:1]):
            return 2
    return 0


def _names(column: str, table: str) -> bool:
    """Whether `customer_id` speaks of a table `customers` or `shop_customer`."""
    stem = re.sub(r"_(?:id|uuid|pk)$", "", column)
    return stem != column and len(stem) > 1 and (stem in table.lower() or table.lower().rstrip("s") in stem)


def is_tree(group: Sequence[Call], of: Asked) -> bool:
    """Whether parameters of later calls come from results of earlier ones, along a column that points at the same table."""
    seen: dict[str, set[str]] = {}
    fed: dict[str, int] = {}
    asked_before: set[tuple[str, ...]] = set()
    later = 0
    for index, call in enumerate(group):
        given = set(call.parameters or ()) - _NOT_A_VALUE
        if index and call.parameters not in asked_before:
            later += 1
            for column, values in seen.items():
                fed[column] = fed.get(column, 0) + bool(given & values)
        asked_before.add(call.parameters or ())
        for result in call.results:
            seen.setdefault(_NUMBERED.sub("", result.column), set()).update(set(result.values) - _NOT_A_VALUE)
    return any(count >= FEEDS * later and _points_at_itself(column, of) for column, count in fed.items() if later)


def _points_at_itself(column: str, of: Asked) -> bool:
    looked_up = [one for one in of.equal if one not in {"id", "pk"}]
    pairs = looked_up if column in {"id", "pk"} else [column]
    return any(_UP.search(one.lower()) or any(_names(one.lower(), table) for table in of.tables[:1]) for one in pairs)
