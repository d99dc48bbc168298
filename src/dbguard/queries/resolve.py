"""Names of a query to columns of sources: CTEs, sub-queries, LATERAL, USING, `*`, search_path, changes and what they return."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dbguard.model.expression import Tree, walk
from dbguard.model.names import Name
from dbguard.model.query import Block, Condition, Order, Output, Query, Source
from dbguard.model.state import State
from dbguard.model.syntax import Assignment, Body, From, SortKey, Target, Text, With
from dbguard.model.types import DataType
from dbguard.queries.functions import SETS
from dbguard.queries.scopes import MOST_SOURCES, Missing, Scope, TooLargeError, Visible, find, item_named
from dbguard.queries.sources import Sources
from dbguard.queries.types import type_of

AGGREGATES = frozenset(
    """
    array_agg avg bit_and bit_or bit_xor bool_and bool_or count every json_agg json_object_agg jsonb_agg jsonb_object_agg max min string_agg sum
    xmlagg range_agg stddev stddev_pop stddev_samp variance var_pop var_samp corr mode percentile_cont percentile_disc any_value
    json_agg_strict jsonb_agg_strict regr_count covar_pop covar_samp
    """.split()  # noqa: SIM905
)


def resolve(text: Text, state: State) -> Query:
    """The query with its names looked up. Never raises because of the text: `unread` says what was not found."""
    if text.body is None or text.body.command == "other":
        return Query(text, unread=(text.unread,) if text.unread else ())
    work = Resolver(state)
    try:
        work.block(text.body, None, None, "main")
    except (TooLargeError, RecursionError) as error:
        return Query(text, unread=(str(error) or "nested too deeply",))
    return Query(text, tuple(work.sources.all), tuple(work.blocks), tuple(dict.fromkeys(work.missing)))


MOST_VIEWS = 8  # one on the other


class Resolver:
    """What was resolved so far. Blocks are numbered in the order they are met, the main one is 0."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.blocks: list[Block] = []
        self.missing: list[str] = []
        self.extra: dict[int, list[Tree]] = {}  # calls in FROM, by block
        self.sources = Sources(state, self)
        self.views: list[Name] = []  # those whose definition is being resolved, outer ones first

    # -- blocks

    def block(self, body: Body, scope: Scope | None, parent: int | None, role: str) -> int:
        if len(self.blocks) > MOST_SOURCES:
            raise TooLargeError(f"more than {MOST_SOURCES} levels")
        number = len(self.blocks)
        self.blocks.append(Block(number, parent, role, body.command))
        inner = Scope(scope)
        for cte in body.ctes:
            self.cte(cte, inner, number, recursive=body.recursive)
        made = _MAKERS.get(body.command, Resolver.set_operation)(self, body, inner, number)
        self.blocks[number] = made._replace(
            number=number,
            parent=parent,
            role=role,
            command=body.command,
            trees=(*made.trees, *self.extra.pop(number, ())),
            view=bool(self.views),
        )
        return number

    def view(self, name: Name, body: Body, parent: int) -> int | None:
        """The block of a view's definition; None if names in it are not found any more: then the view is what it was taken for before."""
        if name in self.views or len(self.views) >= MOST_VIEWS:
            return None
        before = len(self.blocks), len(self.missing), len(self.sources.all)
        self.views.append(name)
        try:
            block = self.block(body, None, parent, "from")
        finally:
            self.views.pop()
        if len(self.missing) > before[1]:
            del self.blocks[before[0] :], self.missing[before[1] :], self.sources.all[before[2] :]
            return None
        return block

    def cte(self, cte: With, scope: Scope, number: int, *, recursive: bool) -> None:
        body = cte.body
        if not (recursive and body.command.startswith("union") and len(body.arms) > 1):
            block = self.block(body, scope, number, "cte")
            self.blocks[block] = self.blocks[block]._replace(materialized=cte.materialized is True or body.command in _CHANGES)
            scope.ctes[cte.name] = (block, self._named(block, cte.columns))
            return
        block = len(self.blocks)
        self.blocks.append(Block(block, number, "cte", body.command))
        inner = Scope(scope)
        for one in body.ctes:
            self.cte(one, inner, block, recursive=body.recursive)
        first = self.block(body.arms[0], inner, block, "arm")
        columns = self._named(first, cte.columns)
        scope.ctes[cte.name] = inner.ctes[cte.name] = (block, columns)
        self.blocks[block] = self.blocks[block]._replace(outputs=self.blocks[first].outputs)
        arms = [first, *[self.block(arm, inner, block, "arm") for arm in body.arms[1:]]]
        used = any(source.kind == "cte" and source.inner == block for source in self.sources.all)
        made = self._ordered(body, inner, block, self.blocks[first].outputs)
        self.blocks[block] = made._replace(
            number=block, parent=number, role="cte", command=body.command, arms=tuple(arms), recursive=used, materialized=True
        )

    def _named(self, block: int, names: tuple[str, ...]) -> tuple[tuple[str, DataType | None, str], ...]:
        """Columns of a sub-query: name outside, type, name inside."""
        outputs = self.blocks[block].outputs
        outside = list(names) + [output.name for output in outputs[len(names) :]]
        return tuple([(name, output.type, output.name) for name, output in zip(outside, outputs, strict=False)])

    def select(self, body: Body, scope: Scope, number: int) -> Block:
        conditions: list[Condition] = []
        numbers = self._from(body.sources, scope, number, conditions)
        conditions += self._conditions(body.where, scope, number)
        outputs, star = self.outputs(body.outputs, scope, number)
        group = tuple([self._key(tree, scope, number, outputs, input_first=True) for tree in body.group])
        having = self.tree(body.having, scope, number) if body.having else None
        trees = (*(output.tree for output in outputs), *((having,) if having else ()))
        return self._ordered(body, scope, number, outputs)._replace(
            sources=numbers,
            conditions=tuple(conditions),
            outputs=outputs,
            group=group,
            having=having,
            distinct=body.distinct,
            distinct_on=tuple([self._key(tree, scope, number, outputs) for tree in body.distinct_on]),
            locks=body.locks,
            aggregates=any(_has_aggregate(tree) for tree in trees),
            windows=any(node[0] == "window" for tree in trees for node in walk(tree)),
            multiplies=any(node[0] == "call" and node[1].name in SETS for output in outputs for node in walk(output.tree)),
            star=star,
            trees=tuple([self.tree(tree, scope, number) for tree in body.windows]),
        )

    def _ordered(self, body: Body, scope: Scope, number: int, outputs: tuple[Output, ...]) -> Block:
        order = tuple([self._order(key, scope, number, outputs) for key in body.order])
        limit = self.tree(body.limit, scope, number) if body.limit else None
        offset = self.tree(body.offset, scope, number) if body.offset else None
        return Block(number, None, "", outputs=outputs, order=order, limit=limit, offset=offset)

    def _order(self, key: SortKey, scope: Scope, number: int, outputs: tuple[Output, ...]) -> Order:
        return Order(self._key(key.tree, scope, number, outputs), key.descending, key.nulls_first)

    def _key(self, tree: Tree, scope: Scope, number: int, outputs: tuple[Output, ...], *, input_first: bool = False) -> Tree:
        """A key of ORDER BY, GROUP BY or DISTINCT ON: a name or number of an output, or an expression (findTargetlistEntrySQL92)."""
        match tree:
            case ("const", int(position)) if not isinstance(position, bool) and 0 < position <= len(outputs):
                return outputs[position - 1].tree
            case ("ref", (str(name),)):
                found = find(scope, (name,)) if input_first else Missing("")
                if not isinstance(found, Missing) and found[0] == "at":
                    return found
                output = next((one for one in outputs if one.name == name), None)
                if output is not None:
                    return output.tree
        return self.tree(tree, scope, number)

    def set_operation(self, body: Body, scope: Scope, number: int) -> Block:
        arms = tuple([self.block(arm, scope, number, "arm") for arm in body.arms])
        outputs = self.blocks[arms[0]].outputs if arms else ()
        return self._ordered(body, scope, number, outputs)._replace(arms=arms)

    def values(self, body: Body, scope: Scope, number: int) -> Block:
        rows = [[self.tree(tree, scope, number) for tree in row] for row in body.rows]
        outputs = tuple([Output(f"column{i}", tree, type_of(tree, self.sources.type)) for i, tree in enumerate(rows[0], 1)] if rows else [])
        trees = tuple([tree for row in rows for tree in row if tree[0] not in {"const", "param", "null", "default", "number"}])
        return self._ordered(body, scope, number, outputs)._replace(rows=len(rows), trees=trees)

    def insert(self, body: Body, scope: Scope, number: int) -> Block:
        values = None if body.source is None else self.block(body.source, scope, number, "source")
        target = self._target(body, scope, number)
        table = self.sources.all[target]
        self.known_columns(body.columns, table)
        trees: list[Tree] = []
        assigned: tuple[tuple[str, Tree], ...] = ()
        if body.conflict is not None:
            trees += [self.tree(tree, scope, number) for tree in body.conflict.trees]
            self.known_columns(body.conflict.columns, table)
            self.sources.add_row(table, "excluded", scope)
            assigned = self.assignments(body.conflict.assigned, table, scope, number)
            trees += [self.tree(body.conflict.where, scope, number)] if body.conflict.where else []
        outputs, star = self.returning(body, table, scope, number)
        return Block(
            number,
            None,
            "",
            sources=(target,),
            target=target,
            columns=body.columns,
            values=values,
            assigned=assigned,
            conflict=body.conflict.action if body.conflict else "",
            outputs=outputs,
            star=star,
            trees=tuple(trees),
        )

    def change(self, body: Body, scope: Scope, number: int) -> Block:
        """UPDATE and DELETE."""
        target = self._target(body, scope, number)
        conditions: list[Condition] = []
        numbers = self._from(body.sources, scope, number, conditions)
        conditions += self._conditions(body.where, scope, number)
        assigned = self.assignments(body.assigned, self.sources.all[target], scope, number)
        outputs, star = self.returning(body, self.sources.all[target], scope, number)
        return Block(
            number,
            None,
            "",
            sources=(target, *numbers),
            target=target,
            conditions=tuple(conditions),
            assigned=assigned,
            outputs=outputs,
            star=star,
        )

    def merge(self, body: Body, scope: Scope, number: int) -> Block:
        target = self._target(body, scope, number)
        conditions: list[Condition] = []
        numbers = self._from(body.sources, scope, number, conditions)
        conditions += [one._replace(on=True, side=frozenset({target})) for one in self._conditions(body.join, scope, number)]
        assigned: list[tuple[str, Tree]] = []
        trees: list[Tree] = []
        for when in body.whens:
            trees += [self.tree(when.condition, scope, number)] if when.condition else []
            self.known_columns(when.columns, self.sources.all[target])
            assigned += self.assignments(when.assigned, self.sources.all[target], scope, number)
        outputs, star = self.returning(body, self.sources.all[target], scope, number)
        return Block(
            number,
            None,
            "",
            sources=(target, *numbers),
            target=target,
            conditions=tuple(conditions),
            columns=tuple([column for when in body.whens if when.action == "insert" for column in when.columns]),
            assigned=tuple(assigned),
            outputs=outputs,
            star=star,
            trees=tuple(trees),
        )

    def _target(self, body: Body, scope: Scope, number: int) -> int:
        assert body.target is not None
        return self.sources.table(body.target, scope, number, target=True)

    def returning(self, body: Body, table: Source, scope: Scope, number: int) -> tuple[tuple[Output, ...], bool]:
        if not body.outputs:
            return (), False
        for alias in ("old", "new"):
            if not any(item.alias == alias for item in scope.items):
                self.sources.add_row(table, alias, scope)
        return self.outputs(body.outputs, scope, number)

    def assignments(self, items: tuple[Assignment, ...], table: Source, scope: Scope, number: int) -> tuple[tuple[str, Tree], ...]:
        self.known_columns([item.column for item in items if item.column], table)
        return tuple([(item.column, self.tree(item.tree, scope, number)) for item in items])

    def known_columns(self, columns: Iterable[str], table: Source) -> None:
        if table.known:
            self.missing += [f"column `{column}` of `{table.alias}` was not found" for column in columns if column and column not in table.columns]

    def outputs(self, targets: tuple[Target, ...], scope: Scope, number: int) -> tuple[tuple[Output, ...], bool]:
        found: list[Output] = []
        star = False
        for target in targets:
            if target.tree[0] == "star":
                star = True
                found += self._star(target.tree[1], scope)
            elif target.tree[0] == "field" and target.tree[-1] == "*":
                star = True
                found.append(Output("*", self.tree(target.tree, scope, number)))
            else:
                tree = self.tree(target.tree, scope, number)
                found.append(Output(target.name or "?column?", tree, type_of(tree, self.sources.type)))
        return tuple(found), star

    def _star(self, qualifier: tuple[str, ...], scope: Scope) -> list[Output]:
        if qualifier:
            item = item_named(scope, qualifier)
            if item is None:
                self.missing.append(f"{'.'.join(qualifier)} is not in FROM")
                return []
            return self._all_of(item)
        found = [Output(name, tree, type_of(tree, self.sources.type)) for name, tree in scope.merged.items()]
        for item in scope.items:
            if not item.hidden:
                hidden = {name for name, numbers in scope.merged_sources.items() if item.number in numbers}
                found += [output for output in self._all_of(item) if output.name not in hidden]
        return found

    def _all_of(self, item: Visible) -> list[Output]:
        found = [Output(name, tree, type_of(tree, self.sources.type)) for name, tree in item.columns.items()]
        return found if item.known else [*found, Output("*", ("row of", item.number))]

    # -- FROM

    def _from(self, items: tuple[From, ...], scope: Scope, number: int, conditions: list[Condition]) -> tuple[int, ...]:
        found: list[int] = []
        for item in items:
            found += self.sources.item(item, scope, number, conditions)
        return tuple(found)

    def _conditions(self, tree: Tree | None, scope: Scope, number: int) -> list[Condition]:
        return [Condition(part) for part in parts_of(self.tree(tree, scope, number))] if tree else []

    # -- expressions

    def tree(self, tree: Tree | None, scope: Scope, number: int) -> Tree:
        """The expression with its columns resolved."""
        if not tree:
            return ("null",)
        match tree:
            case ("ref", parts):
                found = find(scope, parts)
                if isinstance(found, Missing):
                    self.missing.append(found.reason)
                    return ("other", "missing")
                return found
            case ("star", parts):
                item = item_named(scope, parts) if parts else None
                return ("row of", item.number) if item is not None and item.number is not None else ("star", ())
            case ("query", kind, operator, test, body):
                return ("query", kind, operator, self.tree(test, scope, number), self.block(body, scope, number, str(kind)))
        return tuple([self.tree(part, scope, number) if type(part) is tuple and part and type(part[0]) is str else part for part in tree])


_CHANGES = frozenset({"insert", "update", "delete", "merge"})
_MAKERS: dict[str, Callable[[Resolver, Body, Scope, int], Block]] = {
    "select": Resolver.select,
    "values": Resolver.values,
    "insert": Resolver.insert,
    "update": Resolver.change,
    "delete": Resolver.change,
    "merge": Resolver.merge,
}


def parts_of(tree: Tree) -> list[Tree]:
    """The parts of a predicate that must all hold; BETWEEN stays one."""
    found: list[Tree] = []
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if node[0] == "and":
            stack.extend(reversed(node[1:]))
        else:
            found.append(node)
    return found


def _has_aggregate(tree: Tree) -> bool:
    """Whether an aggregate that is no window function stands in the expression."""
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if node[0] == "window":
            stack.extend(part for part in node[1][2:] if type(part) is tuple)
            continue
        if node[0] == "call" and isinstance(node[1], Name) and node[1].name in AGGREGATES:
            return True
        stack.extend(part for part in node[1:] if type(part) is tuple and part and type(part[0]) is str)
    return False
