"""Rows are counted to learn whether there is one."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import Tree, walk
from dbguard.model.query import Block, Query, QueryStep


def check(query: Query, _step: QueryStep) -> Iterator[Flag]:
    for block in query.written:
        trees = [condition.tree for condition in block.conditions] + [output.tree for output in block.outputs]
        for tree in trees:
            for node in walk(tree):
                if _asks_whether(node, query, block):
                    yield flag()
                    return


def _asks_whether(node: Tree, query: Query, block: Block) -> bool:
    match node:
        case ("op", ">" | "<>" | "=" | "!=", counted, ("const", 0)) | ("op", ">=" | "<", counted, ("const", 1)):
            if counted[0] == "query" and counted[1] == "expr":
                inner = query.blocks[counted[4]]
                return len(inner.outputs) == 1 and _is_count(inner.outputs[0].tree) and not inner.group and _reads_table(query, inner)
            return _is_count(counted) and not block.group and len(block.outputs) == 1 and block.having is None and _reads_table(query, block)
    return False


def _reads_table(query: Query, block: Block) -> bool:
    return any(query.sources[number].kind in {"table", "view"} for number in block.sources)


def _is_count(tree: Tree) -> bool:
    return tree[0] == "call" and tree[1].name == "count" and not any(part == ("distinct",) for part in tree[2:])
