"""CREATE TABLE and what makes tables otherwise; ALTER TABLE is in `alter_table`."""

from __future__ import annotations

from dbguard.model.keys import IndexKey, PartitionBound
from dbguard.model.names import Name
from dbguard.model.operations import CreateObject, CreateTable, CreateTableAs, LikeTable, Operation, Refresh
from dbguard.model.operations.objects import CreateMaterializedView
from dbguard.parsing.constraints import column_definition, constraint, index_keys
from dbguard.parsing.context import Context, Node
from dbguard.parsing.expressions import tree
from dbguard.parsing.names import options, persistence, qualified, relation, strings
from dbguard.parsing.queries import output_columns
from dbguard.parsing.uses import uses_of

_STRATEGIES = {"PARTITION_STRATEGY_RANGE": "range", "PARTITION_STRATEGY_LIST": "list", "PARTITION_STRATEGY_HASH": "hash"}
_LIKE = ("comments", "compression", "constraints", "defaults", "generated", "identity", "indexes", "statistics", "storage")


def _create_table(node: Node, context: Context, kind: str = "table") -> tuple[Operation, ...]:
    name = node["relation"]
    columns, constraints, like = [], [], []
    for item in [*node.get("tableElts", ()), *node.get("constraints", ())]:
        key, value = next(iter(item.items()))
        if key == "ColumnDef":
            columns.append(column_definition(value, context))
        elif key == "Constraint":
            found = constraint(value, context)
            if found is not None:
                constraints.append(found)
        elif key == "TableLikeClause":
            like.append(_like(value, len(columns)))
    parents = tuple(relation(item["RangeVar"]) for item in node.get("inhRelations", ()))
    bound = node.get("partbound")
    partition = node.get("partspec", {})
    return (
        CreateTable(
            relation(name),
            tuple(columns),
            tuple(constraints),
            kind,
            persistence(name),
            node.get("if_not_exists", False),
            tuple(like),
            () if bound is not None else parents,
            _STRATEGIES.get(partition.get("strategy", ""), ""),
            _partition_keys(partition, context) if partition else (),
            parents[0] if bound is not None and parents else None,
            partition_bound(bound) if bound is not None else None,
            qualified(node["ofTypename"]["names"]) if "ofTypename" in node else None,
            options(node.get("options")),
            node.get("accessMethod"),
            node.get("tablespacename"),
        ),
    )


def _create_foreign_table(node: Node, context: Context) -> tuple[Operation, ...]:
    return _create_table(node["base"], context, "foreign table")


def _composite_type(node: Node, context: Context) -> tuple[Operation, ...]:
    columns = tuple(column_definition(item["ColumnDef"], context) for item in node.get("coldeflist", ()))
    return (CreateTable(relation(node["typevar"]), columns, kind="composite type"),)


def _like(node: Node, columns_before: int) -> LikeTable:
    bits = node.get("options", 0)
    return LikeTable(relation(node["relation"]), frozenset(word for position, word in enumerate(_LIKE) if bits & 1 << position), columns_before)


def _partition_keys(node: Node, context: Context) -> tuple[IndexKey, ...]:
    elements = [item["PartitionElem"] for item in node.get("partParams", [])]
    if not any("expr" in element for element in elements):
        return index_keys(elements, context, 0)
    return index_keys(elements, context, context.index(node.get("location", 0)))


def partition_bound(node: Node) -> PartitionBound:
    """FOR VALUES ... or DEFAULT, from a PartitionBoundSpec."""
    if node.get("is_default"):
        return PartitionBound(default=True)
    return PartitionBound(
        lower=tuple(map(_bound_value, node.get("lowerdatums", ()))),
        upper=tuple(map(_bound_value, node.get("upperdatums", ()))),
        values=tuple(tree(item) for item in node.get("listdatums", ())),
        modulus=node.get("modulus", 0),
        remainder=node.get("remainder", 0),
    )


def _bound_value(node: Node) -> tuple[object, ...]:
    """In a range, MINVALUE and MAXVALUE come as columns (transformPartitionRangeBounds in parse_utilcmd.c)."""
    names = strings(node.get("ColumnRef", {}).get("fields", []))
    if len(names) == 1 and names[0] in {"minvalue", "maxvalue"}:
        return (names[0],)
    return tree(node)


def _create_table_as(node: Node, _context: Context) -> tuple[Operation, ...]:
    into, query = node["into"], node["query"]
    name = relation(into["rel"])
    uses = uses_of(query)
    written = tuple(strings(into.get("colNames", [])))
    with_data = not into.get("skipData", False)
    if node.get("objtype") == "OBJECT_MATVIEW":
        columns = written or output_columns(query)
        return (CreateMaterializedView(name, uses, columns, node.get("if_not_exists", False), with_data),)
    return (CreateTableAs(name, uses, written, persistence(into["rel"]), node.get("if_not_exists", False), with_data, output_columns(query)),)


def _refresh(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (Refresh(relation(node["relation"]), node.get("concurrent", False), not node.get("skipData", False)),)


def _import_foreign_schema(node: Node, _context: Context) -> tuple[Operation, ...]:
    """What is imported is known to the other server only."""
    return (CreateObject("foreign schema", Name(None, node.get("remote_schema", "")), node.get("local_schema", "")),)


MAKERS = {
    "CompositeTypeStmt": _composite_type,
    "CreateForeignTableStmt": _create_foreign_table,
    "CreateStmt": _create_table,
    "CreateTableAsStmt": _create_table_as,
    "ImportForeignSchemaStmt": _import_foreign_schema,
    "RefreshMatViewStmt": _refresh,
}
