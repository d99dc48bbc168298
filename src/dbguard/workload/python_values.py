"""Parameters as Python prints them, to hashes: `(5, 'a', datetime.date(2026, 1, 1))` in, their hashes out. Nothing is evaluated."""

from __future__ import annotations

import ast
import datetime as dt
import decimal
import re
import uuid
import warnings
from collections.abc import Callable
from typing import Any

from dbguard.capture.hashes import NULL, UNKNOWN, written
from dbguard.model.record import Record

MOST_CHARACTERS = 50_000
_CUT = re.compile(r"\(\d+ characters truncated\)")
_MAKERS: dict[str, Callable[..., Any]] = {
    "datetime.datetime": dt.datetime,
    "datetime.date": dt.date,
    "Decimal": decimal.Decimal,
    "UUID": uuid.UUID,
}


class Written(Record):
    hashes: tuple[str, ...]
    many: int  # sets of parameters
    names: tuple[str, ...] = ()


def read_values(text: str, digest: Callable[[str], str]) -> Written | None:
    """None if this is no tuple, list or dict of values."""
    text = text.strip()
    if text == "None":
        return Written((), 1)
    if not text or text[0] not in "([{" or len(text) > MOST_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if isinstance(node, ast.Dict):
        names = tuple(str(key.value) if isinstance(key, ast.Constant) else "" for key in node.keys)
        return Written(tuple(_hash(value, digest) for value in node.values), 1, names)
    items = node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node] if isinstance(node, ast.Constant) else None
    if items is None:
        return None
    if items and isinstance(node, ast.List) and all(isinstance(item, (ast.Tuple, ast.List, ast.Dict)) for item in items):
        return Written((), len(items))
    return Written(tuple(_hash(item, digest) for item in items), 1)


def _hash(node: ast.expr, digest: Callable[[str], str]) -> str:
    value = _value(node)
    if value is None and isinstance(node, ast.Constant):
        return NULL
    if isinstance(value, str) and _CUT.search(value):
        return UNKNOWN
    text = written(value)
    if text is None:
        return UNKNOWN
    return digest(text if isinstance(text, str) else text.decode("utf-8", "surrogateescape"))


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        number = node.operand.value
        return -number if isinstance(number, (int, float)) else None
    if isinstance(node, ast.Call) and not node.keywords:
        make = _MAKERS.get(ast.unparse(node.func))
        arguments = [_value(argument) for argument in node.args]
        if make is not None and None not in arguments:
            try:
                return make(*arguments)
            except (TypeError, ValueError, ArithmeticError):
                return None
    return None
