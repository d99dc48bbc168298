"""The last index that a foreign key's columns lead is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote, quote_all
from dbguard.model.operations import DropConstraint, DropIndex
from dbguard.model.questions import indexes_dropped, supports
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:
    told: set[str] = set()
    for one in end.steps:
        if not isinstance(one.operation, DropIndex | DropConstraint):
            continue
        for index in indexes_dropped(one):
            after = step.after.schema.tables.get(index.table)
            if after is None or not after.known or one.is_new(index.table):
                continue
            for key in after.foreign_keys():
                if key.name in told or key.references is None or not supports(index, key.columns):
                    continue
                if not any(supports(kept, key.columns) for kept in after.indexes.values()):
                    told.add(key.name)
                    yield flag(
                        at=one.statement,
                        table=one.display(index.table),
                        index=quote(index.name.name),
                        constraint=quote(key.name),
                        parent=one.display(key.references),
                        columns=quote_all(key.columns),
                    )
