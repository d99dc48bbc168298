"""Why a default is no value of its column's type, where that is certain: it is converted when it is stored (cookDefault in heap.c)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dbguard.model.expression import Expression
from dbguard.model.state import State
from dbguard.model.types import DataType, builtin
from dbguard.replay.effects.coercions import convert
from dbguard.replay.effects.types import base_type

# What any version reads; from 16 on integers may be hexadecimal, octal or binary, and digits grouped by underscores.
_INTEGER = r"\s*[+-]?(\d+(_\d+)*|0[xX](_?[\da-fA-F])+|0[oO](_?[0-7])+|0[bB](_?[01])+)\s*"
_UUID = r"\{?[\da-fA-F]{4}(-?[\da-fA-F]{4}){7}\}?"
_TRUTHS = ("true", "false", "yes", "no")
_MAX_INT4 = 2**31 - 1


def why_no_default(data_type: DataType, default: Expression, state: State) -> str | None:
    """The reason to refuse `default` for a column of that type."""
    target = base_type(data_type, state)
    tree = default.tree
    if tree[0] == "const" and isinstance(tree[1], str):
        return _why_no_text(data_type, target, tree[1], state)
    source = _type_of(tree, state)
    if source is None or source.array or target.array or not convert(source, target, state).impossible:
        return None
    return f"a column of type {data_type} cannot have a default of type {source}"


def _why_no_text(data_type: DataType, target: DataType, text: str, state: State) -> str | None:
    """A string without a cast is read by the input function of the type."""
    if target.array:
        words = text.strip()
        return None if words.startswith("{") or (words.startswith("[") and "={" in "".join(words.split())) else f'malformed array literal: "{text}"'
    reads = _READS.get(target.builtin or "")
    if reads is not None:
        return None if reads(text) else f'invalid input syntax for type {data_type}: "{text}"'
    found = None if target.builtin is not None else state.schema.types.get(state.resolve_type(target.name))
    if found is not None and found.kind == "enum" and found.created is not None and text not in found.labels:
        return f'invalid input value for enum {data_type}: "{text}"'
    return None


def _type_of(tree: Any, state: State) -> DataType | None:
    """The type of a constant or of a cast (make_const in parse_node.c)."""
    match tree:
        case ("const", bool()):
            return builtin("bool")
        case ("const", int(number)):
            return builtin("int4" if -_MAX_INT4 - 1 <= number <= _MAX_INT4 else "int8")
        case ("number", _):
            return builtin("numeric")
        case ("op", "-", operand):
            return _type_of(operand, state)
        case ("cast", DataType() as data_type, _):
            return base_type(data_type, state)
        case _:
            return None


def _is_truth(text: str) -> bool:
    """parse_bool_with_len in src/backend/utils/adt/bool.c: a beginning of the word is enough."""
    word = text.strip().lower()
    return word in {"on", "of", "off", "1", "0"} or (word != "" and any(one.startswith(word) for one in _TRUTHS))


def _is_json(text: str) -> bool:
    import json

    try:
        json.loads(text)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True


def _is_number(text: str) -> bool:
    word = text.strip().lstrip("+-").lower()
    return any(character.isdigit() for character in word) or word in {"nan", "inf", "infinity"}


def _is_moment(text: str) -> bool:
    return bool(text.strip())


_READS: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(("int2", "int4", "int8"), lambda text: re.fullmatch(_INTEGER, text) is not None),
    **dict.fromkeys(("numeric", "float4", "float8"), _is_number),
    **dict.fromkeys(("date", "time", "timetz", "timestamp", "timestamptz", "interval"), _is_moment),
    **dict.fromkeys(("json", "jsonb"), _is_json),
    "bool": _is_truth,
    "uuid": lambda text: re.fullmatch(_UUID, text) is not None,
}
