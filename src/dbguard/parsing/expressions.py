"""Expressions out of the parse tree as small tuples (`dbguard.model.expression.Tree`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model.expression import Expression, Tree
from dbguard.model.names import Name
from dbguard.model.types import CATALOG
from dbguard.parsing.column_types import data_type
from dbguard.parsing.names import constant_text, qualified, strings

Node = dict[str, Any]

DEEPEST = 100  # levels kept; below, only columns, calls and casts are
_NULL: Tree = ("null",)


def expression(node: Node, sql: str) -> Expression:
    return Expression(sql, tree(node))


def tree(node: Node | None, depth: int = 0) -> Tree:
    """The expression in `node`; what nothing reasons about becomes ("other", kind, *parts)."""
    if not node:
        return _NULL
    if depth > DEEPEST:
        return ("other", "deep expression", *_leaves(node))
    kind, value = next(iter(node.items()))
    maker = _MAKERS.get(kind)
    if maker is not None:
        return maker(value, depth + 1)
    return ("other", kind, *_children(value, depth + 1))


def _children(value: Any, depth: int) -> list[Tree]:
    """Trees of the nodes directly below one that is not known here."""
    found: list[Tree] = []
    if isinstance(value, dict):
        for key, child in value.items():
            if isinstance(child, dict) and len(child) == 1 and next(iter(child))[0].isupper():
                found.append(tree(child, depth))
            elif isinstance(child, list) and key not in {"funcname", "typmods"}:
                found.extend(tree(item, depth) for item in child if isinstance(item, dict) and "String" not in item and item)
            elif isinstance(child, dict) and child and depth <= DEEPEST:
                found.extend(_children(child, depth + 1))
    return found


def _leaves(node: Any) -> list[Tree]:
    """Columns, calls and casts anywhere below, without recursion."""
    found: list[Tree] = []
    stack: list[Any] = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, list):
            stack.extend(reversed(top))
            continue
        for key, child in top.items():
            if key == "ColumnRef":
                found.append(_column(child, 0))
            elif key == "FuncCall":
                found.append(("call", qualified(child.get("funcname", []))))
                stack.append(child)
            elif key == "TypeCast":
                found.append(("cast", data_type(child.get("typeName", {})), _NULL))
                stack.append(child)
            elif isinstance(child, (dict, list)):
                stack.append(child)
    return found


def _constant(value: Node, _: int) -> Tree:
    if value.get("isnull"):
        return _NULL
    if "ival" in value:
        return ("const", value["ival"].get("ival", 0))
    if "sval" in value:
        return ("const", value["sval"].get("sval", ""))
    if "boolval" in value:
        return ("const", value["boolval"].get("boolval", False))
    if "fval" in value:
        return ("number", value["fval"].get("fval", "0"))
    return ("const", constant_text(value))


def _column(value: Node, _: int) -> Tree:
    names = strings(value.get("fields", []))
    if value.get("fields") and "A_Star" in value["fields"][-1]:
        return ("other", "star")
    return ("column", names[-1] if names else "")


def _call(value: Node, depth: int) -> Tree:
    arguments = [tree(argument, depth) for argument in value.get("args", [])]
    for key in ("agg_order", "agg_filter", "over"):
        extra = value.get(key)
        if isinstance(extra, list):
            arguments.extend(tree(item.get("SortBy", {}).get("node"), depth) for item in extra)
        elif isinstance(extra, dict):
            arguments.append(tree(extra, depth) if key == "agg_filter" else ("other", "window", *_children(extra, depth)))
    return ("call", qualified(value.get("funcname", [])), *arguments)


def _cast(value: Node, depth: int) -> Tree:
    return ("cast", data_type(value.get("typeName", {})), tree(value.get("arg"), depth))


def _operator(value: Node, depth: int) -> Tree:
    kind = value.get("kind", "")
    symbol = "".join(strings(value.get("name", []))[-1:])
    left, right = value.get("lexpr"), value.get("rexpr")
    if kind == "AEXPR_OP":
        if left is None:
            return ("op", symbol, tree(right, depth))
        return ("op", symbol, tree(left, depth), tree(right, depth))
    if kind == "AEXPR_IN":
        inside = ("in", tree(left, depth), *_list(right, depth))
        return ("not", inside) if symbol == "<>" else inside
    if kind in {"AEXPR_OP_ANY", "AEXPR_OP_ALL"}:
        return ("op", f"{symbol} {kind[-3:]}", tree(left, depth), tree(right, depth))
    if kind in {"AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN"}:
        bounds = _list(right, depth)
        operand = tree(left, depth)
        if len(bounds) == 2:
            both = ("and", ("op", ">=", operand, bounds[0]), ("op", "<=", operand, bounds[1]))
            return both if kind == "AEXPR_BETWEEN" else ("not", both)
    if kind in {"AEXPR_LIKE", "AEXPR_ILIKE"}:
        return ("op", symbol, tree(left, depth), tree(right, depth))
    word = kind.removeprefix("AEXPR_").lower().replace("_", " ")
    return (
        "other",
        word,
        *(_list(part, depth)[0] if "List" not in part else ("other", "list", *_list(part, depth)) for part in (left, right) if part),
    )


def _list(node: Node | None, depth: int) -> list[Tree]:
    if node and "List" in node:
        return [tree(item, depth) for item in node["List"].get("items", [])]
    return [tree(node, depth)]


def _boolean(value: Node, depth: int) -> Tree:
    parts = [tree(argument, depth) for argument in value.get("args", [])]
    kind = {"AND_EXPR": "and", "OR_EXPR": "or"}.get(value.get("boolop", ""), "not")
    return (kind, *parts)


def _null_test(value: Node, depth: int) -> Tree:
    return ("is_null" if value.get("nulltesttype", "IS_NULL") == "IS_NULL" else "is_not_null", tree(value.get("arg"), depth))


def _array(value: Node, depth: int) -> Tree:
    return ("array", *(tree(item, depth) for item in value.get("elements", [])))


def _session_value(value: Node, _: int) -> Tree:
    word = value.get("op", "").removeprefix("SVFOP_").lower()
    return ("call", Name(CATALOG, word.removesuffix("_n")))


def _coalesce(value: Node, depth: int) -> Tree:
    return ("other", "coalesce", *(tree(argument, depth) for argument in value.get("args", [])))


def _collate(value: Node, depth: int) -> Tree:
    return ("other", "collate", tree(value.get("arg"), depth))


def _query(_value: Node, depth: int) -> Tree:
    tests = [tree(_value["testexpr"], depth)] if "testexpr" in _value else []
    return ("other", "query", *tests, *_leaves(_value.get("subselect", {})))


_MAKERS: dict[str, Callable[[Any, int], Tree]] = {
    "A_ArrayExpr": _array,
    "A_Const": _constant,
    "A_Expr": _operator,
    "BoolExpr": _boolean,
    "CoalesceExpr": _coalesce,
    "CollateClause": _collate,
    "ColumnRef": _column,
    "FuncCall": _call,
    "NullTest": _null_test,
    "SQLValueFunction": _session_value,
    "SubLink": _query,
    "TypeCast": _cast,
}


def derived_name(node: Node | None) -> str | None:
    """The name PostgreSQL gives an expression without one, None if it has no idea (FigureColnameInternal in parse_target.c)."""
    return _derive(node, 0)[1]


def _derive(node: Node | None, depth: int) -> tuple[int, str | None]:
    """Strength and name."""
    if not node or depth > DEEPEST:
        return 0, None
    depth += 1
    kind, value = next(iter(node.items()))
    match kind:
        case "ColumnRef":
            names = strings(value.get("fields", []))
            return (2, names[-1]) if names else (0, None)
        case "FuncCall":
            return 2, qualified(value.get("funcname", [])).name
        case "A_Indirection":
            names = strings(value.get("indirection", []))
            return (2, names[-1]) if names else _derive(value.get("arg"), depth)
        case "A_Expr" if value.get("kind") == "AEXPR_NULLIF":
            return 2, "nullif"
        case "TypeCast":
            strength, name = _derive(value.get("arg"), depth)
            return (strength, name) if strength > 1 else (1, "".join(strings(value["typeName"].get("names", []))[-1:]) or None)
        case "CollateClause":
            return _derive(value.get("arg"), depth)
        case "CaseExpr":
            strength, name = _derive(value.get("defresult"), depth)
            return (strength, name) if strength > 1 else (1, "case")
        case "MinMaxExpr":
            return 2, "greatest" if value.get("op") == "IS_GREATEST" else "least"
        case "SQLValueFunction":
            return 2, value.get("op", "").removeprefix("SVFOP_").lower().removesuffix("_n")
        case "SubLink":
            return _derive_query(value, depth)
    return (2, _FIXED[kind]) if kind in _FIXED else (0, None)


_FIXED = {"A_ArrayExpr": "array", "CoalesceExpr": "coalesce", "GroupingFunc": "grouping", "RowExpr": "row", "XmlSerialize": "xmlserialize"}


def _derive_query(link: Node, depth: int) -> tuple[int, str | None]:
    match link.get("subLinkType"):
        case "EXISTS_SUBLINK":
            return 2, "exists"
        case "ARRAY_SUBLINK":
            return 2, "array"
        case "EXPR_SUBLINK":
            targets = link.get("subselect", {}).get("SelectStmt", {}).get("targetList", [])
            if targets:
                target = targets[0].get("ResTarget", {})
                return (2, target["name"]) if "name" in target else _derive(target.get("val"), depth)
    return 0, None
