"""DELETE from a table to which a foreign key without an index points."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name, quote_all
from dbguard.model.operations import CreateIndex
from dbguard.model.query import Query, QueryStep
from dbguard.model.questions import supports
from dbguard.model.schema import Constraint, Table
from dbguard.model.sql import index_statement


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    for block in query.written:
        target = None if block.command != "delete" or block.target is None else query.sources[block.target].table
        if target is None:
            continue
        for child, key in step.state.schema.referencing(target):
            judged = child.known and child.persistence != "temporary" and child.parent is None and not step.is_small(child.name)
            if judged and not any(supports(index, key.columns) for index in child.indexes.values()):
                yield _flag(step, target, child, key)


def _flag(step: QueryStep, parent: Name, child: Table, key: Constraint) -> Flag:
    name = step.display(child.name)
    index = CreateIndex(table=name, keys=tuple(IndexKey(column) for column in key.columns), concurrently=child.kind == "table")
    return flag(parent=step.display(parent), table=name, columns=quote_all(key.columns), create_index=index_statement(index, child))
