"""Exports of pg_stat_statements to periods, and queries that are executed once per row of another, told by nothing but their numbers.

In: totals, each with its query resolved. Out: `Follower`s. A query that looks rows up by one key, and was executed as often as another
query returned rows with that key, was most likely sent once per row. Ratios other than one say nothing: traffic has a ratio, too.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping

from dbguard.model.calls import Total
from dbguard.model.query import Query, QueryStep
from dbguard.model.units import Asked, Follower, Totals, merged
from dbguard.workload.causality import related
from dbguard.workload.shapes import asked

LEAST_CALLS = 100
LEAST_IN_PERIOD = 50
LEAST_ROWS_PER_CALL = 2.0  # of the query whose rows are followed
OFF = 0.01  # by which numbers of calls and rows differ at most
MONOTONE = 0.9  # of the statements of two exports that must count upwards for the two to be of one server
_TESTS = frozenset({"is_null", "is_not_null"})
Key = tuple[object, ...]
Column = tuple[Key, str]  # what rows it names, and what the column is called


def periods_of(totals: Iterable[Total]) -> Totals:
    """One period of one export or of exports of several servers; of exports of one server what happened between each and the next."""
    exports: dict[str, list[Total]] = {}
    for total in totals:
        exports.setdefault(total.source, []).append(total)
    ordered = sorted((merged(one) for one in exports.values()), key=lambda one: sum(total.calls for total in one))
    if len(ordered) < 2 or not all(_is_later(before, after) for before, after in itertools.pairwise(ordered)):
        return Totals((merged(total for one in ordered for total in one),)) if ordered else Totals()
    return Totals(tuple([difference(before, after) for before, after in itertools.pairwise(ordered)]), ordered[0])


def _is_later(before: Iterable[Total], after: Iterable[Total]) -> bool:
    """Whether two exports are of one server: nearly all statements are in both, and count upwards."""
    later = {(one.sql, one.user, one.database): one.calls for one in after}
    pairs = [(one.calls, later.get((one.sql, one.user, one.database))) for one in before]
    upwards = sum(calls is not None and calls >= earlier for earlier, calls in pairs)
    return bool(pairs) and upwards >= MONOTONE * len(pairs)


def difference(before: Iterable[Total], after: Iterable[Total]) -> tuple[Total, ...]:
    """What was executed between two exports. A statement that counts less than before was reset: all of it is new."""
    earlier = {(total.sql, total.user, total.database): total for total in merged(before)}
    found = []
    for total in merged(after):
        known = earlier.get((total.sql, total.user, total.database))
        new = total
        if known is not None and known.calls <= total.calls:
            new = total._replace(
                calls=total.calls - known.calls, rows=max(0, total.rows - known.rows), seconds=max(0.0, total.seconds - known.seconds)
            )
        if new.calls:
            found.append(new)
    return tuple(found)


def followers_of(totals: Totals, steps: Mapping[str, QueryStep]) -> Iterator[Follower]:
    """Look-ups whose calls are as many as rows of a query that gives their key; `steps` has the query of each text."""
    counts = [{(one.sql, one.user, one.database): one for one in period} for period in (*totals.periods, totals.earlier) if period]
    whole = [one for one in totals.whole if one.calls and one.sql in steps]
    parents = sorted((one for one in whole if one.rows >= max(LEAST_CALLS, LEAST_ROWS_PER_CALL * one.calls)), key=lambda one: one.rows)
    rows = [one.rows for one in parents]
    for child in whole:
        if child.calls < LEAST_CALLS:
            continue
        low, high = bisect_left(rows, child.calls * (1 - OFF)), bisect_right(rows, child.calls * (1 + OFF))
        near = [one for one in parents[low:high] if one is not child and (one.user, one.database) == (child.user, child.database)]
        looked_up = _look_up(steps[child.sql]) if near else None
        if looked_up is None:
            continue
        for parent in sorted(near, key=lambda one: abs(one.rows - child.calls)):
            column = _given(steps[parent.sql], steps[child.sql], looked_up, parent, child)
            agreed = [_agrees(period, child, parent) for period in counts] if column and _is_worth(child) else [False]
            if all(agreed):
                step = steps[child.sql]
                name = step.query.tables()[0].table
                yield Follower(child, step.shape, "" if name is None else str(step.display(name)), looked_up[1], parent, column, len(agreed))
                break


def _is_worth(child: Total) -> bool:
    """Whether there is something to gain: a look-up that finds nothing mostly is a question of its own."""
    return child.rows >= 0.5 * child.calls


def _agrees(period: Mapping[tuple[str, str, str], Total], child: Total, parent: Total) -> bool:
    one, other = period.get((child.sql, child.user, child.database)), period.get((parent.sql, parent.user, parent.database))
    if one is None or other is None or one.calls < LEAST_IN_PERIOD:
        return False
    return abs(one.calls - other.rows) <= OFF * other.rows


def _look_up(step: QueryStep) -> Column | None:
    """The key by which a query looks rows of one table up, if that is all it asks."""
    query = step.query
    if query.unread or len(query.blocks) != 1 or query.command != "select" or len(query.sources) != 1 or len(query.tables()) != 1:
        return None
    column = ""
    for condition in query.main.conditions:
        match condition.tree:
            case ("op", "=", ("at", _, str(name)), ("param", _)) | ("op", "=", ("param", _), ("at", _, str(name))) if not column:
                column = name
            case (str(test), ("at", _, _)) if test in _TESTS:
                continue
            case _:
                return None
    return _column(step, 0, column) if column else None


def _column(step: QueryStep, number: int, name: str) -> Column:
    """What a column names rows of: the key that it refers to, else itself."""
    source = step.query.sources[number]
    name = source.renamed.get(name, name)
    table = step.table(number)
    if table is not None:
        for key in table.foreign_keys():
            if key.columns == (name,) and key.references is not None:
                there = step.state.schema.tables.get(key.references)
                own = there.primary_key if there is not None else None
                column = (key.referenced_columns or (own.columns if own is not None else ()) or ("id",))[0]
                return (key.references, column), name
    return (source.table, name), name


def _given(parent: QueryStep, child: QueryStep, looked_up: Column, of: Total, to: Total) -> str:
    """The column of the parent's result that has the key, "" if none does."""
    query = parent.query
    if query.unread or query.command != "select" or query.main.aggregates or query.main.group:
        return ""
    for output in query.main.outputs:
        place = _base(query, output.tree)
        if place is None:
            continue
        key, name = _column(parent, *place)
        if key == looked_up[0]:
            return name
        if (child.table(0) is None or parent.table(place[0]) is None) and _is_called_alike(query, place, name, asked(of.sql), asked(to.sql)):
            return name
    return ""


def _is_called_alike(query: Query, place: tuple[int, str], name: str, of: Asked, to: Asked) -> bool:
    """Whether names alone say that a column of the parent has the key of the child: `orders.customer_id`, `customers.id`."""
    table = query.sources[place[0]].table
    if name.lower() in {"id", "pk"} and (table is None or table.name not in of.tables[:1]):
        return False
    return related(name, of, to) > 0


def _base(query: Query, tree: tuple[object, ...]) -> tuple[int, str] | None:
    """The table and column that an output shows, through sub-queries."""
    for _ in range(10):
        match tree:
            case ("at", int(number), str(name)):
                source = query.sources[number]
                if source.inner is None:
                    return (number, name) if source.table is not None else None
                inside = source.renamed.get(name, name)
                tree = next((one.tree for one in query.blocks[source.inner].outputs if one.name == inside), ())
            case _:
                return None
    return None
