"""Blocks to regions: tables that PostgreSQL joins in one search, with the conditions on them.

Simple sub-queries in FROM, CTEs used once and EXISTS or IN as a condition are pulled up into the level around them, as the planner does
(prepjointree.c, subselect.c); whatever else stands alone, and sees the tables around it as values.
"""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.model.expression import Tree, walk
from dbguard.model.query import Block, Condition, Query, Source
from dbguard.model.record import Record
from dbguard.queries.resolve import parts_of
from dbguard.queries.scopes import TooLargeError

MOST_CONDITIONS = 400
MOST_NODES = 50_000  # of expressions once sub-queries are pulled up


class Region(Record):
    """`sources` are real tables and whatever else gives rows without being pulled up; the first block is the outermost."""

    blocks: tuple[int, ...]
    sources: tuple[int, ...]
    conditions: tuple[Condition, ...]
    order: tuple[tuple[Tree, bool, bool], ...] = ()  # expression, descending, nulls first
    limited: bool = False
    offset: bool = False


class _Work:
    def __init__(self, query: Query) -> None:
        self.query = query
        self.pulled: dict[int, int] = {}  # source -> block that takes its place
        self.done: set[int] = set()
        self.uses = [source.inner for source in query.sources if source.kind == "cte"]
        self.pushed: dict[int, list[Condition]] = {}
        self.nodes = 0


def regions(query: Query) -> list[Region]:
    """All regions, outer ones first."""
    work = _Work(query)
    found = []
    for block in query.blocks:
        if block.number not in work.done:
            found.append(_region(work, block))
    return found


def _region(work: _Work, block: Block) -> Region:
    sources: list[int] = []
    conditions: list[Condition] = []
    blocks: list[int] = []
    _gather(work, block, (sources, conditions, blocks), frozenset())
    seen = [*conditions, *work.pushed.get(block.number, ())][:MOST_CONDITIONS]
    expanded = _reduced(tuple([one._replace(tree=expand(work, one.tree), side=_side(work, one.side)) for one in seen]))
    for one in expanded:
        _push(work, one)
    order = tuple([(expand(work, one.tree), one.descending, one.nulls_first) for one in block.order])
    return Region(tuple(blocks), tuple(sources), expanded, order, block.limit is not None, block.offset is not None)


def _gather(work: _Work, block: Block, found: tuple[list[int], list[Condition], list[int]], side: frozenset[int]) -> None:
    sources, conditions, blocks = found
    work.done.add(block.number)
    blocks.append(block.number)
    for number in block.sources:
        source = work.query.sources[number]
        inner = None if source.inner is None else work.query.blocks[source.inner]
        if inner is not None and inner.number not in work.done and _is_simple(inner) and _is_used_once(work, source):
            work.pulled[number] = inner.number
            _gather(work, inner, found, side)
        else:
            sources.append(number)
    for condition in block.conditions:
        joined = condition._replace(side=condition.side or side)
        if not _semijoin(work, joined, sources, conditions, blocks):
            conditions.append(joined)


def _semijoin(work: _Work, condition: Condition, sources: list[int], conditions: list[Condition], blocks: list[int]) -> bool:
    """EXISTS and IN become joins; NOT EXISTS one that goes inwards only."""
    tree, negated = condition.tree, False
    if tree[0] == "not":
        tree, negated = tree[1], True
    if tree[0] != "query" or tree[1] not in {"exists", "any"} or (tree[1] == "any" and (tree[2] != "=" or negated)):
        return False
    inner = work.query.blocks[tree[4]]
    if inner.number in work.done or not _is_simple(inner, limit=tree[1] == "exists"):
        return False
    begin = len(sources)
    waiting: list[Condition] = []
    _gather(work, inner, (sources, waiting, blocks), frozenset())
    if negated or condition.side:
        side = frozenset(sources[begin:])
        waiting = [one._replace(side=one.side or side) for one in waiting]
    if tree[1] == "any":
        tests = tree[3][1:] if tree[3][0] == "row" else (tree[3],)
        pairs = zip(tests, [output.tree for output in inner.outputs], strict=False)
        waiting += [Condition(("op", "=", test, output), condition.side) for test, output in pairs]
    conditions += waiting
    return True


def _is_simple(block: Block, *, limit: bool = False) -> bool:
    if block.command != "select" or block.recursive or block.materialized:
        return False
    if (block.limit is not None or block.offset is not None) and not limit:
        return False
    grouped = block.group or block.having is not None or block.aggregates or block.windows
    return not (grouped or block.distinct or block.distinct_on or block.multiplies or block.locks) and bool(block.sources)


