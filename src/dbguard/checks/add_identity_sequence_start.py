"""ADD GENERATED AS IDENTITY on a column with values: the sequence starts at 1."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import sequence_of
from dbguard.model.names import quote
from dbguard.model.operations import AddIdentity, AlterSequence, Select, SetIdentity
from dbguard.model.state import EndOfScript, Step

_STARTED = re.compile(r"\b(start|restart)\b", re.IGNORECASE)


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    for position, one in enumerate(script.steps):
        add = one.operation
        if not isinstance(add, AddIdentity) or one.is_new(add.table) or _STARTED.search(one.text):
            continue
        if any(_moves_sequence(later) for later in script.steps[position + 1 :]):
            continue
        yield flag(
            at=one.statement,
            table=add.table,
            column=quote(add.column),
            identity=add.identity.upper(),
            sequence=sequence_of(add.table, add.column),
        )


def _moves_sequence(step: Step) -> bool:
    match step.operation:
        case Select(uses=uses):
            return any(name.name == "setval" for name in uses.functions)
        case AlterSequence(options=options):
            return "restart" in options
        case SetIdentity():
            return _STARTED.search(step.text) is not None
    return False
