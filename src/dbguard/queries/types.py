"""Types of expressions, as far as indexes depend on them; None where it is not known, as for a parameter without a cast."""

from __future__ import annotations

from collections.abc import Callable

from dbguard.model.expression import Tree
from dbguard.model.types import DataType, builtin

_RESULTS = {
    "now": "timestamptz",
    "current_timestamp": "timestamptz",
    "transaction_timestamp": "timestamptz",
    "statement_timestamp": "timestamptz",
    "clock_timestamp": "timestamptz",
    "current_date": "date",
    "localtimestamp": "timestamp",
    "count": "int8",
    "length": "int4",
    "char_length": "int4",
    "lower": "text",
    "upper": "text",
    "trim": "text",
    "btrim": "text",
    "concat": "text",
    "md5": "text",
    "to_char": "text",
    "gen_random_uuid": "uuid",
    "random": "float8",
    "row_number": "int8",
    "rank": "int8",
    "array_length": "int4",
    "cardinality": "int4",
    "jsonb_build_object": "jsonb",
    "to_jsonb": "jsonb",
    "jsonb_agg": "jsonb",
    "string_agg": "text",
    "bool_or": "bool",
    "bool_and": "bool",
}
_SAME = frozenset({"max", "min", "nullif", "abs", "coalesce", "greatest", "least"})
_BOOLEANS = frozenset({"and", "or", "not", "in", "is_null", "is_not_null", "truth", "between", "distinct from", "not distinct from"})
_COMPARISONS = frozenset({"=", "<>", "<", ">", "<=", ">=", "~~", "!~~", "~~*", "!~~*", "~", "@>", "<@", "?", "?|", "?&", "&&"})

Columns = Callable[[int, str], DataType | None]


def type_of(tree: Tree, columns: Columns) -> DataType | None:
    """The type of an expression whose columns have the types that `columns` tells."""
    match tree:
        case ("at", int(number), str(name)):
            return columns(number, name)
        case ("cast", DataType() as to, _):
            return to
        case ("const", bool()):
            return builtin("bool")
        case ("const", int()):
            return builtin("int4")
        case ("number", str(text)):
            return builtin("int8") if text.isdigit() and len(text) < 19 else builtin("numeric")
        case ("collate", inner):
            return type_of(inner, columns)
        case ("call", name, *arguments):
            if name.name in _SAME and arguments:
                return type_of(arguments[0], columns)
            return builtin(_RESULTS[name.name]) if name.name in _RESULTS else None
        case ("window", call, *_):
            return type_of(call, columns)
        case ("coalesce", *parts):
            return next((found for part in parts if (found := type_of(part, columns)) is not None), None)
        case ("case", _, *branches):
            results = [branch[-1] for branch in branches]
            return next((found for one in results if (found := type_of(one, columns)) is not None), None)
        case ("array", *parts):
            found = next((one for part in parts if (one := type_of(part, columns)) is not None), None)
            return None if found is None else found._replace(array=True, modifiers=())
    if tree[0] in _BOOLEANS:
        return builtin("bool")
    return _operator(tree, columns)


def _operator(tree: Tree, columns: Columns) -> DataType | None:
    match tree:
        case ("op", "->>" | "#>>", *_):
            return builtin("text")
        case ("op", "->" | "#>", left, _):
            return type_of(left, columns)
        case ("op", "||", left, right):
            return type_of(left, columns) or type_of(right, columns)
        case ("op", "+" | "-", left, right):
            return _sum(tree[1], type_of(left, columns), type_of(right, columns))
        case ("op", "*" | "/" | "%", left, right):
            return _wider(type_of(left, columns), type_of(right, columns))
        case ("op", str(symbol), *_) if symbol in _COMPARISONS or symbol.endswith((" ANY", " ALL")):
            return builtin("bool")
    return None


_NUMBERS = ("int2", "int4", "int8", "numeric", "float4", "float8")
_TIMES = frozenset({"timestamptz", "timestamp", "time", "timetz"})


def _sum(symbol: str, left: DataType | None, right: DataType | None) -> DataType | None:
    one, other = (left.builtin if left else None), (right.builtin if right else None)
    if one in _TIMES and symbol == "-" and other in _TIMES:
        return builtin("interval")
    if one in _TIMES:
        return left
    if one == "date":
        return builtin("timestamp") if other == "interval" else left if other in {"int4", None} and symbol == "+" else None
    return _wider(left, right)


def _wider(left: DataType | None, right: DataType | None) -> DataType | None:
    if left is None or right is None or left.builtin not in _NUMBERS or right.builtin not in _NUMBERS:
        return None
    return builtin(max(left.builtin, right.builtin, key=_NUMBERS.index))
