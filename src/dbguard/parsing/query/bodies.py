"""SELECT, INSERT, UPDATE, DELETE and MERGE out of the parse tree, as `Body`."""

from __future__ import annotations

from typing import Any

from dbguard.model.expression import Tree
from dbguard.model.syntax import Assignment, Body, Conflict, From, Locking, SortKey, Target, When, With
from dbguard.model.types import DataType
from dbguard.parsing.column_types import data_type
from dbguard.parsing.expressions import derived_name
from dbguard.parsing.names import relation, strings
from dbguard.parsing.query.trees import DEEPEST, TooDeepError, Trees

Node = dict[str, Any]

_SET_OPERATIONS = {"SETOP_UNION": "union", "SETOP_INTERSECT": "intersect", "SETOP_EXCEPT": "except"}
_STRENGTHS = {"LCS_FORUPDATE": "update", "LCS_FORNOKEYUPDATE": "no key update", "LCS_FORSHARE": "share", "LCS_FORKEYSHARE": "key share"}
_WAITS = {"LockWaitSkip": "skip", "LockWaitError": "error"}
_MATCHES = {"MERGE_WHEN_MATCHED": "matched", "MERGE_WHEN_NOT_MATCHED_BY_SOURCE": "not matched by source"}


def body(node: Node, depth: int = 0) -> Body:
    """The body of a statement that reads or writes rows; any other is `Body(command="other")`. Raises TooDeepError."""
    if depth > DEEPEST:
        raise TooDeepError(f"nested deeper than {DEEPEST} levels")
    kind, value = next(iter(node.items())) if node else ("", {})
    match kind:
        case "SelectStmt":
            return _select(value, depth + 1)
        case "InsertStmt":
            return _insert(value, depth + 1)
        case "UpdateStmt":
            return _update(value, depth + 1)
        case "DeleteStmt":
            return _delete(value, depth + 1)
        case "MergeStmt":
            return _merge(value, depth + 1)
    return Body(command="other")


_trees = Trees(body)


def _tree(node: Node | None, depth: int) -> Tree | None:
    return _trees.tree(node, depth) if node else None


def _with(value: Node, depth: int) -> dict[str, Any]:
    clause = value.get("withClause", {})
    return {
        "ctes": tuple([_cte(item["CommonTableExpr"], depth) for item in clause.get("ctes", ())]),
        "recursive": clause.get("recursive", False),
    }


def _cte(value: Node, depth: int) -> With:
    said = {"CTEMaterializeAlways": True, "CTEMaterializeNever": False}.get(value.get("ctematerialized", ""))
    return With(body(value.get("ctequery", {}), depth), value.get("ctename", ""), tuple(strings(value.get("aliascolnames", []))), said)


def _select(value: Node, depth: int) -> Body:
    common: dict[str, Any] = {
        **_with(value, depth),
        "order": _order(value.get("sortClause"), depth),
        "limit": _limit(value.get("limitCount"), depth),
        "offset": _tree(value.get("limitOffset"), depth),
        "locks": tuple([_locking(item["LockingClause"]) for item in value.get("lockingClause", ())]),
    }
    operation = _SET_OPERATIONS.get(value.get("op", ""))
    if operation is not None:
        return Body(command=f"{operation} all" if value.get("all") else operation, arms=_arms(value, depth), **common)
    if "valuesLists" in value:
        rows = tuple([_trees.all(row["List"].get("items"), depth) for row in value["valuesLists"]])
        return Body(command="values", rows=rows, **common)
    distinct = value.get("distinctClause")
    on = () if not distinct or distinct == [{}] else _trees.all(distinct, depth)
    return Body(
        sources=tuple([_from(item, depth) for item in value.get("fromClause", ())]),
        where=_tree(value.get("whereClause"), depth),
        outputs=_targets(value.get("targetList"), depth),
        group=_trees.all(value.get("groupClause"), depth),
        having=_tree(value.get("havingClause"), depth),
        distinct=bool(distinct) and not on,
        distinct_on=on,
        windows=tuple([one for item in value.get("windowClause", ()) for one in _trees.window(item["WindowDef"], depth)]),
        **common,
    )


