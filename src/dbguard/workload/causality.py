"""Which earlier result the parameters of repeated calls come from.

In: the calls of one unit, in order. Out: a `Parent`, a result of several rows one of whose columns covers the parameters; and whether
calls feed themselves, as a walk up or down a tree does, or each come from a result of a single row.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from dbguard.model.calls import Call, Load
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
        self._per_row: dict[int, int] = {}  # number of a call to that of its group
        self._values: dict[str, dict[str, set[str]]] = {}
        self.eager = {(call.load.owner, call.load.relationship) for call in calls if call.load is not None and call.load.event == "eager"}
        for call in calls:
            if call.results and not call.error:
                self._by_shape.setdefault(asked(call.sql).key, []).append(call)

    def found(self, calls: Sequence[Call], group: int) -> None:
        """These calls are sent once per row, so their single rows are rows of one list."""
        for call in calls:
            self._per_row.setdefault(call.number, group)

    def parent(self, group: Sequence[Call], of: Asked) -> Parent | None:
        """The best parent: it gives objects of the class whose relationship is loaded, its column is called like the one that the calls
        look up, it covers most, and it is the latest."""
        wanted = varying(group)
        if not wanted:
            return None
        load = group[0].load if group[0].load is not None and group[0].load.event in {"lazy", "column"} else None
        best: tuple[tuple[bool, int, float, int], Parent] | None = None
        for calls in list(self._earlier(group, of.key, wanted))[-MOST_SHAPES:]:
            source = asked(calls[0].sql)
            for column, seen in first_seen(calls).items():
                if len(seen) < 2:
                    continue
                covered = max(sum(seen.get(value, number) < number for value, number in one.items()) / len(one) for one in wanted)
                if covered < COVERED:
                    continue
                rank = (holds(calls[0], load), related(column, source, of), covered, calls[-1].number)
                if best is None or rank > best[0]:
                    best = rank, Parent(calls[0], source, column, len(seen), covered, self._per_row.get(calls[0].number, -1))
        return best[1] if best else None

    def _earlier(self, group: Sequence[Call], own: str, wanted: list[dict[str, int]]) -> Iterator[list[Call]]:
        """The results of several rows of each other shape, if all of its results together have what is wanted."""
        first, last = group[0].number, group[-1].number
        mine = {call.number for call in group}
        for shape, every in self._by_shape.items():
            calls = [call for call in every if call.number in self._per_row and call.number not in mine] if shape == own else every
            if not calls or calls[0].number >= first:
                continue
            if not any(len(one.keys() & seen) >= COVERED * len(one) for seen in self._values_of(shape).values() for one in wanted):
                continue
            several = [call for call in calls if call.number < last and (call.number in self._per_row or (call.rows or rows_of(call)) > 1)]
            if several and several[0].number < first:
                yield several

    def _values_of(self, shape: str) -> dict[str, set[str]]:
        if shape not in self._values:
            self._values[shape] = {column: set(values) for column, values in columns(self._by_shape[shape]).items()}
        return self._values[shape]

    def of_class(self, name: str, load: Load, before: Call) -> Call | None:
        """The latest query of objects of a class whose rows nobody saw, as those that a cursor on the server gives one by one."""
        names = {name} if load.path else {name, *load.classes}
        for one in reversed(self.calls[: self.at[before.number]]):
            if one.load is not None and one.load.event == "" and one.load.owner in names and not one.results and one.rows is None and not one.error:
                return one
        return None

    def from_single_rows(self, group: Sequence[Call], *, surely: bool) -> bool:
        """Whether each call follows a result of one row of its own that has its parameter: one object after the other, each with what
        belongs to it. `surely` if more than the numbers must tell so."""
        explained, taken = 0, set[int]()
        for call in group:
            index = self.at[call.number]
            for one in reversed(self.calls[max(0, index - MOST_BETWEEN) : index]):
                if one.number not in taken and one.results and (one.rows or rows_of(one)) == 1 and _gives(one, call, surely=surely):
                    taken.add(one.number)
                    explained += 1
                    break
        return explained >= COVERED * len(group)


def _gives(one: Call, call: Call, *, surely: bool) -> bool:
    given = set(call.parameters or ()) - _NOT_A_VALUE
    columns_ = [result.column for result in one.results if given & set(result.values)]
    if not columns_ or not surely:
        return bool(columns_)
    return holds(one, call.load) or any(related(column, asked(one.sql), asked(call.sql)) for column in columns_)


def holds(call: Call, load: Load | None) -> bool:
    """Whether the rows of a call are objects of the class whose attribute is loaded, as far as the ORM or the name of the table tells."""
    if load is None or not load.owner:
        return False
    if call.load is not None and call.load.event == "" and call.load.owner in {load.owner, *load.classes}:
        return True
    name = load.owner.lower().removesuffix("y")
    return any(name in table.lower().replace("_", "") for table in asked(call.sql).tables[:1])


def rows_of(call: Call) -> int:
    return max((len(result.values) for result in call.results), default=0)


def columns(calls: Sequence[Call]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for call in calls:
        for result in call.results:
            found.setdefault(result.column, []).extend(result.values)
    return found


def first_seen(calls: Sequence[Call]) -> dict[str, dict[str, int]]:
    """By column, each value and the number of the call whose result had it first; without rows that only repeat what was asked for."""
    found: dict[str, dict[str, int]] = {}
    for call in calls:
        for result in call.results:
            values = result.values
            if len(values) > 1 and values[0] in (call.parameters or ()) and values.count(values[0]) == len(values):
                continue
            seen = found.setdefault(result.column, {})
            for value in values:
                if value not in _NOT_A_VALUE:
                    seen.setdefault(value, call.number)
    return found


def varying(group: Sequence[Call]) -> list[dict[str, int]]:
    """At each position of the parameters that is not the same in all calls, the values and the number of the first call with each."""
    width = min((len(call.parameters or ()) for call in group), default=0)
    found = []
    for at in range(min(width, 50)):
        first: dict[str, int] = {}
        for call in group:
            value = (call.parameters or ())[at]
            if value not in _NOT_A_VALUE:
                first.setdefault(value, call.number)
        if len(first) > 1:
            found.append(first)
    return found


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


def is_walk(group: Sequence[Call]) -> bool:
    """Whether each call asks for what the one before it has found, in one column: the way is not known beforehand."""
    fed: dict[str, int] = {}
    for before, call in itertools.pairwise(group):
        given = set(call.parameters or ()) - _NOT_A_VALUE
        for result in before.results if rows_of(before) == 1 else ():
            fed[result.column] = fed.get(result.column, 0) + bool(given & set(result.values) - set(before.parameters or ()))
    return len(group) > 2 and max(fed.values(), default=0) >= COVERED * (len(group) - 1)


def _points_at_itself(column: str, of: Asked) -> bool:
    looked_up = [one for one in of.equal if one not in {"id", "pk"}]
    pairs = looked_up if column in {"id", "pk"} else [column]
    return any(_UP.search(one.lower()) or any(_names(one.lower(), table) for table in of.tables[:1]) for one in pairs)
