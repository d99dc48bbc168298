"""Items of FROM to sources: what gives rows, under which name, with which columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dbguard.model.expression import Tree
from dbguard.model.names import Name
from dbguard.model.query import Condition, Source
from dbguard.model.schema import Table
from dbguard.model.state import State
from dbguard.model.syntax import From
from dbguard.model.types import DataType
from dbguard.parsing.query import body_of_view
from dbguard.queries.functions import columns_of
from dbguard.queries.scopes import MOST_SOURCES, Scope, TooLargeError, Visible

if TYPE_CHECKING:
    from dbguard.queries.resolve import Resolver

_CATALOGS = frozenset({"pg_catalog", "information_schema"})


class Sources:
    """All sources of a query, by number."""

    def __init__(self, state: State, resolver: Resolver) -> None:
        self.all: list[Source] = []
        self._state = state
        self._resolver = resolver

    def type(self, number: int, column: str) -> DataType | None:
        return self.all[number].columns.get(column)

    def item(self, item: From, scope: Scope, block: int, conditions: list[Condition]) -> list[int]:
        """The sources of one item of FROM; what stands after ON goes to `conditions`."""
        match item.kind:
            case "table":
                return [self.table(item, scope, block)]
            case "query":
                return [self._query(item, scope, block)]
            case "function":
                return [self._function(item, scope, block)]
        return self._join(item, scope, block, conditions)

    def _add(self, source: Source, scope: Scope, *, hidden: bool = False) -> int:
        number = len(self.all)
        if number >= MOST_SOURCES:
            raise TooLargeError(f"more than {MOST_SOURCES} tables")
        source = source._replace(number=number)
        self.all.append(source)
        columns: Mapping[str, Tree] = {name: ("at", number, name) for name in source.columns}
        scope.items.append(Visible(source.alias, number, columns, source.known, source.table, hidden, source.kind == "catalog"))
        return number

    def table(self, item: From, scope: Scope, block: int, *, target: bool = False) -> int:
        name = item.name
        assert name is not None
        alias = item.alias or name.name
        if name.schema is None and name.name in scope.ctes and not target:
            inner, columns = scope.ctes[name.name]
            return self._add(self._inner("cte", (alias, block), inner, columns, item.column_aliases), scope)
        full = self._full(name)
        table = self._state.schema.tables.get(full)
        if table is None or table.kind == "composite type":
            return self._add(self._unknown(full, alias, block, item), scope)
        if table.definition and not target and (found := self._view(full, table, alias, block, item)) is not None:
            return self._add(found, scope)
        kind = "view" if table.kind in {"view", "materialized view"} else "table"
        own = list(table.columns)
        shown = [*item.column_aliases, *own[len(item.column_aliases) :]]
        types = {new: table.columns[old].type for new, old in zip(shown, own, strict=False)}
        renamed = {new: old for new, old in zip(shown, own, strict=False) if new != old}
        known = table.known and bool(own)
        return self._add(Source(0, kind, alias, block, full, types, known, renamed=renamed), scope)

    def _view(self, full: Name, table: Table, alias: str, block: int, item: From) -> Source | None:
        """A view with the block of its definition, whose columns have the view's names."""
        body = body_of_view(table.definition)
        inner = None if body is None else self._resolver.view(full, body, block)
        if inner is None:
            return None
        outputs = self._resolver.blocks[inner].outputs
        own = list(table.columns)
        names = own if len(own) == len(outputs) else [one.name for one in outputs]
        columns = tuple([(name, one.type, one.name) for name, one in zip(names, outputs, strict=True)])
        return self._inner("view", (alias, block), inner, columns, item.column_aliases)._replace(table=full)

    def _full(self, name: Name) -> Name:
        """An application may set a `search_path` that no migration shows: a name that one schema alone has is taken to mean that."""
        full = self._state.resolve(name)
        tables = self._state.schema.tables
        if name.schema is None and full not in tables:
            elsewhere = [one for one in tables if one.name == name.name]
            if len(elsewhere) == 1:
                return elsewhere[0]
        return full

    def _unknown(self, full: Name, alias: str, block: int, item: From) -> Source:
        schema = self._state.schema
        named = item.name
        if full.schema in _CATALOGS or (named is not None and named.schema is None and named.name.startswith("pg_")):
            return Source(0, "catalog", alias, block, full, known=False)
        if full in schema.sequences:
            return Source(0, "catalog", alias, block, full, known=False)
        if schema.complete and (full.schema in schema.namespaces or full.schema is None):
            self._resolver.missing.append(f"table `{item.name}` was not found")
        return Source(0, "table", alias, block, full, dict.fromkeys(item.column_aliases), known=False)

    def _inner(
        self, kind: str, place: tuple[str, int], inner: int, columns: tuple[tuple[str, DataType | None, str], ...], aliases: tuple[str, ...]
    ) -> Source:
        alias, block = place
        shown = [*aliases, *[name for name, _, _ in columns[len(aliases) :]]]
        pairs = list(zip(shown, columns, strict=False))
        known = all(inside != "*" for _, _, inside in columns)
        types = {name: column[1] for name, column in pairs if name != "*"}
        return Source(0, kind, alias, block, None, types, known, inner, renamed={name: column[2] for name, column in pairs if name != column[2]})

    def _query(self, item: From, scope: Scope, block: int) -> int:
        assert item.body is not None
        outer = scope
        if not item.lateral:
            outer = Scope(scope.parent, scope.ctes)
        inner = self._resolver.block(item.body, outer, block, "from")
        outputs = tuple([(one.name, one.type, one.name) for one in self._resolver.blocks[inner].outputs])
        kind = "values" if item.body.command == "values" else "query"
        source = self._inner(kind, (item.alias, block), inner, outputs, item.column_aliases)
        return self._add(source._replace(lateral=item.lateral), scope)

    def _function(self, item: From, scope: Scope, block: int) -> int:
        calls = tuple([self._resolver.tree(call, scope, block) for call in item.calls])
        self._resolver.extra.setdefault(block, []).extend(calls)
        columns, known = columns_of(item, calls, self._state, self.type)
        alias = item.alias or next((call[1].name for call in calls if call[0] == "call"), "")
        return self._add(Source(0, "function", alias, block, None, columns, known, lateral=True), scope)

    def add_row(self, table: Source, alias: str, scope: Scope) -> int:
        """EXCLUDED, OLD or NEW: found only by its name."""
        return self._add(table._replace(kind="row", alias=alias), scope, hidden=True)

    def _join(self, item: From, scope: Scope, block: int, conditions: list[Condition]) -> list[int]:
        begin = len(scope.items)
        left = self.item(item.joins[0], scope, block, conditions)
        middle = len(scope.items)
        right = self.item(item.joins[1], scope, block, conditions)
        side = {"left": frozenset(right), "right": frozenset(left)}.get(item.how, frozenset[int]())
        full = item.how == "full"
        using = item.using or (self._common(scope, begin, middle) if item.natural else ())
        for name in using:
            self._merge(name, item.how, scope, (begin, middle), conditions, side=side)
        if item.how == "cross" or item.on == ("const", True):
            conditions.append(Condition(("cross", ("row of", left[0]), ("row of", right[0])), on=True))
        elif item.on is not None:
            conditions += [
                one._replace(side=side, full=full, on=True)
                for one in self._resolver._conditions(item.on, scope, block)  # noqa: SLF001
            ]
        if item.alias:
            self._cover(item, scope, begin)
        return [*left, *right]

    def _common(self, scope: Scope, begin: int, middle: int) -> tuple[str, ...]:
        left = {name: None for one in scope.items[begin:middle] for name in one.columns}
        right = {name for one in scope.items[middle:] for name in one.columns}
        return tuple([name for name in left if name in right])

    def _merge(self, name: str, how: str, scope: Scope, places: tuple[int, int], conditions: list[Condition], *, side: frozenset[int]) -> None:
        """A column of USING: one column for both sides."""
        begin, middle = places
        known_left = scope.merged.get(name)
        left = known_left or self._column(name, scope.items[begin:middle])
        right = self._column(name, scope.items[middle:])
        if left is None or right is None:
            self._resolver.missing.append(f"column `{name}` of USING was not found")
            return
        conditions.append(Condition(("op", "=", left, right), side, how == "full", on=True))
        scope.merged[name] = right if how == "right" else ("coalesce", left, right) if how == "full" else left
        numbers = frozenset(node[1] for node in (*_columns(left), *_columns(right)))
        scope.merged_sources[name] = scope.merged_sources.get(name, frozenset()) | numbers

    def _column(self, name: str, items: list[Visible]) -> Tree | None:
        for one in items:
            if name in one.columns and not one.hidden:
                return one.columns[name]
        unknown = [one for one in items if not one.known and one.number is not None]
        return ("at", unknown[0].number, name) if unknown else None

    def _cover(self, item: From, scope: Scope, begin: int) -> None:
        """A join with an alias hides the names inside it."""
        inside = scope.items[begin:]
        columns: dict[str, Tree] = dict(scope.merged)
        for one in inside:
            for name, tree in one.columns.items():
                columns.setdefault(name, tree)
        shown = [*item.column_aliases, *list(columns)[len(item.column_aliases) :]]
        renamed = dict(zip(shown, columns.values(), strict=False))
        scope.items[begin:] = [Visible(item.alias, None, renamed, all(one.known for one in inside))]


def _columns(tree: Tree) -> list[Tree]:
    if tree[0] == "at":
        return [tree]
    return [found for part in tree[1:] if type(part) is tuple for found in _columns(part)]
