"""Which index serves each table of a query, which tables none serves, and which index would.

A table is reached by an index if conditions on its own values bind the index's first key, or if they do once other tables have been
read. What remains and has conditions that pick rows lacks an index; what has none is read in full. Tables whose indexes are not
known give no answer. Whether an index is worth its writes depends on sizes, which are not known here.
"""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.expression import Tree, walk
from dbguard.model.query import Access, Candidate, Clause, Query, Serving, Use
from dbguard.model.schema import Table
from dbguard.model.state import State
from dbguard.queries import candidates
from dbguard.queries.clauses import _named, clauses_of
from dbguard.queries.matching import EQUALITIES, Wanted, use
from dbguard.queries.regions import Region, regions

MOST_TABLES = 60
MOST_COMPARED = 6  # tables without an index of which the best to begin with is chosen


def serving(query: Query, state: State) -> Serving:
    """How each table of the query is read; nothing for one whose names were not found."""
    if query.unread or not query.blocks:
        return Serving()
    accesses: list[Access] = []
    found: list[Candidate] = []
    for region in regions(query):
        work = _Region(query, state, region)
        accesses += work.accesses()
        found += work.candidates()
    return Serving(tuple(accesses), tuple(found))


class _Region:
    def __init__(self, query: Query, state: State, region: Region) -> None:
        self.query, self.state, self.region = query, state, region
        numbers = [number for number in region.sources if query.sources[number].kind == "table"][:MOST_TABLES]
        self.tables: dict[int, Table] = {number: state.schema.table(query.sources[number].table) for number in numbers}  # type: ignore[arg-type]
        self.clauses = clauses_of(query, region)
        self.uses: dict[int, Use] = {}
        self.ways: dict[int, str] = {}
        self.missing: dict[int, str] = {}
        self.before: dict[int, set[int]] = {}  # what was read before a table for which an index is missing
        self.reached: set[int] = {number for number in region.sources if number not in self.tables}
        self.followed = {number: self._conditions(number) for number in numbers}
        self._settle()

    # -- reading

    def _settle(self) -> None:
        self._spread(set())
        waiting = [number for number in self.tables if number not in self.reached]
        while waiting:
            number = self._next(waiting)
            if number is None:
                break
            self.reached.add(number)
            self._spread(set())
            waiting = [one for one in self.tables if one not in self.reached]
        for number in self.tables:
            if number not in self.ways and number not in self.missing:
                self.ways[number] = self._full(number)

    def _spread(self, assumed: set[int]) -> set[int]:
        """Read what an index reaches, and from there what can be joined to it."""
        reached = self.reached | assumed if assumed else self.reached
        progress = True
        while progress:
            progress = False
            for number in self.tables:
                if number in reached:
                    continue
                found = self._best(number, reached)
                if found is not None and found.first:
                    reached.add(number)
                    progress = True
                    if not assumed:
                        joined = any(clause.needs for clause in found.clauses)
                        self.uses[number], self.ways[number] = found, "join" if joined else "filter"
        return reached

    def _next(self, waiting: list[int]) -> int | None:
        """The table that lacks an index and, were it there, would let most others be reached."""
        lacking = [(number, self._lacks(number)) for number in waiting]
        lacking = [(number, why) for number, why in lacking if why]
        if not lacking:
            return None
        first = ([one for one in lacking if one[1] == "filter"] or lacking)[:MOST_COMPARED]
        number, why = max(first, key=lambda one: (len(self._spread({one[0]})), -one[0]))
        self.missing[number] = why
        self.before[number] = set(self.reached)
        return number

    def _lacks(self, number: int) -> str:
        """Why an index is missing: rows are picked by a value, or by a table that was reached; "" if none is."""
        table = self.tables[number]
        if not _is_judged(table):
            return ""
        own = [clause for clause in self.clauses[number] if not clause.needs and self._picks(clause, table)]
        if any(clause.parameter for clause in own):
            return "filter"
        entered = set(self.missing) | {one for one, way in self.ways.items() if way in {"filter", "join"} and self._is_narrow(one)}
        joins = [
            clause
            for clause in self.clauses[number]
            if clause.needs and clause.needs <= self.reached and clause.needs & entered and self._picks(clause, table)
        ]
        return "join" if joins else ""

    def _is_narrow(self, number: int) -> bool:
        found = self.uses.get(number)
        return found is not None and any(clause.kind in EQUALITIES and (clause.parameter or clause.needs) for clause in found.clauses)

    def _picks(self, clause: Clause, table: Table) -> bool:
        """Whether an index could find a small part of the table by the clause."""
        if clause.kind not in {"equal", "in"} or clause.spoiled or clause.key[0] != "column":
            return False
        column = table.columns.get(clause.key[1])
        kind = None if column is None else column.type.builtin
        return column is not None and kind not in {"bool", "json", "xml", "point", "polygon", "box", "circle"} and not column.type.array

    def _full(self, number: int) -> str:
        if not self.tables[number].known:
            return "unknown"
        picks = [clause for clause in self.clauses[number] if not clause.needs and clause.kind != "not null"]
        return "none" if picks or self._others(number) else "all"

    def _best(self, number: int, reached: Iterable[int]) -> Use | None:
        table = self.tables[number]
        if not table.known:
            return None
        there = set(reached)
        given = [clause for clause in self.clauses[number] if clause.needs <= there]
        wanted = Wanted(given, self.followed[number])
        found = [one for index in table.indexes.values() if (one := use(index, table, wanted)) is not None]
        best = max(found, key=lambda one: (one.first, one.equal, one.range, len(one.clauses)), default=None)
        if best is not None and best.first:
            return best
        return self._either(number, given) or best

    def _either(self, number: int, given: list[Clause]) -> Use | None:
        """An OR whose every arm an index serves (BitmapOr)."""
        from dbguard.queries.clauses import clauses

        table = self.tables[number]
        for condition in self.region.conditions:
            if condition.tree[0] != "or" or (condition.side and number not in condition.side):
                continue
            used: list[Use] = []
            for arm in condition.tree[1:]:
                parts = arm[1:] if arm[0] == "and" else (arm,)
                own = [one for part in parts for one in clauses(self.query, condition._replace(tree=part), self.region) if one.source == number]
                own = [one for one in own if not one.needs]
                known = [*self.followed[number], *[_named(part, self.query.sources[number]) for part in parts]]
                fits = [
                    one for index in table.indexes.values() if (one := use(index, table, Wanted([*own, *given], known))) is not None and one.first
                ]
                fits = [one for one in fits if any(clause in own for clause in one.clauses)]
                if not fits:
                    break
                used.append(max(fits, key=lambda one: one.equal))
            else:
                return used[0]._replace(clauses=tuple([clause for one in used for clause in one.clauses]))
        return None

    def _conditions(self, number: int) -> list[Tree]:
        """What holds for every row that the query wants of the table, in the table's own names."""
        source = self.query.sources[number]
        found = []
        for condition in self.region.conditions:
            if condition.full or (condition.side and number not in condition.side):
                continue
            if any(node[0] == "at" and node[1] == number for node in walk(condition.tree)):
                found.append(_own(condition.tree, number, self.query))
        return found + [("op", "=", clause.key, clause.value) for clause in self.clauses.get(number, ()) if clause.kind == "equal" and source]

    def _others(self, number: int) -> tuple[Tree, ...]:
        """Conditions on the table alone that say nothing an index could use."""
        used = {clause.condition for clause in self.clauses[number] if not clause.spoiled}
        found = []
        for condition in self.region.conditions:
            numbers = {node[1] for node in walk(condition.tree) if node[0] == "at"}
            if numbers == {number} and condition.tree not in used:
                found.append(condition.tree)
        return tuple(found)

    # -- answers

    def accesses(self) -> list[Access]:
        found = []
        for number, table in self.tables.items():
            source = self.query.sources[number]
            assert source.table is not None
            best = self.uses.get(number) or self._best(number, self.reached)
            way = "none" if number in self.missing else self.ways.get(number, "all")
            clauses = tuple(self.clauses[number])
            close = candidates.close_indexes(table, clauses) if number in self.missing else ()
            found.append(Access(number, source.table, best, way, clauses, close, self._others(number)))
        return found

    def candidates(self) -> list[Candidate]:
        found = []
        for number, why in self.missing.items():
            before = self.before[number]
            usable = [clause for clause in self.clauses[number] if self._picks(clause, self.tables[number]) and clause.needs <= before]
            wanted = [clause for clause in usable if not clause.needs] if why == "filter" else usable
            order = self._order(number) if self.region.limited else ()
            made = candidates.for_clauses(
                self.query.sources[number], self.tables[number], wanted, self.clauses[number], order=order, state=self.state
            )
            if made is not None:
                close = candidates.close_indexes(self.tables[number], tuple(usable))
                found.append(made._replace(why=why, close=close))
        if not found:
            made = self._for_order()
            found += [made] if made is not None else []
        return found

    def _order(self, number: int) -> tuple[tuple[Tree, bool, bool], ...]:
        """The order wanted, if it is by columns of this table alone."""
        source = self.query.sources[number]
        keys = []
        for tree, descending, nulls_first in self.region.order:
            if {node[1] for node in walk(tree) if node[0] in {"at", "row of"}} != {number}:
                return ()
            keys.append((_named(tree, source), descending, nulls_first))
        return tuple(keys)

    def _for_order(self) -> Candidate | None:
        """ORDER BY ... LIMIT over a table that nothing narrows, in an order that no index gives."""
        if not self.region.limited or not self.region.order:
            return None
        number = next((node[1] for node in walk(self.region.order[0][0]) if node[0] == "at"), None)
        order = self._order(number) if number in self.tables else ()
        if number is None or not order or not _is_judged(self.tables[number]) or self._is_cut():
            return None
        if any(self._is_narrow(one) for one in self.ways if self.ways[one] in {"filter", "join"}) or not all(
            tree[0] == "column" for tree, _, _ in order
        ):
            return None
        table = self.tables[number]
        given = [clause for clause in self.clauses[number] if not clause.needs]
        wanted = Wanted(given, self.followed[number], order)
        if any((one := use(index, table, wanted)) is not None and (one.sorted or one.first) for index in table.indexes.values()):
            return None
        made = candidates.for_clauses(self.query.sources[number], table, [], given, order=order, state=self.state)
        return None if made is None else made._replace(why="order")

    def _is_cut(self) -> bool:
        """Whether the block sorts something other than the table's rows: groups, aggregates, distinct rows."""
        block = self.query.blocks[self.region.blocks[0]]
        return bool(block.group or block.aggregates or block.distinct or block.distinct_on or block.windows)


def _is_judged(table: Table) -> bool:
    return table.known and table.kind in {"table", "partitioned table"} and table.persistence != "temporary"


def _own(tree: Tree, number: int, query: Query) -> Tree:
    """Columns of one table under their own names; those of others stay what they are."""
    if tree[0] == "at":
        if tree[1] != number:
            return tree
        source = query.sources[number]
        return ("column", source.renamed.get(tree[2], tree[2]))
    return tuple([_own(part, number, query) if type(part) is tuple and part and type(part[0]) is str else part for part in tree])
