"""The next page by an OR of comparisons, of which an index serves only the first."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import Tree
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import conditions, shown


def check(query: Query, _step: QueryStep) -> Iterator[Flag]:
    for _, condition in conditions(query):
        for node in (condition.tree, *(condition.tree[1:] if condition.tree[0] == "and" else ())):
            found = _keyset(node)
            if found is not None:
                symbol, (first, second), values = found
                columns = f"({shown(first, query)}, {shown(second, query)})"
                yield flag(columns=columns, operator=symbol, row=f"({shown(values[0], query)}, {shown(values[1], query)})")


def _keyset(tree: Tree) -> tuple[str, tuple[Tree, Tree], tuple[Tree, Tree]] | None:
    """`a > x OR (a = x AND b > y)`."""
    if tree[0] != "or" or len(tree) != 3:
        return None
    for outer, inner in ((tree[1], tree[2]), (tree[2], tree[1])):
        match outer, inner:
            case (("op", ">" | "<" as symbol, first, value), ("and", ("op", "=", same, equal), ("op", other, second, last))):
                if same == first and equal == value and other[:1] == symbol:
                    return other, (first, second), (value, last)
    return None
