"""Whether what a query returns is bounded, or grows with a table.

Bounded by LIMIT, by an aggregate, by keys: a table of which equality gives one row for values that are known, then the tables that follow
from it by their keys. Rows of one parent (`customer_id = $1`) are taken as bounded by their parent. Not having a LIMIT says nothing by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dbguard.model.expression import Tree, walk
from dbguard.model.names import Name
from dbguard.model.query import Block, Clause, Condition, Growth, Query, Source
from dbguard.model.schema import Table
from dbguard.model.state import State
from dbguard.queries.clauses import clauses, clauses_of
from dbguard.queries.regions import Region, regions

_EQUAL = frozenset({"equal", "in", "truth"})
_NARROWING = _EQUAL | {"contains", "array"}
_LOOKUP_COLUMNS = 6
_TIMES = frozenset({"created_at", "updated_at", "createdat", "updatedat", "inserted_at", "deleted_at", "modified_at"})
_FEW_VALUES = re.compile(
    r"(?:^|_)(?:status|state|type|kind|category|phase|level|mode|active|enabled|disabled|deleted|archived|priority)$", re.IGNORECASE
)
_NOW = frozenset({"now", "current_timestamp", "current_date", "localtimestamp", "statement_timestamp", "clock_timestamp", "transaction_timestamp"})
_SMALL_KEYS = frozenset({"int2", "int4", "text", "varchar", "bpchar"})


class Facts:
    """What is asked several times about one query: its regions and clauses."""

    def __init__(self, query: Query, state: State, small: frozenset[tuple[str, str]] = frozenset()) -> None:
        self.query, self.state, self.small = query, state, small
        self.regions = {number: region for region in regions(query) for number in region.blocks}
        self._bounded: dict[int, Growth] = {}

    def block(self, number: int) -> Growth:
        """Whether the rows of a block are bounded."""
        if number not in self._bounded:
            self._bounded[number] = Growth(bounded=True, how="values")  # of a recursive CTE: what its first arm says
            self._bounded[number] = self._of_block(self.query.blocks[number])
        return self._bounded[number]

    def _of_block(self, block: Block) -> Growth:
        limit = _limit(block)
        if limit:
            return Growth(bounded=True, how=limit)
        if block.command == "values":
            return Growth(bounded=True, how="values")
        if block.arms:
            return self._of_arms(block)
        if block.command == "insert":
            return Growth(bounded=True, how="values") if block.values is None else self.block(block.values)
        if block.aggregates and not block.group:
            return Growth(bounded=True, how="aggregate")
        if (block.group or block.distinct or block.distinct_on) and self._has_few_groups(block):
            return Growth(bounded=True, how="aggregate")
        return self._of_sources(block)

    def _of_arms(self, block: Block) -> Growth:
        found = [self.block(arm) for arm in block.arms]
        if block.recursive:
            found = found[:1]
        if block.command.startswith("intersect"):
            return next((one for one in found if one.bounded), found[0])
        if block.command.startswith("except"):
            return found[0]
        return next((one for one in found if not one.bounded), found[0])

    def _of_sources(self, block: Block) -> Growth:
        region = self.regions[block.number]
        clauses = clauses_of(self.query, region)
        sources = self._returned(block, region)
        bounded: dict[int, str] = {}
        for number in region.sources:
            how = self._alone(self.query.sources[number])
            if how:
                bounded[number] = how
        progress = True
        while progress:
            progress = False
            for number in region.sources:
                if bounded.get(number, "small") == "small":
                    how = self._reached(self.query.sources[number], clauses.get(number, ()), bounded)
                    if how:
                        bounded[number] = how
                        progress = True
        growing = [number for number in sources if number not in bounded]
        if growing:
            source = self._culprit(growing)
            if source.kind == "view" and source.inner is None:
                return Growth(bounded=True, how="unknown")
            return Growth(bounded=False, how="none", table=self._table_of(source), source=source.number)
        hows = set(bounded.values())
        return Growth(bounded=True, how=next((one for one in ("fan-out", "window", "key", "small") if one in hows), "key"))

    def _culprit(self, growing: list[int]) -> Source:
        sources = [self.query.sources[number] for number in growing]
        return next((one for one in sources if one.kind == "table"), sources[0])

    def _table_of(self, source: Source) -> Name | None:
        if source.inner is None:
            return source.table
        return self.block(source.inner).table

    def _returned(self, block: Block, region: Region) -> list[int]:
        """Sources whose rows make rows of the result: not those of EXISTS and IN."""
        inside = {number for one in region.blocks if self.query.blocks[one].role in {"exists", "any"} for number in self.query.blocks[one].sources}
        return [number for number in region.sources if number not in inside or block.number != region.blocks[0]]

    def _alone(self, source: Source) -> str:
        """Why a source has few rows whatever is asked of it."""
        if source.kind in {"function", "values", "row"}:
            return "values"
        if source.kind == "catalog":
            return "small"
        if source.inner is not None:
            inner = self.block(source.inner)
            return inner.how if inner.bounded else ""
        if source.table is None:
            return ""
        if self.is_small(source.table):
            return "small"
        return ""

    def is_small(self, name: Name) -> bool:
        """Declared small, temporary, or a table of names that other tables refer to."""
        if ((name.schema or "", name.name) in self.small) or (("", name.name) in self.small):
            return True
        table = self.state.schema.table(name)
        return table.known and (table.persistence == "temporary" or is_lookup(table, self.state))

    def _reached(self, source: Source, own: tuple[Clause, ...] | list[Clause], there: Mapping[int, str]) -> str:
        if source.table is None or source.inner is not None:
            given = [one for one in own if one.kind in _EQUAL and one.needs <= there.keys()]
            return "fan-out" if given else ""
        table = self.state.schema.table(source.table)
        equal = {
            one.key[1]: one for one in own if one.kind in _EQUAL and one.needs <= there.keys() and one.key[0] == "column" and _is_bounded(one, self)
        }
        if any(set(key) <= equal.keys() for key in unique_keys(table, equal)):
            return "key"
        if not table.known and "id" in equal:
            return "key"
        narrowing = [one for one in own if one.kind in _NARROWING and one.needs <= there.keys() and self._narrows(one, table, there)]
        if narrowing or self._every_branch(source, table, there):
            return "fan-out"
        return "window" if _is_window(own, frozenset(there)) else ""

    def _every_branch(self, source: Source, table: Table, there: Mapping[int, str]) -> bool:
        """Whether an OR or a CASE leaves, in each of its branches, the rows of one value."""
        region = self.regions[source.block]
        return any(
            (not one.side or source.number in one.side) and not one.full and self._all_narrow(one, one.tree, source.number, table, there)
            for one in region.conditions
        )

    def _all_narrow(self, condition: Condition, tree: Tree, number: int, table: Table, there: Mapping[int, str]) -> bool:
        match tree:
            case ("or", *arms):
                return all(self._all_narrow(condition, arm, number, table, there) for arm in arms)
            case ("and", *parts):
                return any(self._all_narrow(condition, part, number, table, there) for part in parts)
            case ("case", _, *branches):
                return all(self._all_narrow(condition, branch[-1], number, table, there) for branch in branches)
            case ("null",) | ("const", False):
                return True
        found = clauses(self.query, condition._replace(tree=tree), self.regions[self.query.sources[number].block])
        return any(one.source == number and one.kind in _EQUAL and one.needs <= there.keys() and self._narrows(one, table, there) for one in found)

    def _narrows(self, clause: Clause, table: Table, there: Mapping[int, str]) -> bool:
        """Whether equality leaves the rows of one parent or of one value among many: not of a status or a flag, nor of a constant."""
        listed = clause.value[0] == "query" and _is_bounded(clause, self)
        if clause.kind == "truth" or not (clause.parameter or clause.needs or listed):
            return False
        if clause.needs and all(there.get(number) == "small" for number in clause.needs):
            return False  # rows of each row of a small table are all rows
        if clause.key[0] != "column" or clause.kind in {"contains", "array"}:
            return not clause.needs
        column = table.columns.get(clause.key[1])
        if column is None:
            return not table.known
        if column.type.builtin in {"bool", "int2"} and not _is_reference(table, clause.key[1]):
            return False
        if column.type.builtin is None and self._is_enum(column.type.name):
            return False
        return _is_reference(table, clause.key[1]) or not _FEW_VALUES.search(clause.key[1])

    def _is_enum(self, name: Name) -> bool:
        kind = self.state.schema.types.get(self.state.resolve_type(name))
        return kind is not None and kind.kind == "enum"

    def _has_few_groups(self, block: Block) -> bool:
        keys = block.group or block.distinct_on or tuple([output.tree for output in block.outputs])
        return bool(keys) and all(self._has_few_values(key) for key in keys)

    def _has_few_values(self, tree: Tree) -> bool:
        if not any(node[0] == "at" for node in walk(tree)):
            return True
        if tree[0] != "at":
            return False
        source = self.query.sources[tree[1]]
        kind = source.columns.get(tree[2])
        if source.table is not None and (self.is_small(source.table) or _FEW_VALUES.search(tree[2])):
            return True
        if kind is None:
            return False
        return kind.builtin == "bool" or (kind.builtin is None and self._is_enum(kind.name))


def growth(query: Query, state: State, small: frozenset[tuple[str, str]] = frozenset()) -> Growth:
    """Whether the rows that the whole query returns are bounded, and which table makes them grow."""
    if query.unread or not query.blocks:
        return Growth(bounded=True, how="unknown")
    return Facts(query, state, small).block(0)


def _limit(block: Block) -> str:
    if block.limit is None:
        return ""
    return "limit" if block.limit[0] in {"const", "number"} else "parameter"


def _is_bounded(clause: Clause, facts: Facts) -> bool:
    if clause.value[0] == "query" and clause.kind == "in":
        return facts.block(clause.value[4]).bounded
    return True


def _is_window(clauses: tuple[Clause, ...] | list[Clause], there: frozenset[int]) -> bool:
    """A range with both ends given: the caller says how much."""
    given = [one for one in clauses if one.kind == "range" and one.needs <= there and one.key[0] == "column"]
    if any(one.operator == "between" for one in given):
        return True
    if any(one.operator in {">", ">="} and _is_recent(one.value) for one in given):
        return True
    low = {one.key for one in given if one.operator in {">", ">="}}
    return any(one.key in low for one in given if one.operator in {"<", "<="})


def _is_recent(value: Tree) -> bool:
    """`now() - interval '15 seconds'`."""
    return value[0] == "op" and value[1] == "-" and any(node[0] == "call" and node[1].name in _NOW for node in walk(value[2]))


def unique_keys(table: Table, equal: dict[str, Clause] | None = None) -> list[tuple[str, ...]]:
    """Columns of which each combination of values occurs once."""
    found = [c.columns for c in table.constraints.values() if c.kind in {"primary key", "unique"} and c.columns]
    for index in table.indexes.values():
        if index.unique and index.columns and len(index.columns) == len(index.keys) and (index.where is None or equal is not None):
            found.append(index.columns)
    return found


def _is_reference(table: Table, column: str) -> bool:
    return any(column in key.columns for key in table.foreign_keys()) or any(column in key for key in unique_keys(table))


def is_lookup(table: Table, state: State) -> bool:
    """Whether a table looks like a list of names: a small key, a name, few columns, no parents, and other tables refer to it."""
    key = table.primary_key
    if key is None or len(key.columns) != 1 or len(table.columns) > _LOOKUP_COLUMNS or any(True for _ in table.foreign_keys()):
        return False
    column = table.columns.get(key.columns[0])
    if column is None or column.type.builtin not in _SMALL_KEYS:
        return False
    times = [c for c in table.columns.values() if c.type.builtin in {"timestamptz", "timestamp", "date"} and c.name.lower() not in _TIMES]
    named = [c for c in table.columns.values() if c.type.builtin in {"text", "varchar"} or c.type.name.name == "citext"]
    wide = [c for c in table.columns.values() if c.type.builtin in {"json", "jsonb", "bytea"}]
    if times or wide or not named or not any(True for _ in state.schema.referencing(table.name)):
        return False
    keys = [names for names in unique_keys(table) if names != key.columns]
    return column.type.builtin in {"text", "varchar", "bpchar"} or any(len(names) == 1 for names in keys) or column.type.builtin == "int2"
