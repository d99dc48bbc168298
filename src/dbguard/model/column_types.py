"""What a change of a column's type means for the values in it. Which work PostgreSQL does is told by effects, not here."""

from __future__ import annotations

from dbguard.model.expression import Expression
from dbguard.model.names import quote
from dbguard.model.operations import ChangeColumnType
from dbguard.model.record import Record
from dbguard.model.schema import Column
from dbguard.model.types import DataType

TEXTS = {"text", "varchar", "bpchar"}
INTEGERS = {"int2": 15, "int4": 31, "int8": 63}


class Narrowing(Record):
    """A change after which some values of the old type have no place."""

    outcome: str  # what happens to such values
    condition: str  # true for values that fit


def narrowing(old: DataType, change: ChangeColumnType) -> Narrowing | None:
    """What is lost or refused when the column changes from `old`; None if every value fits, or a USING says what to do."""
    new, column = change.type, quote(change.column)
    if old.array or new.array or (change.using is not None and not is_cast_of(change.using, change.column)):
        return None
    before, after = old.builtin or "", new.builtin or ""
    if before in TEXTS and after in {"varchar", "bpchar"}:
        limit = _limit(new)
        old_limit = _limit(old)
        if limit is None or (old_limit is not None and old_limit <= limit):
            return None
        return Narrowing(
            "cuts every longer value" if change.using is not None else "fails at the first longer value", f"char_length({column}) <= {limit}"
        )
    if before in INTEGERS and after in INTEGERS and INTEGERS[after] < INTEGERS[before]:
        bound = 1 << INTEGERS[after]
        return Narrowing("fails at the first value out of range", f"{column} BETWEEN {-bound} AND {bound - 1}")
    if before == after == "numeric":
        return _numeric(old, new, column)
    return None


def is_zone_change(old: Column | None, change: ChangeColumnType) -> bool:
    """Whether a timestamp becomes a timestamptz or the reverse, read as UTC: `USING c AT TIME ZONE 'UTC'`, or no USING."""
    kinds = {"timestamp", "timestamptz"}
    if change.type.builtin not in kinds or change.type.array or change.type.modifiers:
        return False
    if old is not None and (old.type.array or {old.type.builtin, change.type.builtin} != kinds):
        return False
    if change.using is None:
        return old is not None
    match change.using.tree:
        case ("call", name, ("const", zone), ("column", column)):
            return bool(name.name == "timezone" and str(zone).upper() in {"UTC", "ETC/UTC"} and column == change.column)
    return False


def is_cast_of(expression: Expression, column: str) -> bool:
    """Whether the expression is the column, cast or not."""
    tree = expression.tree
    while tree[0] == "cast":
        tree = tree[2]
    return tree == ("column", column)


def _numeric(old: DataType, new: DataType, column: str) -> Narrowing | None:
    if not new.modifiers or not all(modifier.lstrip("-").isdigit() for modifier in (*old.modifiers, *new.modifiers)):
        return None
    precision, scale = _digits(new)
    if old.modifiers:
        old_precision, old_scale = _digits(old)
        if scale >= old_scale and precision - scale >= old_precision - old_scale:
            return None
        if precision - scale >= old_precision - old_scale:
            return Narrowing("rounds every longer fraction", f"{column} = round({column}, {scale})")
    return Narrowing("fails at the first value out of range", f"abs({column}) < 1e{precision - scale} AND {column} = round({column}, {scale})")


def _digits(data_type: DataType) -> tuple[int, int]:
    precision, *scale = map(int, data_type.modifiers)
    return precision, scale[0] if scale else 0


def _limit(data_type: DataType) -> int | None:
    """The length of varchar(n) or char(n); a bare `char` is parsed as char(1)."""
    return int(data_type.modifiers[0]) if data_type.modifiers and data_type.modifiers[0].isdigit() else None
