"""What a query touches: tables read, written and locked, functions, sequences, columns. Iterative, because queries are deep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model.expression import Uses, Write
from dbguard.model.names import Name
from dbguard.parsing import versions
from dbguard.parsing.names import qualified, relation, strings, text_name

Node = dict[str, Any]
Scope = frozenset[str]

NOTHING = Uses()
_NO_NAMES: Scope = frozenset()
_NOTHING_ONLY: frozenset[Name] = frozenset()
_SEQUENCE_FUNCTIONS = frozenset({"nextval", "setval", "currval"})
_LEAVES = ("A_Const", "TypeName", "typeName", "String", "ParamRef", "SetToDefault", "funcname", "opclass", "collname", "name", "alias")


class _Found:
    """What was met so far; dicts keep the order of the text."""

    __slots__ = ("columns", "functions", "needs", "only", "reads", "row_locks", "sequences", "star", "writes")

    def __init__(self) -> None:
        self.reads: dict[Name, None] = {}
        self.row_locks: dict[Name, None] = {}
        self.writes: list[Write] = []
        self.functions: dict[Name, None] = {}
        self.sequences: dict[Name, None] = {}
        self.columns: set[str] = set()
        self.star = False
        self.needs: versions.Needed = None
        self.only: set[Name] = set()

    def need(self, needed: versions.Needed) -> None:
        if needed is not None and (self.needs is None or needed > self.needs):
            self.needs = needed


Visitor = Callable[[_Found, Node, Scope], bool]
"""Notes what a node says; true if that was all, false if the nodes below are to be visited, too."""


def uses_of(*roots: Node | list[Node] | None) -> Uses:
    """Everything that these nodes touch; a statement is given as `{"SelectStmt": {...}}`."""
    found = _Found()
    stack: list[tuple[Any, Scope]] = [(root, _NO_NAMES) for root in reversed(roots) if root]
    visitor_of = _VISITORS.get
    while stack:
        top, scope = stack.pop()
        if type(top) is list:
            stack.extend([(item, scope) for item in reversed(top) if "A_Const" not in item])
            continue
        if "withClause" in top:
            scope = _open_scope(found, top["withClause"], scope, stack)
        for kind, value in reversed(top.items()):
            of_value = type(value)
            if of_value is dict or of_value is list:
                visitor = visitor_of(kind)
                if visitor is None or not visitor(found, value, scope):
                    stack.append((value, scope))
    return Uses(
        tuple(found.reads),
        tuple(found.row_locks),
        tuple(found.writes),
        tuple(found.functions),
        tuple(found.sequences),
        frozenset(found.columns),
        found.star,
        found.needs,
        frozenset(found.only) if found.only else _NOTHING_ONLY,
    )


def _open_scope(found: _Found, clause: Node, scope: Scope, stack: list[tuple[Any, Scope]]) -> Scope:
    """WITH: each query sees the names before it, all of them if RECURSIVE."""
    queries = [item["CommonTableExpr"] for item in clause.get("ctes", [])]
    everything = scope | {query.get("ctename", "") for query in queries}
    seen = everything if clause.get("recursive") else scope
    waiting = []
    for query in queries:
        found.need(versions.of_recursion(query))
        waiting.append((query.get("ctequery", {}), seen))
        seen = seen | {query.get("ctename", "")}
    stack.extend(reversed(waiting))
    return everything


def _range(found: _Found, node: Node, scope: Scope) -> bool:
    if "schemaname" in node or node.get("relname") not in scope:
        name = relation(node)
        if "inh" in node:
            found.only.discard(name)
        elif name not in found.reads:
            found.only.add(name)
        found.reads[name] = None
    return True


def _column(found: _Found, node: Node, _: Scope) -> bool:
    fields = node.get("fields", [])
    last = fields[-1] if fields else {}
    if "String" in last:
        found.columns.add(last["String"].get("sval", ""))
    elif "A_Star" in last:
        found.star = True
    return True


def _call(found: _Found, node: Node, _: Scope) -> bool:
    name = qualified(node.get("funcname", []))
    found.functions[name] = None
    if name.name in _SEQUENCE_FUNCTIONS and node.get("args"):
        argument = node["args"][0]
        while "TypeCast" in argument:
            argument = argument["TypeCast"].get("arg", {})
        text = argument.get("A_Const", {}).get("sval")
        if text is not None:
            found.sequences[text_name(text.get("sval", ""))] = None
    elif name.name == "timezone" and node.get("funcformat") == "COERCE_SQL_SYNTAX" and len(node["args"]) == 1:
        found.need((17, "AT LOCAL"))
    return False


def _write(found: _Found, node: Node, command: str, columns: list[Node]) -> None:
    target = node["relation"]
    names = tuple(item["ResTarget"].get("name", "") for item in columns if "ResTarget" in item)
    found.columns.update(names)
    twice = _twice(columns) if len(set(names)) < len(names) else ""
    found.writes.append(Write(command, relation(target), names, not target.get("inh", False), twice=twice))
    found.need(versions.of_returning(node))
    for item in columns:
        if "indirection" in item.get("ResTarget", ()):
            found.need(versions.of_subscript(item["ResTarget"]))


def _twice(columns: list[Node]) -> str:
    """A column named more than once; elements of an array or fields of a row may be set one by one."""
    targets = [item["ResTarget"] for item in columns if "ResTarget" in item]
    whole = [target.get("name", "") for target in targets if "indirection" not in target]
    return next((name for name in whole if sum(target.get("name", "") == name for target in targets) > 1), "")


def _insert(found: _Found, node: Node, _: Scope) -> bool:
    _write(found, node, "insert", node.get("cols", []))
    conflict = node.get("onConflictClause", {})
    if conflict.get("action") == "ONCONFLICT_UPDATE":
        _write(found, node, "update", conflict.get("targetList", []))
    return False


def _update(found: _Found, node: Node, _: Scope) -> bool:
    _write(found, node, "update", node.get("targetList", []))
    return False


def _delete(found: _Found, node: Node, _: Scope) -> bool:
    _write(found, node, "delete", [])
    return False


def _merge(found: _Found, node: Node, _: Scope) -> bool:
    columns: list[Node] = []
    actions = set()
    for item in node.get("mergeWhenClauses", []):
        clause = item.get("MergeWhenClause", {})
        columns.extend(clause.get("targetList", []))
        actions.add(clause.get("commandType", "").removeprefix("CMD_").lower())
    _write(found, node, "merge", list({item["ResTarget"].get("name", ""): item for item in columns}.values()))
    found.writes[-1] = found.writes[-1]._replace(actions=frozenset(actions & {"insert", "update", "delete"}))
    found.need(versions.of_merge(node))
    return False


def _join(found: _Found, node: Node, _: Scope) -> bool:
    found.columns.update(strings(node.get("usingClause", [])))
    if "join_using_alias" in node:
        found.need((14, "an alias of JOIN ... USING"))
    return False


def _subquery(found: _Found, node: Node, _: Scope) -> bool:
    if "alias" not in node:
        found.need((16, "a sub-query in FROM without an alias"))
    return False


def _subscript(found: _Found, node: Node, _: Scope) -> bool:
    found.need(versions.of_subscript(node))
    return False


def _newer(needed: tuple[int, str]) -> Visitor:
    def note(found: _Found, _node: Node, _scope: Scope) -> bool:
        found.need(needed)
        return False

    return note


def _select(found: _Found, node: Node, scope: Scope) -> bool:
    if "groupDistinct" in node:
        found.need((14, "GROUP BY DISTINCT"))
    for item in node.get("lockingClause", ()):
        names = item.get("LockingClause", {}).get("lockedRels")
        wanted = {name["RangeVar"]["relname"] for name in names} if names else None
        inner = scope | {query["CommonTableExpr"].get("ctename", "") for query in node.get("withClause", {}).get("ctes", [])}
        for name in _locked(node, wanted, inner):
            found.row_locks[name] = None
    return False


def _locked(select: Node, wanted: set[str] | None, scope: Scope) -> list[Name]:
    """Tables in FROM that a locking clause means; it reaches into sub-queries, not into WITH."""
    found = []
    stack: list[tuple[Node, bool]] = [(item, wanted is None) for item in reversed(select.get("fromClause", []))]
    while stack:
        item, every = stack.pop()
        kind, value = next(iter(item.items()))
        alias = value.get("alias", {}).get("aliasname", value.get("relname"))
        chosen = every or (wanted is not None and alias in wanted)
        if kind == "RangeVar" and chosen and ("schemaname" in value or value["relname"] not in scope):
            found.append(relation(value))
        elif kind == "JoinExpr":
            stack += [(value[side], chosen) for side in ("rarg", "larg") if side in value]
        elif kind == "RangeSubselect" and chosen:
            stack += [(inner, True) for inner in reversed(value.get("subquery", {}).get("SelectStmt", {}).get("fromClause", []))]
    return found


def _skip(_found: _Found, _node: Node, _scope: Scope) -> bool:
    return True


_VISITORS: dict[str, Visitor] = {
    **{kind: _newer(needed) for kind, needed in versions.NODES.items()},
    **dict.fromkeys(_LEAVES, _skip),
    "A_Indirection": _subscript,
    "ColumnRef": _column,
    "DeleteStmt": _delete,
    "FuncCall": _call,
    "InsertStmt": _insert,
    "JoinExpr": _join,
    "LockingClause": _skip,
    "MergeStmt": _merge,
    "RangeSubselect": _subquery,
    "RangeVar": _range,
    "SelectStmt": _select,
    "UpdateStmt": _update,
    "intoClause": _skip,
    "larg": _select,
    "rarg": _select,
    "withClause": _skip,  # `_open_scope` has put its queries on the stack
}
