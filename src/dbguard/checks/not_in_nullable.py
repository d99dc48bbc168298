"""NOT IN over a column that can be null: one null, and no row is returned."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import walk
from dbguard.model.names import quote
from dbguard.model.query import Block, Query, QueryStep
from dbguard.model.query_questions import conditions


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    for _, condition in conditions(query):
        for node in walk(condition.tree):
            match node:
                case ("not", ("query", "any", "=", _, int(number))) | ("query", "all", "<>", _, int(number)):
                    yield from _nullable(step, query.blocks[number])


def _nullable(step: QueryStep, block: Block) -> Iterator[Flag]:
    for output in block.outputs:
        if output.tree[0] != "at":
            continue
        number, name = output.tree[1], output.tree[2]
        source = step.query.sources[number]
        table = step.table(number)
        column = None if table is None else table.columns.get(source.renamed.get(name, name))
        if column is None or source.table is None:
            continue
        filled = any(number in condition.side for condition in block.conditions)
        if (not column.not_null or filled) and not _rejects_null(block, output.tree):
            yield flag(table=step.display(source.table), column=quote(column.name))


def _rejects_null(block: Block, tree: tuple[object, ...]) -> bool:
    return any(
        condition.tree in {("is_not_null", tree), ("not", ("is_null", tree))}
        or (condition.tree[0] in {"op", "in"} and tree in condition.tree[1:3] + condition.tree[3:4])
        for condition in block.conditions
        if not condition.side
    )
