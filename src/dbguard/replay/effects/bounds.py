"""Whether validated checks prove that a table holds only rows of a partition's bound, so that it need not be read.

ConstraintImpliedByRelConstraint in src/backend/commands/tablecmds.c and the rules of predicate_implied_by for comparisons
with constants. What is not proved here is taken to be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from dbguard.model.expression import Tree
from dbguard.model.keys import PartitionBound
from dbguard.model.record import Record
from dbguard.model.schema import PartitionKey, Table
from dbguard.replay.effects.not_null import is_never_null, proofs

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}
_NULL = ("null",)
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?([+-]00(:00)?|Z)?")


class Fact(Record):
    """`column operator value`, one of the conditions that all rows meet; for IN the operator is "in" and `value` a tuple."""

    column: str
    operator: str
    value: Any


def is_implied(table: Table, key: PartitionKey, bound: PartitionBound) -> bool:
    """Whether checks of `table` prove that every row lies within `bound`."""
    columns = [one.column for one in key.keys]
    if bound.default or key.strategy == "hash" or None in columns:
        return False
    if key.strategy == "list":
        return _is_in_list(table, str(columns[0]), bound)
    if not all(is_never_null(table, str(column)) for column in columns):
        return False
    mine = [fact for fact in _facts(table) if fact.column == columns[0]]
    several = len(columns) > 1
    return _is_above(mine, bound.lower[0], strictly=several) and _is_below(mine, bound.upper[0], strictly=several)


def is_refuted(table: Table, key: PartitionKey, bound: PartitionBound) -> bool:
    """Whether checks of `table` prove that no row lies within `bound`."""
    column = key.keys[0].column
    if column is None or key.strategy == "hash" or bound.default:
        return False
    if any(check.expression is not None and _negates(check.expression.tree, column, key, bound) for check in proofs(table)):
        return True
    if key.strategy == "list":
        return _is_out_of_list(table, column, bound)
    if len(key.keys) > 1:
        return False
    mine = [fact for fact in _facts(table) if fact.column == column]
    below = bound.lower[0][0] != "minvalue" and _is_below(mine, bound.lower[0], strictly=True)
    return below or (bound.upper[0][0] != "maxvalue" and _is_above(mine, bound.upper[0], strictly=False))


def _negates(tree: Tree, column: str, key: PartitionKey, bound: PartitionBound) -> bool:
    """Whether a check says `NOT (column IS NOT NULL AND ...)` with conditions that all values within `bound` meet."""
    if tree[0] != "not" or len(key.keys) > 1 or _NULL in bound.values:
        return False
    parts = tree[1][1:] if tree[1][0] == "and" else (tree[1],)
    present = ("is_not_null", ("column", column))
    return present in parts and all(part == present or _is_met_within(part, column, bound) for part in parts)


def _is_met_within(part: Tree, column: str, bound: PartitionBound) -> bool:
    match list(_facts_of(part)):
        case [Fact(column=of, operator=operator, value=value)] if of == column:
            if bound.values:
                allowed = value if operator == "in" else (value,) if operator == "=" else ()
                return all(_constant(one) is not None and _constant(one) in allowed for one in bound.values)
            if operator in {">", ">="}:
                return _compare(_constant(bound.lower[0]), value) in ({1} if operator == ">" else {0, 1})
            return operator in {"<", "<="} and _compare(_constant(bound.upper[0]), value) in {-1, 0}
    return False


def overlaps(key: PartitionKey, one: PartitionBound, other: PartitionBound) -> bool:
    """Whether two bounds surely share a value, so that PostgreSQL refuses the second (check_new_partition_bound)."""
    if one.default or other.default:
        return bool(one.default and other.default)
    if key.strategy == "list":
        mine = {repr(_constant(value)) for value in one.values if value != _NULL}
        known = (value for value in other.values if value != _NULL and _constant(value) is not None)
        return (_NULL in one.values and _NULL in other.values) or any(repr(_constant(value)) in mine for value in known)
    if key.strategy == "range" and len(key.keys) == 1:
        return _starts_before(one.lower[0], other.upper[0]) and _starts_before(other.lower[0], one.upper[0])
    return False


def _starts_before(lower: Tree, upper: Tree) -> bool:
    if lower[0] == "minvalue" or upper[0] == "maxvalue":
        return True
    if lower[0] == "maxvalue" or upper[0] == "minvalue":
        return False
    return _compare(_constant(lower), _constant(upper)) == -1


def _is_in_list(table: Table, column: str, bound: PartitionBound) -> bool:
    """A check is met by null as well, whether or not it names it; a bound without NULL needs a column that is never null."""
    values = [_constant(value) for value in bound.values if value != _NULL]
    with_null = _NULL in bound.values
    if None in values or not (with_null or is_never_null(table, column)):
        return False
    return any(_keeps_to(tree, column, values, with_null=with_null) for tree in _checks(table))


def _keeps_to(tree: Tree, column: str, values: list[Any], *, with_null: bool, in_or: bool = False) -> bool:
    """Whether the condition is true or null for no other value of the column.

    Each part of an OR has to imply one value of the bound: there a list of values proves nothing, unless the bound is an OR itself, with NULL
    (predicate_implied_by_recurse in src/backend/optimizer/util/predtest.c).
    """
    one = in_or and not with_null
    match tree:
        case ("and", *parts):
            return any(_keeps_to(part, column, values, with_null=with_null, in_or=in_or) for part in parts if not (one and part[0] == "or"))
        case ("or", *parts):
            return all(_keeps_to(part, column, values, with_null=with_null, in_or=True) for part in parts)
        case ("is_null", inner):
            return with_null and inner == ("column", column)
    listed = {value for fact in _facts_of(tree) if fact.column == column for value in _listed(fact)}
    return bool(listed) and all(value in values for value in listed) and not (one and len(listed) > 1)


def _is_out_of_list(table: Table, column: str, bound: PartitionBound) -> bool:
    values = [_constant(value) for value in bound.values if value != _NULL]
    if None in values or (_NULL in bound.values and not is_never_null(table, column)):
        return False
    return all(any(_keeps_off(tree, column, value) for tree in _checks(table)) for value in values)


def _keeps_off(tree: Tree, column: str, value: Any) -> bool:
    """Whether the condition is false for that value of the column."""
    match tree:
        case ("and", *parts):
            return any(_keeps_off(part, column, value) for part in parts)
        case ("or", *parts):
            return all(_keeps_off(part, column, value) for part in parts)
        case ("op", "<>", ("column", name), other):
            return bool(name == column) and _constant(other) == value
    listed = [one for fact in _facts_of(tree) if fact.column == column for one in _listed(fact)]
    return bool(listed) and all(_differ(one, value) for one in listed)


def _listed(fact: Fact) -> tuple[Any, ...]:
    """The only values that the fact allows, empty if it allows others."""
    if fact.operator == "in":
        return tuple(fact.value)
    return (fact.value,) if fact.operator == "=" else ()


def _is_above(facts: list[Fact], limit: Tree, *, strictly: bool) -> bool:
    if limit[0] == "minvalue":
        return True
    return any(_reaches(fact, _constant(limit), ">", strictly=strictly) for fact in facts)


def _is_below(facts: list[Fact], limit: Tree, *, strictly: bool) -> bool:
    """Below the limit, which a bound excludes: `column <= value` proves it for a smaller value only."""
    if limit[0] == "maxvalue":
        return True
    return any(_reaches(fact, _constant(limit), "<", strictly=True) for fact in facts)


def _reaches(fact: Fact, limit: Any, direction: str, *, strictly: bool) -> bool:
    """Whether the fact keeps the column on that side of `limit`, `strictly` without the limit itself."""
    beyond = 1 if direction == ">" else -1
    if values := _listed(fact):
        return all(_compare(value, limit) == beyond or (not strictly and _compare(value, limit) == 0) for value in values)
    if fact.operator == direction:
        return _compare(fact.value, limit) in {beyond, 0}
    if fact.operator == direction + "=":
        return _compare(fact.value, limit) == beyond or (not strictly and _compare(fact.value, limit) == 0)
    return False


def _checks(table: Table) -> Iterator[Tree]:
    return (check.expression.tree for check in proofs(table) if check.expression is not None)


def _facts(table: Table) -> Iterator[Fact]:
    return (fact for tree in _checks(table) for fact in _facts_of(tree))


def _facts_of(tree: Tree) -> Iterator[Fact]:
    match tree:
        case ("and", *parts):
            for part in parts:
                yield from _facts_of(part)
        case ("op", operator, ("column", column), value) if operator in _MIRRORED and (constant := _constant(value)) is not None:
            yield Fact(column, operator, constant)
        case ("op", operator, value, ("column", column)) if operator in _MIRRORED and (constant := _constant(value)) is not None:
            yield Fact(column, _MIRRORED[operator], constant)
        case ("op", "= ANY", column, ("cast", _, ("array", *values)) | ("array", *values)):
            yield from _facts_of(("in", column, *values))
        case ("in", ("column", column), *values) if values and all(_constant(value) is not None for value in values):
            yield Fact(column, "in", tuple(_constant(value) for value in values))


def _constant(tree: Any) -> Any:
    """The int, float, bool or str that a literal stands for, None for anything else."""
    match tree:
        case ("cast", _, inner):
            return _constant(inner)
        case ("const", value):
            return value
        case ("number", text):
            return float(text)
        case ("op", "-", operand):
            number = _constant(operand)
            return -number if isinstance(number, int | float) else None
        case _:
            return None


def _compare(one: Any, other: Any) -> int | None:
    """-1, 0 or 1; None if the order is not known here. Text has one only where it is a date."""
    if one is None or other is None:
        return None
    if one == other:
        return 0
    if isinstance(one, str) and isinstance(other, str):
        return _compare_texts(one, other)
    if isinstance(one, str) or isinstance(other, str):
        return None
    return -1 if one < other else 1


def _compare_texts(one: str, other: str) -> int | None:
    if _DATE.fullmatch(one) and _DATE.fullmatch(other):
        return -1 if one[:19] < other[:19] else 1 if one[:19] > other[:19] else None
    numbers = [_number(text) for text in (one, other)]
    if numbers[0] is None or numbers[1] is None:
        return None
    return -1 if numbers[0] < numbers[1] else 1 if numbers[0] > numbers[1] else 0


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _differ(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one != other


Proof = Callable[[Table], bool]


def within(parents: tuple[Table, ...], bound: PartitionBound) -> Proof:
    """A test whether a table is proved to hold only rows of a partition of `parents[0]`, and of the partitions above it."""
    bounds: list[tuple[PartitionKey | None, PartitionBound | None]] = [(parents[0].partition_by, bound)]
    bounds += [(above.partition_by, below.bound) for below, above in pairwise(parents)]
    return lambda table: all(key is not None and one is not None and is_implied(table, key, one) for key, one in bounds)
