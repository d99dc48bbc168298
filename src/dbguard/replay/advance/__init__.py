"""The state that an operation leaves: `advance(state, operation)` is pure and answers for every operation in every state.

Each module gives a table from operation class to a function `(state, operation) -> State`. What an operation that the
server refuses would do is of no interest here: it is applied as far as that makes sense, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model.operations import Operation
from dbguard.model.state import State
from dbguard.replay.advance import alter, columns, constraints, create, domains, drop, indexes, objects, partitions, queries, renames, session

__all__ = ["advance"]

_ADVANCE: dict[type, Callable[[State, Any], State]] = {
    operation: function
    for module in (session, create, alter, columns, constraints, drop, indexes, partitions, renames, objects, domains, queries)
    for operation, function in module.ADVANCE.items()
}


def advance(state: State, operation: Operation) -> State:
    """The state after `operation`; `state` itself if it changes nothing that is kept."""
    function = _ADVANCE.get(type(operation))
    return state if function is None else function(state, operation)
