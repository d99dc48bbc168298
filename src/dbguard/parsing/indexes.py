"""Indexes, and maintenance of tables."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.operations import Analyze, Cluster, CreateIndex, Operation, Reindex, Vacuum
from dbguard.parsing.constraints import index_keys
from dbguard.parsing.context import Context, Node
from dbguard.parsing.expressions import expression
from dbguard.parsing.names import flag, option_value, options, relation


def _create_index(node: Node, context: Context) -> tuple[Operation, ...]:
    table = node["relation"]
    elements = [item["IndexElem"] for item in node.get("indexParams", ())]
    where = node.get("whereClause")
    predicate = None
    if where is not None:
        at = context.find("WHERE", depth=0)
        predicate = expression(where, context.slice(at + 1, context.until(at + 1)) if at >= 0 else "")
    return (
        CreateIndex(
            relation(table),
            index_keys(elements, context, context.index(table.get("location", 0)) if any("expr" in e for e in elements) else 0),
            node.get("idxname"),
            node.get("accessMethod", "btree"),
            tuple(item["IndexElem"].get("name", "") for item in node.get("indexIncludingParams", ())),
            node.get("unique", False),
            node.get("nulls_not_distinct", False),
            predicate,
            node.get("concurrent", False),
            node.get("if_not_exists", False),
            not table.get("inh", False),
            node.get("tableSpace"),
            options(node.get("options")),
        ),
    )


def _reindex(node: Node, _context: Context) -> tuple[Operation, ...]:
    kind = node.get("kind", "").removeprefix("REINDEX_OBJECT_").lower()
    name = relation(node["relation"]) if "relation" in node else None
    if name is None and "name" in node:
        name = Name(None, node["name"])
    tablespace = next(
        (option_value(item["DefElem"].get("arg")) for item in node.get("params", ()) if item["DefElem"]["defname"] == "tablespace"), None
    )
    return (Reindex(kind, name, flag(node.get("params"), "concurrently"), tablespace),)


def _cluster(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (Cluster(relation(node["relation"]) if "relation" in node else None, node.get("indexname")),)


def _vacuum(node: Node, _context: Context) -> tuple[Operation, ...]:
    tables = tuple(relation(item["VacuumRelation"]["relation"]) for item in node.get("rels", ()) if "relation" in item["VacuumRelation"])
    if not node.get("is_vacuumcmd"):
        return (Analyze(tables),)
    return (Vacuum(tables, flag(node.get("options"), "full"), flag(node.get("options"), "analyze")),)


MAKERS = {"ClusterStmt": _cluster, "IndexStmt": _create_index, "ReindexStmt": _reindex, "VacuumStmt": _vacuum}
