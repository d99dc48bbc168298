"""Statements that read or write rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dbguard.model.expression import Expression
from dbguard.model.operations import (
    Call,
    Copy,
    CreateTableAs,
    Delete,
    Explain,
    Insert,
    LockTable,
    Merge,
    Operation,
    Select,
    SetParameter,
    Truncate,
    Update,
)
from dbguard.parsing.context import Context, Node
from dbguard.parsing.expressions import derived_name, expression
from dbguard.parsing.names import constant_text, flag, persistence, qualified, relation, strings
from dbguard.parsing.uses import uses_of

_AFTER_WHERE = frozenset({"RETURNING"})
_SCALARS = frozenset({str, int, bool, float})


def _select(node: Node, _context: Context) -> tuple[Operation, ...]:
    into = _into(node)
    uses = uses_of({"SelectStmt": node})
    if into is not None:
        return (CreateTableAs(relation(into["rel"]), uses, persistence=persistence(into["rel"]), outputs=output_columns({"SelectStmt": node})),)
    if len(uses.functions) == 1 and uses.functions[0].name == "set_config" and not uses.reads:
        setting = _set_config(node)
        if setting is not None:
            return setting
    return (Select(uses),)


def _into(node: Node) -> Node | None:
    """The INTO clause, which stands in the first arm of a UNION."""
    while "larg" in node and "intoClause" not in node:
        node = node["larg"]
    found: Node | None = node.get("intoClause")
    return found


def _set_config(node: Node) -> tuple[Operation, ...] | None:
    """`SELECT set_config('name', 'value', is_local), ...` and nothing else."""
    found = []
    for target in node.get("targetList", ()):
        call = target.get("ResTarget", {}).get("val", {}).get("FuncCall", {})
        arguments = [argument.get("A_Const") for argument in call.get("args", [])]
        if len(arguments) != 3 or None in arguments or arguments[0].get("isnull"):
            return None
        name, value, local = (constant_text(argument) for argument in arguments)
        found.append(SetParameter(name.lower(), None if arguments[1].get("isnull") else value, local in {"true", "t", "1", "on", "yes"}))
    return tuple(found) or None


def _insert(node: Node, _context: Context) -> tuple[Operation, ...]:
    query = node.get("selectStmt", {}).get("SelectStmt")
    conflict = node.get("onConflictClause", {})
    rows: int | None = 1
    limited = False
    if query is not None:
        values = query.get("valuesLists")
        rows = None if values is None else len(values)
        limited = values is None and _is_limited(query)
    return (
        Insert(
            relation(node["relation"]),
            tuple([item["ResTarget"].get("name", "") for item in node.get("cols", ())]),
            uses_of({"InsertStmt": node}),
            rows,
            query is None,
            {"ONCONFLICT_NOTHING": "nothing", "ONCONFLICT_UPDATE": "update"}.get(conflict.get("action", ""), ""),
            limited,
        ),
    )


def _is_limited(select: Node) -> bool:
    """Whether a query has LIMIT, or gives a row or two because it has no FROM."""
    stack = [select]
    while stack:
        node = stack.pop()
        if _limits(node):
            continue
        if "larg" in node:
            stack += [node["larg"], node["rarg"]]
        elif "fromClause" in node:
            return False
    return True


def _limits(select: Node) -> bool:
    count = select.get("limitCount")
    return count is not None and not count.get("A_Const", {}).get("isnull", False)


def _update(node: Node, context: Context) -> tuple[Operation, ...]:
    where = node.get("whereClause")
    source = node.get("fromClause")
    return (
        Update(
            relation(node["relation"]),
            tuple([item["ResTarget"].get("name", "") for item in node.get("targetList", ())]),
            uses_of({"UpdateStmt": node}),
            None if where is None else _where(where, context),
            not node["relation"].get("inh", False),
            source is not None,
            where is not None and _has_query(where),
            _has_limit(where, source, node.get("withClause")),
            _nulls(node.get("targetList", ())),
        ),
    )


def _nulls(targets: Iterable[Node]) -> frozenset[str]:
    """Columns that are set to NULL itself."""
    return frozenset([item["ResTarget"].get("name", "") for item in targets if "isnull" in item["ResTarget"].get("val", {}).get("A_Const", ())])


def _delete(node: Node, context: Context) -> tuple[Operation, ...]:
    where = node.get("whereClause")
    source = node.get("usingClause")
    return (
        Delete(
            relation(node["relation"]),
            uses_of({"DeleteStmt": node}),
            None if where is None else _where(where, context),
            not node["relation"].get("inh", False),
            source is not None,
            where is not None and _has_query(where),
            _has_limit(where, source, node.get("withClause")),
        ),
    )


def _where(node: Node, context: Context) -> Expression:
    at = context.find("WHERE", depth=0)
    return expression(node, context.slice(at + 1, context.until(at + 1, _AFTER_WHERE)) if at >= 0 else "")


def _has_query(where: Node) -> bool:
    stack: list[Any] = [where]
    while stack:
        top = stack.pop()
        if isinstance(top, list):
            stack.extend(top)
        elif isinstance(top, dict):
            if "SubLink" in top:
                return True
            stack.extend(value for key, value in top.items() if key not in {"A_Const", "ColumnRef", "typeName"})
    return False


def _has_limit(where: Node | None, *sources: Any) -> bool:
    """Whether a sub-query that chooses the rows has LIMIT. EXISTS (... LIMIT 1), NOT IN and comparisons choose nothing."""
    stack: list[Any] = [where, *sources]
    while stack:
        top = stack.pop()
        if isinstance(top, list):
            stack.extend(top)
            continue
        for key, value in top.items() if top else ():
            if type(value) in _SCALARS or key in {"A_Const", "ColumnRef", "typeName", "targetList"}:
                continue
            if key == "SelectStmt" and _limits(value):
                return True
            if key == "BoolExpr" and value.get("boolop") != "AND_EXPR":
                continue
            if key == "SubLink" and value.get("subLinkType") == "EXISTS_SUBLINK":
                continue
            if key == "A_Expr" and strings(value.get("name", [])) != ["="]:
                continue
            stack.append(value)
    return False


def _merge(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (Merge(relation(node["relation"]), uses_of({"MergeStmt": node})),)


def _copy(node: Node, _context: Context) -> tuple[Operation, ...]:
    to = not node.get("is_from", False)
    if "filename" in node:
        end = "program" if node.get("is_program") else "file"
    else:
        end = "stdout" if to else "stdin"
    table = relation(node["relation"]) if "relation" in node else None
    uses = uses_of(node.get("query"), node.get("whereClause"))
    return (Copy(table, to, end, tuple(strings(node.get("attlist", []))), uses),)


def _truncate(node: Node, _context: Context) -> tuple[Operation, ...]:
    targets = [item["RangeVar"] for item in node.get("relations", ())]
    return (
        Truncate(
            tuple(map(relation, targets)),
            node.get("behavior") == "DROP_CASCADE",
            node.get("restart_seqs", False),
            frozenset(relation(target) for target in targets if not target.get("inh")),
        ),
    )


def _lock(node: Node, _context: Context) -> tuple[Operation, ...]:
    targets = [item["RangeVar"] for item in node.get("relations", ())]
    only = frozenset(relation(target) for target in targets if not target.get("inh"))
    return (LockTable(tuple(map(relation, targets)), node.get("mode", 8), node.get("nowait", False), only),)


def _explain(node: Node, context: Context) -> tuple[Operation, ...]:
    from dbguard.parsing.statements import operations

    analyze = flag(node.get("options"), "analyze")
    return tuple(Explain(operation, analyze) for operation in operations(node["query"], context))


def _prepare(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (Select(uses_of(node["query"]), prepared=True),)


def _declare(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (Select(uses_of(node["query"]), cursor=not node.get("options", 0) & _CURSOR_OPT_HOLD),)


_CURSOR_OPT_HOLD = 0x20  # src/include/nodes/parsenodes.h


def _return(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (Select(uses_of(node.get("returnval"))),)


def output_columns(query: Node) -> tuple[str | None, ...]:
    """The names of a query's columns; None for what `*` stands for."""
    select: Node = query.get("SelectStmt", {})
    while "larg" in select:
        select = select["larg"]
    if "valuesLists" in select:
        return tuple(f"column{number}" for number in range(1, len(select["valuesLists"][0]["List"].get("items", [])) + 1))
    names: list[str | None] = []
    for item in select.get("targetList", ()):
        target = item["ResTarget"]
        fields = target.get("val", {}).get("ColumnRef", {}).get("fields", ())
        if "name" in target:
            names.append(target["name"])
        elif fields and "A_Star" in fields[-1]:
            names.append(None)
        else:
            names.append(derived_name(target.get("val")) or "?column?")
    return tuple(names)


def _call(node: Node, _context: Context) -> tuple[Operation, ...]:
    call = node["funccall"]
    return (Call(qualified(call.get("funcname", [])), uses_of(call.get("args"))),)


MAKERS = {
    "CallStmt": _call,
    "CopyStmt": _copy,
    "DeclareCursorStmt": _declare,
    "DeleteStmt": _delete,
    "ExplainStmt": _explain,
    "InsertStmt": _insert,
    "LockStmt": _lock,
    "MergeStmt": _merge,
    "PrepareStmt": _prepare,
    "ReturnStmt": _return,
    "SelectStmt": _select,
    "TruncateStmt": _truncate,
    "UpdateStmt": _update,
}