def _arms(value: Node, depth: int) -> tuple[Body, ...]:
    """Both sides of a set operation; those of a chain of the same operation in one row, because chains are long."""
    found: list[Body] = []
    while True:
        found.append(_select(value["rarg"], depth))
        left = value["larg"]
        same = left.get("op") == value.get("op") and left.get("all") == value.get("all")
        if not same or any(key in left for key in ("sortClause", "limitCount", "limitOffset", "withClause", "lockingClause")):
            found.append(_select(left, depth))
            return tuple(reversed(found))
        value = left


def _limit(node: Node | None, depth: int) -> Tree | None:
    """LIMIT ALL and LIMIT NULL are none."""
    if node is None or node.get("A_Const", {}).get("isnull"):
        return None
    return _trees.tree(node, depth)


def _order(items: list[Node] | None, depth: int) -> tuple[SortKey, ...]:
    found = []
    for item in items or ():
        key = item.get("SortBy", {})
        descending = key.get("sortby_dir") == "SORTBY_DESC"
        nulls = key.get("sortby_nulls")
        first = nulls == "SORTBY_NULLS_FIRST" or (descending and nulls != "SORTBY_NULLS_LAST")
        found.append(SortKey(_trees.tree(key.get("node"), depth), descending, first))
    return tuple(found)


def _locking(value: Node) -> Locking:
    of = tuple([item["RangeVar"].get("relname", "") for item in value.get("lockedRels", ()) if "RangeVar" in item])
    return Locking(of, _STRENGTHS.get(value.get("strength", ""), "update"), _WAITS.get(value.get("waitPolicy", ""), "block"))


def _targets(items: list[Node] | None, depth: int) -> tuple[Target, ...]:
    found = []
    for item in items or ():
        value = item.get("ResTarget", {})
        found.append(Target(_trees.tree(value.get("val"), depth), value.get("name") or derived_name(value.get("val")) or "", "name" in value))
    return tuple(found)


def _from(node: Node, depth: int) -> From:
    if depth > DEEPEST:
        raise TooDeepError(f"nested deeper than {DEEPEST} levels")
    kind, value = next(iter(node.items()))
    alias = value.get("alias", {})
    named: dict[str, Any] = {"alias": alias.get("aliasname", ""), "column_aliases": tuple(strings(alias.get("colnames", [])))}
    match kind:
        case "RangeVar":
            return From(name=relation(value), **named)
        case "RangeSubselect":
            return From(kind="query", body=body(value.get("subquery", {}), depth), lateral=value.get("lateral", False), **named)
        case "RangeFunction":
            return _function(value, depth, named)
        case "RangeTableSample":
            return _from(value["relation"], depth)._replace(sampled=True)
        case "JoinExpr":
            return _join(value, depth, named)
    return From(kind="function", calls=(_trees.tree(node, depth),), **named)


def _function(value: Node, depth: int, named: dict[str, Any]) -> From:
    calls: list[Tree] = []
    defined = _definitions(value.get("coldeflist"))
    for item in value.get("functions", ()):
        call, *columns = item.get("List", {}).get("items", [{}])
        calls.append(_trees.tree(call, depth))
        for one in columns:
            defined += _definitions(one.get("List", {}).get("items"))
    return From(kind="function", calls=tuple(calls), defined=defined, ordinality=value.get("ordinality", False), **named)


def _definitions(items: list[Node] | None) -> tuple[tuple[str, DataType], ...]:
    return tuple(
        [(one["ColumnDef"].get("colname", ""), data_type(one["ColumnDef"].get("typeName", {}))) for one in items or () if "ColumnDef" in one]
    )


