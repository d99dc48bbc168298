"""A prediction and an observation in, what they do not agree on out: one readable line each."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.operations import Call, Copy, Delete, Do, Insert, Merge, Select, Truncate, Update
from dbguard.model.record import Record
from dbguard.model.source import Statement
from dbguard.model.state import Effects
from dbguard.postgres.observe import ACTIVE_SQL_TRANSACTION, INVALID_TRANSACTION_TERMINATION, Observation

_ON_ROWS = (Insert, Update, Delete, Merge, Copy, Select, Truncate, Call, Do)


class Compared(Record):
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what could not be compared, and why


def is_on_rows(statement: Statement) -> bool:
    """Whether what the statement does depends on the rows that it finds."""
    return any(isinstance(operation, _ON_ROWS) for operation in statement.operations)


def compare(statement: Statement, predicted: Effects, seen: Observation) -> Compared:
    """Differences. What a prediction says it does not know is no difference, nor what a row would have done that was not there."""
    observed = seen.effects
    in_body = any(isinstance(operation, Do) for operation in statement.operations)
    if predicted.transaction == "forbidden" and seen.within and seen.sqlstate in {ACTIVE_SQL_TRANSACTION, INVALID_TRANSACTION_TERMINATION}:
        return Compared()
    if predicted.fails or observed.fails:
        if bool(predicted.fails) == bool(observed.fails):
            return Compared()
        line = f"fails: predicted {predicted.fails or 'nothing'}, observed {observed.fails or 'nothing'}"
        if in_body:
            return Compared(notes=(f"a DO block can test first, and catch errors: {line}",))
        if not observed.fails and _needs_rows(predicted, seen):
            return Compared(notes=(f"its tables are empty here, so this was not seen: {predicted.fails}",))
        if observed.fails and (seen.sqlstate or "").startswith(_ABOUT_VALUES):
            return Compared(notes=("what the values of rows make fail is not predicted",))
        return _judged(statement, predicted, [line], [])
    found, missed = _locks(predicted, seen)
    for field in ("rewrites", "scans", "builds"):
        mine, real = set(getattr(predicted, field)), set(getattr(observed, field))
        if mine != real and not (in_body and mine > real) and not _is_empty_truncate(statement, seen, real - mine):
            found.append(f"{field}: predicted {_names(mine)}, observed {_names(real)}")
    if not in_body and _is_other(predicted.transaction, seen):
        found.append(f"transaction: {predicted.transaction} as predicted, {observed.transaction} as observed")
    if missed and is_on_rows(statement):
        return _judged(statement, predicted, found, [f"not seen, as no row went there: {line}" for line in missed])
    return _judged(statement, predicted, [*missed, *found], [])


def _needs_rows(predicted: Effects, seen: Observation) -> bool:
    """Whether it was said to fail on rows, and there are none."""
    if not (predicted.fails or "").endswith("contains null values"):
        return False
    names = {lock.relation for lock in predicted.locks}
    return all(relation.bytes == 0 for relation in seen.facts.before.values() if relation.name in names)


def _judged(statement: Statement, predicted: Effects, found: list[str], notes: list[str]) -> Compared:
    if found and (predicted.unknown or statement.unread):
        return Compared(notes=(*notes, *(f"the prediction says it does not know all: {line}" for line in found)))
    return Compared(tuple(found), tuple(notes))


def _locks(predicted: Effects, seen: Observation) -> tuple[list[str], list[str]]:
    """Locks that are stronger than predicted, and those that are weaker or were not taken.

    A lock that the transaction held already, or held a stronger one of, changes nothing and need not show.
    """
    mine = {lock.relation: lock.mode for lock in predicted.locks}
    real = {lock.relation: lock.mode for lock in seen.effects.locks}
    more, missed = [], []
    for relation in sorted(mine.keys() | real.keys()):
        mode, taken, held = mine.get(relation), real.get(relation), seen.held.get(relation, frozenset())
        text = f"lock on {relation}: predicted {mode or 'none'}, observed {taken or 'none'}"
        if mode is None or (taken is not None and taken > mode):
            more.append(text)
        elif taken is None or taken < mode:
            missed += [] if held and max(held) >= mode else [text]
    return more, missed


def _is_other(predicted: str, seen: Observation) -> bool:
    """Inside a transaction, it shows only that a transaction is not forbidden."""
    if seen.within:
        return predicted == "forbidden"
    return predicted != seen.effects.transaction


def _is_empty_truncate(statement: Statement, seen: Observation, more: set[Name]) -> bool:
    """TRUNCATE of an empty table gives it a new file like a rewrite, and its indexes as well."""
    if not any(isinstance(operation, Truncate) for operation in statement.operations):
        return False
    return all(relation.bytes == 0 for relation in seen.facts.before.values() if relation.name in more)


_ABOUT_VALUES = ("22", "23")  # classes data exception and integrity constraint violation


def _names(names: set[Name]) -> str:
    return ", ".join(map(str, sorted(names))) or "nothing"
