"""Whether the conditions of a query imply the predicate of a partial index (predtest.c, as far as people write such predicates)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dbguard.model.expression import Tree
from dbguard.model.schema import Column
from dbguard.model.types import DataType

_STRICT = frozenset({"=", "<", ">", "<=", ">=", "<>", "~~", "!~~", "~~*", "~", "@>", "<@", "&&", "?", "@@", "= ANY", "->", "->>"})
_TEXTS = frozenset({"text", "varchar", "bpchar"})


def implies(conditions: Iterable[Tree], predicate: Tree, columns: Mapping[str, Column]) -> bool:
    """`conditions` all hold, in the names of the table; unknown is no."""
    known = [plain(one) for one in conditions]
    return _holds(known, plain(predicate), columns)


def _holds(known: list[Tree], wanted: Tree, columns: Mapping[str, Column]) -> bool:
    match wanted:
        case ("and", *parts):
            return all(_holds(known, part, columns) for part in parts)
        case ("is_not_null", ("column", str(name))) if name in columns and columns[name].not_null:
            return True
    if any(wanted in {one, _mirrored(one)} or _follows(one, wanted) for one in known):
        return True
    match wanted:
        case ("or", *parts):
            return any(_holds(known, part, columns) for part in parts) or _by_arms(known, wanted, columns)
    return _by_arms(known, wanted, columns)


def _by_arms(known: list[Tree], wanted: Tree, columns: Mapping[str, Column]) -> bool:
    """An OR in the query implies what each of its arms implies."""
    return any(one[0] == "or" and all(_holds(_parts(arm), wanted, columns) for arm in one[1:]) for one in known)


def _parts(tree: Tree) -> list[Tree]:
    return list(tree[1:]) if tree[0] == "and" else [tree]


def _mirrored(tree: Tree) -> Tree:
    match tree:
        case ("op", "=" | "<>" as symbol, left, right):
            return ("op", symbol, right, left)
    return tree


def _follows(one: Tree, wanted: Tree) -> bool:
    match wanted:
        case ("is_not_null", inner):
            return _is_strict_in(one, inner)
        case ("in", column, *values):
            return _values(one, column) <= set(values) if _values(one, column) else False
        case ("op", "<>", column, ("const", _) as value):
            found = _values(one, column)
            return bool(found) and value not in found
        case ("op", symbol, column, ("const" | "number", limit)) if symbol in {"<", ">", "<=", ">="}:
            return _in_range(one, column, symbol, limit)
        case ("not", ("column", _) as column):
            return one in {("op", "=", column, ("const", False)), ("truth", "is_false", column)}
        case ("column", _) as column:
            return one in {("op", "=", column, ("const", True)), ("truth", "is_true", column)}
        case ("op", "=", ("column", _) as column, ("const", bool(value))):
            return one in {column if value else ("not", column), ("truth", "is_true" if value else "is_false", column)}
        case ("truth", "is_true", column):
            return one in {column, ("op", "=", column, ("const", True))}
        case ("truth", "is_false" | "is_not_true", column):
            return one in {("not", column), ("op", "=", column, ("const", False)), ("truth", "is_false", column)}
    return False


def _is_strict_in(one: Tree, inner: Tree) -> bool:
    """Whether a condition can only be true if `inner` is not null."""
    match one:
        case ("op", str(symbol), *sides) if symbol in _STRICT:
            return any(_is_strict_value(side, inner) for side in sides)
        case ("in" | "between", *parts):
            return bool(parts) and (_is_strict_value(parts[0], inner) or _is_strict_in(parts[0], inner))
        case ("not", ("in", side, *_)):
            return _is_strict_value(side, inner)
        case ("column", _):
            return one == inner
        case ("not", ("column", _) as column):
            return bool(column == inner)
    return False


def _is_strict_value(side: Tree, inner: Tree) -> bool:
    if side == inner:
        return True
    match side:
        case ("cast", _, value):
            return _is_strict_value(value, inner)
        case ("op", str(symbol), *sides) if symbol in _STRICT or symbol in {"+", "-", "*", "/", "||"}:
            return any(_is_strict_value(one, inner) for one in sides)
        case ("row", *parts):
            return any(_is_strict_value(one, inner) for one in parts)
        case ("call", name, *arguments) if name in {"lower", "upper", "date_trunc", "btrim"}:
            return any(_is_strict_value(one, inner) for one in arguments)
    return False


def _values(one: Tree, column: Tree) -> set[Tree]:
    """The constants that a condition allows for a column."""
    match one:
        case ("op", "=", left, ("const" | "number", _) as value) if left == column:
            return {value}
        case ("op", "=", ("const" | "number", _) as value, right) if right == column:
            return {value}
        case ("in", left, *values) if left == column and all(value[0] in {"const", "number"} for value in values):
            return set(values)
        case ("or", *arms):
            found = [_values(arm, column) for arm in arms]
            return set().union(*found) if all(found) else set()
    return set()


def _in_range(one: Tree, column: Tree, symbol: str, limit: object) -> bool:
    values = _values(one, column)
    try:
        if values:
            return all(_compare(value[1], symbol, limit) for value in values)
        match one:
            case ("op", str(own), left, ("const" | "number", bound)) if left == column and own in {"<", ">", "<=", ">="} and own[0] == symbol[0]:
                return _compare(bound, symbol, limit) or (bound == limit and (len(symbol) > 1 or own == symbol))
    except (TypeError, ValueError):
        return False
    return False


def _compare(value: object, symbol: str, limit: object) -> bool:
    one, other = float(str(value)), float(str(limit))
    return {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}[symbol]


def plain(tree: Tree) -> Tree:
    """One form for what means the same: casts of constants and between texts left out, `= ANY (ARRAY[...])` as IN, IN of one as equality."""
    match tree:
        case ("cast", DataType() as to, ("const", str()) as inner):
            return inner if not to.array or not str(inner[1]).startswith("{") else _array_constant(str(inner[1]))
        case ("cast", DataType() as to, inner) if to.builtin in _TEXTS:
            return plain(inner)
        case ("cast", DataType(), ("array", *_) as inner):
            return plain(inner)
        case ("op", "= ANY", left, right):
            values = _array_constant(right[1]) if right[0] == "const" and str(right[1]).startswith("{") else plain(right)
            if values[0] == "array":
                return plain(("in", left, *values[1:]))
            return ("op", "= ANY", plain(left), values)
        case ("in", left, value):
            return ("op", "=", plain(left), plain(value))
        case ("between", low, high):
            return ("between", plain(low), plain(high))
        case ("op", "!=", left, right):
            return ("op", "<>", plain(left), plain(right))
        case ("truth", "is_true", inner) if inner[0] == "column":
            return ("truth", "is_true", inner)
        case ("other", "coalesce", *parts):
            return ("coalesce", *map(plain, parts))
        case ("other", "collate", inner):
            return ("collate", plain(inner))
        case ("call", name, *arguments):
            return ("call", name.name, *map(plain, arguments))
    return tuple([plain(part) if type(part) is tuple and part and type(part[0]) is str else part for part in tree])


def _array_constant(text: str) -> Tree:
    return ("array", *[("const", part.strip().strip('"')) for part in text.strip("{}").split(",") if part.strip()])
