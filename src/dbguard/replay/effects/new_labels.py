"""A value that an enum got in the open transaction cannot be used before that has committed.

check_safe_enum_use in src/backend/utils/adt/enum.c: from the moment a literal is read as a value of the type. Looked for in the
text of a statement, because operations keep no literals; asked only while the transaction has such a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from dbguard.model.names import Name
from dbguard.model.postgres import Server
from dbguard.model.state import State
from dbguard.model.types import DataType

Node = dict[str, Any]
_Type = tuple[Name, bool]
"""The name of a type, and whether it is an array of that."""

_ELEMENT = r'"((?:[^"\\]|\\.)*)"?|([^{},"]+)'


def why_unsafe(text: str, state: State, server: Server) -> str | None:
    """The reason to refuse the statement, None if no new value is certain to be used in it.

    From 17 the values of a type that the transaction created itself are safe.
    """
    fresh = [one for one in state.schema.types.values() if one.new_labels and (one.created != state.now or not server.since(17))]
    new = {(one.name, label) for one in fresh for label in one.new_labels}
    if not any(label.replace("'", "''") in text for _, label in new):
        return None
    used = next((pair for pair in _used(text, state) if pair in new), None)
    return None if used is None else f'unsafe use of new value "{used[1]}" of enum type {used[0]}'


def _used(text: str, state: State) -> Iterator[tuple[Name, str]]:
    """Literals of a statement with the types that they are read as, as far as that is certain."""
    from dbguard.parsing.decode import ParseError, parse_tree

    try:
        tree: Any = parse_tree(text)
    except (ParseError, RecursionError):
        return
    types = _Types(tree, state)
    for kind, node in _nodes(tree):
        match kind:
            case "TypeCast":
                yield from types.literals(types.named(node.get("typeName")), node.get("arg"))
            case "A_Expr":
                left, right = node.get("lexpr"), node.get("rexpr")
                every = node.get("kind") in {"AEXPR_OP_ANY", "AEXPR_OP_ALL"}
                yield from types.literals(types.of(left), right, every=every)
                yield from types.literals(types.of(right), left)
            case "InsertStmt":
                yield from types.inserted(node)
            case "UpdateStmt":
                for item in node.get("targetList", ()):
                    target = item["ResTarget"]
                    yield from types.literals(types.column(node["relation"], target.get("name", "")), target.get("val"))
            case "ColumnDef":
                for item in node.get("constraints", ()):
                    if item.get("Constraint", {}).get("contype") == "CONSTR_DEFAULT":
                        yield from types.literals(types.named(node.get("typeName")), item["Constraint"].get("raw_expr"))
            case "AlterTableStmt":
                for item in node.get("cmds", ()):
                    command = item["AlterTableCmd"]
                    if command.get("subtype") == "AT_ColumnDefault":
                        yield from types.literals(types.column(node["relation"], command.get("name", "")), command.get("def"))
            case "CreateStmt" if "partbound" in node:
                listed = {"List": {"items": node["partbound"].get("listdatums", ())}}
                yield from types.literals(types.key(node["inhRelations"][0]["RangeVar"]), listed)
            case "CreateFunctionStmt":
                yield from _used_in_body(node, state)


def _used_in_body(function: Node, state: State) -> Iterator[tuple[Name, str]]:
    """The body of an SQL function is analysed when it is created; any other body is text until it runs."""
    options = {item["DefElem"]["defname"]: item["DefElem"].get("arg", {}) for item in function.get("options", ())}
    checked = state.settings.get("check_function_bodies") not in {"off", "false", "0"}
    if checked and options.get("language", {}).get("String", {}).get("sval", "").lower() == "sql":
        for item in options.get("as", {}).get("List", {}).get("items", ()):
            yield from _used(item.get("String", {}).get("sval", ""), state)


class _Types:
    """The types of the columns that a statement can name."""

    def __init__(self, tree: Any, state: State) -> None:
        self.state = state
        self.columns: dict[str, set[_Type]] = {}
        for kind, node in _nodes(tree):
            if "relname" in node:
                for column in self._table(node).columns.values():
                    self._add(column.name, column.type)
            elif kind == "ColumnDef" and "typeName" in node:
                self._add(node.get("colname", ""), _data_type(node["typeName"]))

    def _add(self, column: str, data_type: DataType) -> None:
        self.columns.setdefault(column, set()).add(self._name(data_type))

    def _name(self, data_type: DataType) -> _Type:
        return self.state.resolve_type(data_type.name), data_type.array

    def _table(self, node: Node) -> Any:
        return self.state.table(Name(node.get("schemaname"), node.get("relname", "")))

    def named(self, node: Node | None) -> _Type | None:
        return self._name(_data_type(node)) if node else None

    def column(self, relation: Node, column: str) -> _Type | None:
        found = self._table(relation).columns.get(column)
        return None if found is None else self._name(found.type)

    def key(self, relation: Node) -> _Type | None:
        """The type of the one column by which a table is partitioned."""
        key = self._table(relation).partition_by
        return None if key is None or key.keys[0].column is None else self.column(relation, key.keys[0].column)

    def of(self, node: Node | None) -> _Type | None:
        """The type of a column or a cast."""
        if node and "TypeCast" in node:
            return self.named(node["TypeCast"].get("typeName"))
        fields = (node or {}).get("ColumnRef", {}).get("fields", ())
        found = self.columns.get(fields[-1].get("String", {}).get("sval", ""), set()) if fields else set()
        return next(iter(found)) if len(found) == 1 else None

    def inserted(self, node: Node) -> Iterator[tuple[Name, str]]:
        table = self._table(node["relation"])
        names = [item["ResTarget"].get("name", "") for item in node.get("cols", ())] or list(table.columns)
        query = node.get("selectStmt", {}).get("SelectStmt", {})
        rows = [item["List"].get("items", ()) for item in query.get("valuesLists", ())]
        rows.append([item.get("ResTarget", {}).get("val", {}) for item in query.get("targetList", ())])
        for row in rows:
            for name, value in zip(names, row, strict=False):
                yield from self.literals(self.column(node["relation"], name), value)
        for item in node.get("onConflictClause", {}).get("targetList", ()):
            yield from self.literals(self.column(node["relation"], item["ResTarget"].get("name", "")), item["ResTarget"].get("val"))

    def literals(self, data_type: _Type | None, node: Node | None, *, every: bool = False) -> Iterator[tuple[Name, str]]:
        """String constants that stand for a value of the type: the node itself, those in its list, or the elements of an array literal.

        `every`: the node is an array of values of the type, behind ANY or ALL.
        """
        if data_type is None or not node:
            return
        items: Iterable[Node] = node.get("List", {}).get("items") or node.get("A_ArrayExpr", {}).get("elements") or (node,)
        for item in items:
            constant = item.get("A_Const", {}).get("sval")
            if constant is None:
                continue
            text = constant.get("sval", "")
            if item is node and (every or data_type[1]):
                yield from ((data_type[0], element) for element in _elements(text))
            else:
                yield data_type[0], text


def _elements(text: str) -> Iterator[str]:
    """The elements of an array literal: `{a,"b c"}` (ReadArrayStr in src/backend/utils/adt/arrayfuncs.c)."""
    for quoted, plain in re.findall(_ELEMENT, text, re.DOTALL):
        yield re.sub(r"\\(.)", r"\1", quoted or plain.strip(), flags=re.DOTALL)


def _data_type(node: Node) -> DataType:
    from dbguard.parsing.column_types import data_type

    return data_type(node)


def _nodes(tree: Any) -> Iterator[tuple[str, Node]]:
    """Every node below, with its kind."""
    stack = [tree]
    while stack:
        top = stack.pop()
        if isinstance(top, list):
            stack.extend(reversed(top))
        elif isinstance(top, dict):
            for kind, child in top.items():
                if isinstance(child, dict):
                    yield kind, child
                if isinstance(child, dict | list):
                    stack.append(child)
