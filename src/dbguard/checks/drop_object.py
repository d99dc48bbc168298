"""A view, function, extension, trigger or other object that a running release may use goes."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import CreateFunction, CreateView, DropFunction, DropObject, DropOnTable, DropView
from dbguard.model.state import EndOfTransaction, Step


def check(transaction: EndOfTransaction, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    made = {one.before.target(one.operation.name) for one in transaction.steps if isinstance(one.operation, CreateFunction | CreateView)}
    for one in transaction.steps:
        match one.operation:
            case DropView(names=names, materialized=materialized):
                kind = "materialized view" if materialized else "view"
            case DropFunction(names=names, kind=kind):
                pass
            case DropObject(kind=kind, names=names) if kind in {"extension", "foreign server", "operator", "collation"}:
                pass
            case DropOnTable(kind=kind, name=own):
                yield flag(at=one.statement, kind=kind, object=quote(own))
                continue
            case _:
                continue
        for name in names:
            if one.before.resolve(name) not in made and one.before.target(name) not in made:
                yield flag(at=one.statement, kind=kind, object=name)
