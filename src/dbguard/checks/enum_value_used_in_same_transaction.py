"""A new label of an enum is used before the transaction that added it has committed."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import text_literal
from dbguard.model.operations import AddEnumValue, Comment, CreateFunction, CreateTrigger
from dbguard.model.state import EndOfTransaction, Step


def check(transaction: EndOfTransaction, step: Step) -> Iterator[Flag]:
    added: dict[str, AddEnumValue] = {}
    for one in transaction.steps:
        if one.before.transaction is None:
            continue
        if isinstance(one.operation, AddEnumValue):
            known = one.before.schema.types.get(one.before.resolve_type(one.operation.type))
            is_new = known is not None and known.created is not None and known.created.transaction == one.before.now.transaction
            if not (is_new and step.server.since(17)) and (known is None or one.operation.label not in known.labels):
                added[one.operation.label] = one.operation
            continue
        if isinstance(one.operation, Comment | CreateFunction | CreateTrigger):
            continue  # bodies and arguments are text until they run
        for label in tuple(added):
            if text_literal(label) in one.text:
                yield flag(at=one.statement, label=label, type=added.pop(label).type)