def _join(value: Node, depth: int, named: dict[str, Any]) -> From:
    how = value.get("jointype", "JOIN_INNER").removeprefix("JOIN_").lower()
    using = tuple(strings(value.get("usingClause", [])))
    natural = value.get("isNatural", False)
    if how == "inner" and "quals" not in value and not using and not natural:
        how = "cross"
    return From(
        joins=(_from(value["larg"], depth + 1), _from(value["rarg"], depth + 1)),
        kind="join",
        how=how,
        on=_tree(value.get("quals"), depth),
        using=using,
        natural=natural,
        **named,
    )


def _returned(value: Node) -> list[Node] | None:
    found: list[Node] | None = value.get("returningClause", {}).get("exprs") or value.get("returningList")
    return found


def _assignments(items: list[Node] | None, depth: int) -> tuple[Assignment, ...]:
    return tuple([Assignment(_trees.tree(one["ResTarget"].get("val"), depth), one["ResTarget"].get("name", "")) for one in items or ()])


def _insert(value: Node, depth: int) -> Body:
    source = value.get("selectStmt")
    conflict = value.get("onConflictClause")
    return Body(
        **_with(value, depth),
        command="insert",
        target=_from({"RangeVar": value["relation"]}, depth),
        columns=tuple([item["ResTarget"].get("name", "") for item in value.get("cols", ())]),
        source=None if source is None else body(source, depth),
        conflict=None if conflict is None else _conflict(conflict, depth),
        outputs=_targets(_returned(value), depth),
    )


def _conflict(value: Node, depth: int) -> Conflict:
    infer = value.get("infer", {})
    elements = [item["IndexElem"] for item in infer.get("indexElems", ())]
    return Conflict(
        tuple([one["name"] for one in elements if "name" in one]),
        "update" if value.get("action") == "ONCONFLICT_UPDATE" else "nothing",
        _assignments(value.get("targetList"), depth),
        _tree(value.get("whereClause"), depth),
        tuple([_trees.tree(one["expr"], depth) for one in elements if "expr" in one])
        + ((_trees.tree(infer["whereClause"], depth),) if "whereClause" in infer else ()),
    )


def _update(value: Node, depth: int) -> Body:
    return Body(
        **_with(value, depth),
        command="update",
        target=_from({"RangeVar": value["relation"]}, depth),
        sources=tuple([_from(item, depth) for item in value.get("fromClause", ())]),
        where=_tree(value.get("whereClause"), depth),
        assigned=_assignments(value.get("targetList"), depth),
        outputs=_targets(_returned(value), depth),
    )


def _delete(value: Node, depth: int) -> Body:
    return Body(
        **_with(value, depth),
        command="delete",
        target=_from({"RangeVar": value["relation"]}, depth),
        sources=tuple([_from(item, depth) for item in value.get("usingClause", ())]),
        where=_tree(value.get("whereClause"), depth),
        outputs=_targets(_returned(value), depth),
    )


def _merge(value: Node, depth: int) -> Body:
    return Body(
        **_with(value, depth),
        command="merge",
        target=_from({"RangeVar": value["relation"]}, depth),
        sources=(_from(value["sourceRelation"], depth),),
        join=_tree(value.get("joinCondition"), depth),
        whens=tuple([_when(item["MergeWhenClause"], depth) for item in value.get("mergeWhenClauses", ())]),
        outputs=_targets(_returned(value), depth),
    )


def _when(value: Node, depth: int) -> When:
    columns = tuple([item["ResTarget"].get("name", "") for item in value.get("targetList", ())])
    action = value.get("commandType", "").removeprefix("CMD_").lower()
    if action == "insert":
        assigned = tuple([Assignment(tree) for tree in _trees.all(value.get("values"), depth)])
    else:
        assigned = _assignments(value.get("targetList"), depth)
    return When(_MATCHES.get(value.get("matchKind", ""), "not matched"), action, _tree(value.get("condition"), depth), columns, assigned)
