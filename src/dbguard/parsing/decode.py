"""SQL text to the parse tree of PostgreSQL as dicts and lists, however deep it is."""

from __future__ import annotations

import json
import re
from typing import Any

from pglast.parser import ParseError, parse_sql_json, split

__all__ = ["ParseError", "Tree", "decode", "parse_tree", "portions", "reason"]

Tree = dict[str, Any]

_JSON = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*+")(\s*:)?|([\[\]{}])|(-?\d[\d.eE+-]*+|true|false|null)|(,))')


def parse_tree(sql: str) -> list[Tree]:
    """The statements of `sql`: `{"stmt": {...}, "stmt_location": bytes, "stmt_len": bytes}`. Raises ParseError."""
    found: list[Tree] = decode(parse_sql_json(sql)).get("stmts", [])
    return found


def portions(sql: str, size: int) -> list[tuple[int, int]]:
    """Start and end of runs of whole statements of about `size` characters each. Raises ParseError."""
    found, begin = [], 0
    for statement in split(sql, with_parser=True, only_slices=True):
        if statement.start - begin >= size:
            found.append((begin, statement.start))
            begin = statement.start
    return [*found, (begin, len(sql))]


def decode(text: str) -> Any:
    """`json.loads` for any depth: a sum of a thousand terms is a thousand levels."""
    try:
        return json.loads(text)
    except RecursionError:
        return _decode_deep(text)


def reason(error: BaseException) -> str:
    """Why the parser refused, in its own words."""
    return str(error.args[0]) if error.args else type(error).__name__


def _decode_deep(text: str) -> Any:
    root: list[Any] = []
    stack: list[Any] = [root]
    key: str | None = None
    for match in _JSON.finditer(text):
        string, colon, bracket, scalar, _ = match.groups()
        if colon is not None:
            key = json.loads(string)
            continue
        value: Any
        if bracket is not None:
            if bracket in "]}":
                stack.pop()
                continue
            value = {} if bracket == "{" else []
        elif string is not None or scalar is not None:
            value = json.loads(string or scalar)
        else:
            continue
        top = stack[-1]
        if isinstance(top, dict):
            top[key] = value
        else:
            top.append(value)
        if bracket is not None:
            stack.append(value)
    return root[0]
