"""Expressions of queries out of the parse tree: columns keep their qualifiers and sub-queries their bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model.expression import Tree
from dbguard.model.names import Name
from dbguard.model.syntax import Body
from dbguard.model.types import CATALOG
from dbguard.parsing.column_types import data_type
from dbguard.parsing.names import constant_text, qualified, strings

Node = dict[str, Any]
Inner = Callable[[Node, int], Body]

DEEPEST = 120  # levels of expressions and sub-queries; a query that is deeper is named as unread
_NULL: Tree = ("null",)


class TooDeepError(ValueError):
    """The query is nested deeper than is looked at."""


class Trees:
    """Makes trees; `inner` makes the body of a sub-query."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Inner) -> None:
        self._inner = inner

    def tree(self, node: Node | None, depth: int) -> Tree:
        if not node:
            return _NULL
        if depth > DEEPEST:
            raise TooDeepError(f"nested deeper than {DEEPEST} levels")
        kind, value = next(iter(node.items()))
        maker = _MAKERS.get(kind)
        if maker is not None:
            return maker(self, value, depth + 1)
        return ("other", kind, *self._children(value, depth + 1))

    def all(self, nodes: Any, depth: int) -> tuple[Tree, ...]:
        return tuple([self.tree(node, depth) for node in nodes or ()])

    def _children(self, value: Any, depth: int) -> list[Tree]:
        found: list[Tree] = []
        if isinstance(value, dict):
            for key, child in value.items():
                if key in {"typeName", "returning", "output", "typmods", "name"}:
                    continue
                if isinstance(child, dict) and len(child) == 1 and next(iter(child))[0].isupper():
                    found.append(self.tree(child, depth))
                elif isinstance(child, dict):
                    found.extend(self._children(child, depth))
                elif isinstance(child, list):
                    found.extend(self.tree(item, depth) for item in child if isinstance(item, dict) and item and "String" not in item)
        return found

    def column(self, value: Node, _: int) -> Tree:
        fields = value.get("fields", [])
        parts = tuple(strings(fields))
        return ("star", parts) if fields and "A_Star" in fields[-1] else ("ref", parts)

    def constant(self, value: Node, _: int) -> Tree:
        if value.get("isnull"):
            return _NULL
        if "ival" in value:
            return ("const", value["ival"].get("ival", 0))
        if "boolval" in value:
            return ("const", value["boolval"].get("boolval", False))
        if "fval" in value:
            return ("number", value["fval"].get("fval", "0"))
        return ("const", constant_text(value))

    def parameter(self, value: Node, _: int) -> Tree:
        return ("param", value.get("number", 0))

    def call(self, value: Node, depth: int) -> Tree:
        found: list[Any] = ["call", qualified(value.get("funcname", []))]
        found += [("star", ())] if value.get("agg_star") else self.all(value.get("args"), depth)
        if value.get("agg_distinct"):
            found.append(("distinct",))
        if "agg_filter" in value:
            found.append(("filter", self.tree(value["agg_filter"], depth)))
        if "agg_order" in value:
            found.append(("order", *[self.tree(item["SortBy"].get("node"), depth) for item in value["agg_order"] if "SortBy" in item]))
        if "over" in value:
            return ("window", tuple(found), *self.window(value["over"], depth))
        return tuple(found)

    def window(self, value: Node, depth: int) -> tuple[Tree, ...]:
        order = [item["SortBy"].get("node") for item in value.get("orderClause", ()) if "SortBy" in item]
        return (*self.all(value.get("partitionClause"), depth), *self.all(order, depth))

    def cast(self, value: Node, depth: int) -> Tree:
        return ("cast", data_type(value.get("typeName", {})), self.tree(value.get("arg"), depth))

    def operator(self, value: Node, depth: int) -> Tree:
        kind = value.get("kind", "")
        symbol = "".join(strings(value.get("name", []))[-1:])
        left, right = value.get("lexpr"), value.get("rexpr")
        if kind in {"AEXPR_OP", "AEXPR_LIKE", "AEXPR_ILIKE"}:
            return ("op", symbol, self.tree(right, depth)) if left is None else ("op", symbol, self.tree(left, depth), self.tree(right, depth))
        if kind == "AEXPR_IN":
            inside = ("in", self.tree(left, depth), *self.items(right, depth))
            return ("not", inside) if symbol == "<>" else inside
        if kind in {"AEXPR_OP_ANY", "AEXPR_OP_ALL"}:
            return ("op", f"{symbol} {kind[-3:]}", self.tree(left, depth), self.tree(right, depth))
        if kind in {"AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN"}:
            operand, bounds = self.tree(left, depth), self.items(right, depth)
            if len(bounds) == 2:
                both = ("and", ("op", ">=", operand, bounds[0]), ("op", "<=", operand, bounds[1]))
                return ("between", *both[1:]) if kind == "AEXPR_BETWEEN" else ("not", both)
        if kind in {"AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"}:
            word = "distinct from" if kind == "AEXPR_DISTINCT" else "not distinct from"
            return (word, self.tree(left, depth), self.tree(right, depth))
        word = kind.removeprefix("AEXPR_").lower().replace("_", " ")
        return ("other", word, *self.items(left, depth), *self.items(right, depth))

    def items(self, node: Node | None, depth: int) -> tuple[Tree, ...]:
        if node and "List" in node:
            return self.all(node["List"].get("items"), depth)
        return (self.tree(node, depth),) if node else ()

    def boolean(self, value: Node, depth: int) -> Tree:
        kind = {"AND_EXPR": "and", "OR_EXPR": "or"}.get(value.get("boolop", ""), "not")
        return (kind, *self.all(value.get("args"), depth))

    def null_test(self, value: Node, depth: int) -> Tree:
        return ("is_null" if value.get("nulltesttype", "IS_NULL") == "IS_NULL" else "is_not_null", self.tree(value.get("arg"), depth))

    def truth(self, value: Node, depth: int) -> Tree:
        return ("truth", value.get("booltesttype", "IS_TRUE").lower(), self.tree(value.get("arg"), depth))

    def case(self, value: Node, depth: int) -> Tree:
        whens = [item["CaseWhen"] for item in value.get("args", ()) if "CaseWhen" in item]
        branches = [("when", self.tree(one.get("expr"), depth), self.tree(one.get("result"), depth)) for one in whens]
        return ("case", self.tree(value.get("arg"), depth), *branches, ("else", self.tree(value.get("defresult"), depth)))

    def session_value(self, value: Node, _: int) -> Tree:
        return ("call", Name(CATALOG, value.get("op", "").removeprefix("SVFOP_").lower().removesuffix("_n")))

    def named(self, value: Node, depth: int) -> Tree:
        return self.tree(value.get("arg"), depth)

    def array(self, value: Node, depth: int) -> Tree:
        return ("array", *self.all(value.get("elements"), depth))

    def row(self, value: Node, depth: int) -> Tree:
        return ("row", *self.all(value.get("args"), depth))

    def coalesce(self, value: Node, depth: int) -> Tree:
        return ("coalesce", *self.all(value.get("args"), depth))

    def collate(self, value: Node, depth: int) -> Tree:
        return ("collate", self.tree(value.get("arg"), depth))

    def indirection(self, value: Node, depth: int) -> Tree:
        steps: list[Any] = []
        for item in value.get("indirection", ()):
            if "String" in item:
                steps.append(item["String"].get("sval", ""))
            elif "A_Indices" in item:
                steps += [self.tree(item["A_Indices"][side], depth) for side in ("lidx", "uidx") if side in item["A_Indices"]]
            else:
                steps.append("*")
        return ("field", self.tree(value.get("arg"), depth), *steps)

    def default(self, _value: Node, _: int) -> Tree:
        return ("default",)

    def assigned(self, value: Node, depth: int) -> Tree:
        return ("other", "multiple", self.tree(value.get("source"), depth)) if value.get("colno", 1) == 1 else ("other", "multiple")

    def query(self, value: Node, depth: int) -> Tree:
        kind = value.get("subLinkType", "").removesuffix("_SUBLINK").lower()
        symbol = "".join(strings(value.get("operName", []))[-1:]) or ("=" if kind in {"any", "all"} else "")
        return ("query", kind, symbol, self.tree(value.get("testexpr"), depth), self._inner(value.get("subselect", {}), depth))


_MAKERS: dict[str, Callable[[Trees, Any, int], Tree]] = {
    "A_ArrayExpr": Trees.array,
    "A_Const": Trees.constant,
    "A_Expr": Trees.operator,
    "A_Indirection": Trees.indirection,
    "BoolExpr": Trees.boolean,
    "BooleanTest": Trees.truth,
    "CaseExpr": Trees.case,
    "CoalesceExpr": Trees.coalesce,
    "CollateClause": Trees.collate,
    "ColumnRef": Trees.column,
    "FuncCall": Trees.call,
    "MultiAssignRef": Trees.assigned,
    "NamedArgExpr": Trees.named,
    "NullTest": Trees.null_test,
    "ParamRef": Trees.parameter,
    "RowExpr": Trees.row,
    "SQLValueFunction": Trees.session_value,
    "SetToDefault": Trees.default,
    "SubLink": Trees.query,
    "TypeCast": Trees.cast,
}
