"""The state that an operation leaves: `advance(state, operation)` is pure and answers for every operation in every state.

Each module gives a table from operation class to a function `(state, operation) -> State`. What an operation that the
server refuses would do is of no interest here: it is applied as far as that makes sense, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model.operations import Operation
from dbguard.model.state import State
from dbguard.replay.advance.alter import ADVANCE as ALTER
from dbguard.replay.advance.columns import ADVANCE as COLUMNS
from dbguard.replay.advance.constraints import ADVANCE as CONSTRAINTS
from dbguard.replay.advance.create import ADVANCE as CREATE
from dbguard.replay.advance.domains import ADVANCE as DOMAINS
from dbguard.replay.advance.drop import ADVANCE as DROP
from dbguard.replay.advance.indexes import ADVANCE as INDEXES
from dbguard.replay.advance.objects import ADVANCE as OBJECTS
from dbguard.replay.advance.partitions import ADVANCE as PARTITIONS
from dbguard.replay.advance.publications import ADVANCE as PUBLICATIONS
from dbguard.replay.advance.queries import ADVANCE as QUERIES
from dbguard.replay.advance.renames import ADVANCE as RENAMES
from dbguard.replay.advance.session import ADVANCE as SESSION

__all__ = ["advance"]

_ADVANCE: dict[type, Callable[[State, Any], State]] = {
    **SESSION,
    **CREATE,
    **ALTER,
    **COLUMNS,
    **CONSTRAINTS,
    **DROP,
    **INDEXES,
    **PARTITIONS,
    **RENAMES,
    **OBJECTS,
    **DOMAINS,
    **PUBLICATIONS,
    **QUERIES,
}


_latest: tuple[State, Operation, State] = (State(), None, State())


def advance(state: State, operation: Operation) -> State:
    """The state after `operation`; `state` itself if it changes nothing that is kept.

    The latest answer is remembered: effects ask for it again.
    """
    global _latest  # noqa: PLW0603 - a memory of one, which changes no answer
    function = _ADVANCE.get(type(operation))
    if function is None:
        return state
    if _latest[0] is state and _latest[1] is operation:
        return _latest[2]
    try:
        after = function(state, operation)
    except RecursionError:  # views on views, or partitions of partitions, hundreds of levels deep
        after = state
    _latest = (state, operation, after)
    return after
