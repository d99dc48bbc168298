"""Syntax that only newer servers know, where it leaves no other trace in the operations.

In: the parse tree of one statement. Out: the version and the words for it. Release notes of each major, section "Migration".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model.operations import Requires

Node = dict[str, Any]
Needed = tuple[int, str] | None


def required(kind: str, node: Node) -> tuple[Requires, ...]:
    """The operation that says which version the statement needs, if it is newer than 13."""
    find = _NEEDS.get(kind)
    needed = None if find is None else find(node)
    if needed is None and kind in _WITH_RETURNING and (node.get("returningClause") or {}).get("options"):
        needed = (18, "RETURNING WITH (OLD AS ..., NEW AS ...)")
    return () if needed is None else (Requires(*needed),)


def _options(node: Node, key: str) -> set[str]:
    return {item["DefElem"]["defname"] for item in node.get(key, ())}


def _reindex(node: Node) -> Needed:
    if node["kind"] in {"REINDEX_OBJECT_DATABASE", "REINDEX_OBJECT_SYSTEM"} and not node.get("name"):
        return 16, "REINDEX DATABASE without a name"
    return (14, "REINDEX (TABLESPACE ...)") if "tablespace" in _options(node, "params") else None


def _statistics(node: Node) -> Needed:
    if "defnames" not in node:
        return 16, "CREATE STATISTICS without a name"
    return (14, "statistics on an expression") if any("expr" in item["StatsElem"] for item in node.get("exprs", ())) else None


def _sequence(node: Node) -> Needed:
    return (15, "CREATE UNLOGGED SEQUENCE") if node["sequence"].get("relpersistence") == "u" else None


def _vacuum(node: Node) -> Needed:
    relations = (item["VacuumRelation"].get("relation") for item in node.get("rels", ()))
    return (18, "VACUUM and ANALYZE ONLY") if any(one is not None and not one.get("inh") for one in relations) else None


def _publication(node: Node) -> Needed:
    for item in node.get("pubobjects", ()):
        spec = item.get("PublicationObjSpec", {})
        if "SCHEMA" in spec.get("pubobjtype", ""):
            return 15, "TABLES IN SCHEMA of a publication"
        if {"columns", "whereClause"} & spec.get("pubtable", {}).keys():
            return 15, "a column list or row filter of a publication"
    return None


def _copy(node: Node) -> Needed:
    options = _options(node, "options")
    if options & {"on_error", "log_verbosity"}:
        return 17, "COPY with ON_ERROR"
    return (16, "COPY with DEFAULT") if "default" in options else None


def _merge(node: Node) -> Needed:
    if any(item["MergeWhenClause"].get("matchKind") == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE" for item in node.get("mergeWhenClauses", ())):
        return 17, "WHEN NOT MATCHED BY SOURCE"
    return (17, "MERGE ... RETURNING") if node.get("returningClause") else None


def _create_table(node: Node) -> Needed:
    for item in node.get("tableElts", ()):
        constraints = item.get("ColumnDef", {}).get("constraints", ()) if "ColumnDef" in item else (item,)
        if any("fk_del_set_cols" in one.get("Constraint", {}) for one in constraints):
            return 15, "ON DELETE SET NULL or DEFAULT of some columns"
    return None


def _alter_table(node: Node) -> Needed:
    for item in node.get("cmds", ()):
        command = item["AlterTableCmd"]
        if "fk_del_set_cols" in command.get("def", {}).get("Constraint", {}):
            return 15, "ON DELETE SET NULL or DEFAULT of some columns"
        if command["subtype"] == "AT_SetStatistics" and "def" not in command:
            return 17, "SET STATISTICS DEFAULT"
    return None


_WITH_RETURNING = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_NEEDS: dict[str, Callable[[Node], Needed]] = {
    "AlterPublicationStmt": _publication,
    "AlterTableStmt": _alter_table,
    "CopyStmt": _copy,
    "CreatePublicationStmt": _publication,
    "CreateSeqStmt": _sequence,
    "CreateStatsStmt": _statistics,
    "CreateStmt": _create_table,
    "MergeStmt": _merge,
    "ReindexStmt": _reindex,
    "VacuumStmt": _vacuum,
}
LOOKED_AT = _WITH_RETURNING | _NEEDS.keys()