def _is_used_once(work: _Work, source: Source) -> bool:
    return source.kind != "cte" or work.uses.count(source.inner) == 1


def _side(work: _Work, side: frozenset[int]) -> frozenset[int]:
    found: set[int] = set()
    stack = list(side)
    while stack:
        number = stack.pop()
        if number in work.pulled:
            stack.extend(work.query.blocks[work.pulled[number]].sources)
        else:
            found.add(number)
    return frozenset(found)


def expand(work: _Work, tree: Tree) -> Tree:
    """The expression with columns of pulled-up sub-queries replaced by what they stand for; nested, these can double at each level."""
    work.nodes += 1
    if work.nodes > MOST_NODES:
        raise TooLargeError(f"more than {MOST_NODES:,} parts of expressions")
    query, pulled = work.query, work.pulled
    if tree[0] == "at" and tree[1] in pulled:
        source = query.sources[tree[1]]
        name = source.renamed.get(tree[2], tree[2])
        output = next((one for one in query.blocks[pulled[tree[1]]].outputs if one.name == name), None)
        return tree if output is None else expand(work, output.tree)
    if not any(type(part) is tuple for part in tree):
        return tree
    return tuple([expand(work, part) if type(part) is tuple and part and type(part[0]) is str else part for part in tree])


def _reduced(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """A left join is an inner one where WHERE rejects the rows that it fills with nulls (reduce_outer_joins in prepjointree.c)."""
    while True:
        rejecting = {
            node[1] for one in conditions if not one.side and not one.full and _is_strict(one.tree) for node in walk(one.tree) if node[0] == "at"
        }
        reduced = tuple([one._replace(side=frozenset()) if one.side and one.on and one.side & rejecting else one for one in conditions])
        if reduced == conditions:
            return conditions
        conditions = reduced


def _is_strict(tree: Tree) -> bool:
    """Whether a condition is not true where its columns are null."""
    match tree:
        case ("op", "=" | "<" | ">" | "<=" | ">=" | "<>" | "~~" | "~~*" | "@>" | "= ANY", *sides):
            plain = {"at", "cast", "const", "number", "param", "call", "op"}
            return all(side[:2] == ("query", "expr") or (side[0] in plain and not _hides_null(side)) for side in sides)
        case ("in", left, *_):
            return not _hides_null(left)
        case ("between", *_) | ("at", _, _):
            return True
        case ("is_not_null", ("at", _, _)):
            return True
    return False


def _hides_null(tree: Tree) -> bool:
    return any(node[0] in {"coalesce", "case", "query"} or (node[0] == "call" and node[1].name in {"concat", "coalesce"}) for node in walk(tree))


def _push(work: _Work, condition: Condition) -> None:
    """A condition on one grouped or united sub-query moves into it (subquery_push_qual), if its columns are grouped by."""
    numbers = {node[1] for node in walk(condition.tree) if node[0] == "at"}
    inside = [number for number in numbers if work.query.sources[number].kind in {"query", "cte", "view"} and number not in work.pulled]
    if len(inside) != 1 or len(numbers) != 1 or condition.full or any(node[0] == "query" for node in walk(condition.tree)):
        return
    source = work.query.sources[inside[0]]
    if source.inner is None or not _is_used_once(work, source):
        return
    for block in _leaves(work.query, work.query.blocks[source.inner]):
        tree = _through(source, block, condition.tree)
        if tree is not None:
            work.pushed.setdefault(block.number, []).extend(Condition(part) for part in parts_of(tree))


def _leaves(query: Query, block: Block) -> Iterator[Block]:
    if block.materialized or block.recursive or block.limit is not None or block.offset is not None or block.windows or block.distinct_on:
        return
    if block.arms:
        if block.command in {"union", "union all"}:
            for arm in block.arms:
                yield from _leaves(query, query.blocks[arm])
    elif block.command == "select":
        yield block


def _through(source: Source, block: Block, tree: Tree) -> Tree | None:
    """The condition in terms of the block's own columns."""
    if tree[0] == "at" and tree[1] == source.number:
        position = list(source.columns).index(tree[2]) if tree[2] in source.columns else -1
        if not 0 <= position < len(block.outputs):
            return None
        inner = block.outputs[position].tree
        if inner[0] != "at" or ((block.group or block.aggregates) and inner not in block.group):
            return None
        return inner
    parts: list[object] = []
    for part in tree:
        if type(part) is tuple and part and type(part[0]) is str:
            moved = _through(source, block, part)
            if moved is None:
                return None
            parts.append(moved)
        else:
            parts.append(part)
    return tuple(parts)
