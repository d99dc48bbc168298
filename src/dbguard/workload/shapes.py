"""The text of a call to what it asks for: its shape and the few facts that explain why a call is repeated.

In: SQL as it was sent, placeholders of any driver. Out: `Asked`, computed once per distinct text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from dbguard.model.expression import Tree
from dbguard.model.syntax import Body, From, Text
from dbguard.model.units import Asked
from dbguard.parsing.query import read_query
from dbguard.parsing.query.shapes import Shape, shape_of

_CONTROL = {
    "begin": "begin",
    "start": "begin",
    "commit": "commit",
    "end": "commit",
    "rollback": "rollback",
    "abort": "rollback",
    "savepoint": "control",
    "release": "control",
    "set": "control",
    "reset": "control",
    "discard": "control",
    "show": "control",
    "listen": "control",
    "unlisten": "control",
    "notify": "control",
    "prepare": "control",
    "deallocate": "control",
    "explain": "control",
}
_TO_SAVEPOINT = re.compile(r"(?is)^\s*rollback\b.*\bto\b")
_HARMLESS = {
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "coalesce",
    "lower",
    "upper",
    "length",
    "now",
    "date_trunc",
    "current_timestamp",
    "greatest",
    "least",
}
_SIGNS = {"<", ">", "<=", ">="}
MOST_DEPTH = 40


_OWN = re.compile(r"(?i) OFFSET | IN \(|\bVALUES \(")
_by_shape: dict[str, Asked] = {}
MOST_SHAPES = 50_000


@lru_cache(maxsize=50_000)
def asked(sql: str) -> Asked:
    """What a text asks for. Never raises because of the text. Texts of one shape say the same, but for what pages and lists are of."""
    shape = shape_of(sql)
    known = _by_shape.get(shape.key)
    if known is None:
        known = _read(sql, shape)
        if not _OWN.search(shape.sql):
            if len(_by_shape) >= MOST_SHAPES:
                _by_shape.clear()
            _by_shape[shape.key] = known
    return known


def _read(sql: str, shape: Shape) -> Asked:
    word = re.match(r"\s*([A-Za-z]+)", shape.sql)
    first = word[1].lower() if word else ""
    if control := _CONTROL.get(first):
        return Asked(shape.key, shape.sql, "control" if _TO_SAVEPOINT.match(shape.sql) else control)
    text = read_query(sql)
    if text.body is None:
        return Asked(shape.key, shape.sql, first if first in {"select", "insert", "update", "delete"} else "other")
    return _facts(Asked(shape.key, shape.sql), text, text.body)


def _facts(found: Asked, text: Text, body: Body) -> Asked:
    tables = tuple(dict.fromkeys(_tables(body)))
    where = _conjuncts(body.where)
    offset, offset_at = _offset(body.offset, text)
    calls = {node[1].name for node in _walk_body(body) if node[0] == "call" and hasattr(node[1], "name")}
    ranged = any(_is_range(one) for one in where)
    return found._replace(
        command="select" if body.command in {"select", "values", "union", "union all", "intersect", "except"} else body.command,
        tables=tuple(name for _, name in tables),
        equal=tuple(column for one in where if (column := _equal(one))),
        counted=len(body.outputs) == 1 and _is_count(body.outputs[0].tree),
        aggregated=bool(body.outputs) and not body.group and all(_is_aggregate(one.tree) for one in body.outputs),
        exists=(body.limit is not None and len(body.outputs) == 1 and body.outputs[0].tree[:1] in {("const",), ("param",)})
        or (len(body.outputs) == 1 and body.outputs[0].tree[:1] != () and "exists" in str(body.outputs[0].tree[:2]).lower()),
        limited=body.limit is not None,
        offset=offset,
        offset_at=offset_at,
        window=not any(_equal(one) for one in where) and _has_window(where),
        keyset=body.limit is not None and ranged and bool(body.order),
        many_keys=any(_has_many_keys(one) for one in where) or any(map(_has_values, body.sources)),
        listed=any(one[:2] == ("op", "= ANY") for one in where),
        locks=bool(body.locks),
        catalog=body.command == "select" and (not tables or all(_is_catalog(schema, name) for schema, name in tables)),
        one_row=body.command == "insert" and (len(body.rows) == 1 or (body.source is not None and len(body.source.rows) == 1)),
        functions=bool(calls - _HARMLESS),
        asks_from=_asks_from(found.sql),
    )


def _is_catalog(schema: str, name: str) -> bool:
    return schema in {"pg_catalog", "information_schema"} or (not schema and name.startswith("pg_"))


def _tables(body: Body, depth: int = 0) -> Iterator[tuple[str, str]]:
    if depth > MOST_DEPTH:
        return
    if body.target is not None and body.target.name is not None:
        yield body.target.name.schema or "", body.target.name.name
    named = {one.name for one in body.ctes}
    for source in body.sources:
        yield from (one for one in _of_from(source, depth) if one[1] not in named)
    for inner in (*(one.body for one in body.ctes), *body.arms, *([body.source] if body.source is not None else [])):
        yield from (one for one in _tables(inner, depth + 1) if one[1] not in named)
    for node in _walk_body(body):
        for part in node:
            if isinstance(part, Body):
                yield from _tables(part, depth + 1)


def _of_from(source: From, depth: int) -> Iterator[tuple[str, str]]:
    if depth > MOST_DEPTH:
        return
    if source.name is not None:
        yield source.name.schema or "", source.name.name
    if source.body is not None:
        yield from _tables(source.body, depth + 1)
    for one in source.joins:
        yield from _of_from(one, depth + 1)


def _walk_body(body: Body) -> Iterator[Tree]:
    todo: list[Any] = [body.where, body.having, *(one.tree for one in body.outputs), *(one.tree for one in body.assigned)]
    while todo:
        node = todo.pop()
        if type(node) is tuple and node:
            if type(node[0]) is str:
                yield node
            todo += [child for child in node if type(child) is tuple and child]


def _conjuncts(tree: Tree | None) -> list[Tree]:
    todo, found = [tree] if tree else [], []
    while todo:
        one = todo.pop(0)
        if one[0] in {"and", "between"}:
            todo = [*one[1:], *todo]
        else:
            found.append(one)
    return found


def _is_given(tree: Tree) -> bool:
    while tree[0] == "cast" and len(tree) > 2:
        tree = tree[2]
    return bool(tree[0] in {"param", "const", "number"})


def _column(tree: Tree) -> str:
    while tree[0] == "cast" and len(tree) > 2:
        tree = tree[2]
    return str(tree[1][-1]) if tree[0] == "ref" else ""


def _equal(tree: Tree) -> str:
    if tree[:2] == ("op", "=") and len(tree) == 4:
        return _column(tree[2]) if _is_given(tree[3]) else _column(tree[3]) if _is_given(tree[2]) else ""
    if tree[0] == "in" and len(tree) == 3 and _is_given(tree[2]):
        return _column(tree[1])
    return _column(tree[2]) if tree[:2] == ("op", "= ANY") and len(tree) == 4 else ""


def _is_range(tree: Tree) -> bool:
    return (tree[0] == "op" and tree[1] in _SIGNS and len(tree) == 4) or (tree[0] == "or" and any(_is_range(one) for one in tree[1:]))


def _has_window(where: list[Tree]) -> bool:
    """Whether one column is bound from below and from above."""
    bounds = [(_column(one[2]), one[1][0]) for one in where if one[0] == "op" and one[1] in _SIGNS and len(one) == 4 and _is_given(one[3])]
    return any((column, ">") in bounds for column, sign in bounds if column and sign == "<")


def _has_many_keys(tree: Tree) -> bool:
    return tree[0] == "in" and len(tree) > 3


def _has_values(source: From, depth: int = 0) -> bool:
    """Whether rows that are written out are joined."""
    if source.body is not None and source.body.command == "values" and len(source.body.rows) > 1:
        return True
    return depth < MOST_DEPTH and any(_has_values(one, depth + 1) for one in source.joins)


_AGGREGATES = {"count", "sum", "min", "max", "avg", "bool_and", "bool_or", "array_agg", "string_agg", "json_agg", "jsonb_agg"}


def _is_aggregate(tree: Tree) -> bool:
    while (tree[0] == "cast" and len(tree) > 2) or (tree[0] == "call" and getattr(tree[1], "name", "") == "coalesce" and len(tree) > 2):
        tree = tree[2]
    return bool(tree[0] == "call" and getattr(tree[1], "name", "") in _AGGREGATES)


def _is_count(tree: Tree) -> bool:
    return bool(tree[0] == "call" and getattr(tree[1], "name", "") == "count")


def _offset(tree: Tree | None, text: Text) -> tuple[str, int]:
    if tree is None or tree == ("null",):
        return "", -1
    while tree[0] == "cast" and len(tree) > 2:
        tree = tree[2]
    if tree[0] == "param":
        known = max(map(int, re.findall(r"\$(\d+)", text.sql)), default=1)
        return "parameter", int(tree[1]) - 1 - known  # from the end
    return ("constant", int(tree[1])) if tree[0] == "const" and type(tree[1]) is int else ("constant", -1)


def _asks_from(sql: str) -> str:
    start = sql.upper().find(" FROM ")
    rest = sql[start + 6 :] if start >= 0 else ""
    if rest.startswith("("):
        inner = rest.upper().find(" FROM ")
        rest = rest[inner + 6 : rest.rfind(")")] if inner >= 0 else ""
    end = re.search(r"(?i)\s+(?:order by|limit|offset|fetch)\b", rest)
    return rest[: end.start()].strip() if end else rest.strip()
