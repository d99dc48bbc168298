"""RENAME, SET SCHEMA, OWNER TO, DROP and COMMENT: statements that are alike for every kind of object."""

from __future__ import annotations

from dbguard.model import operations as op
from dbguard.model.names import Name
from dbguard.model.operations import Operation
from dbguard.model.types import DataType
from dbguard.parsing.column_types import data_type
from dbguard.parsing.context import Context, Node
from dbguard.parsing.names import RELATION_KINDS, kind_of, object_name, on_table, qualified, relation

_ON_TABLE = frozenset({"trigger", "rule", "policy"})
_ROUTINES = frozenset({"function", "procedure", "routine", "aggregate"})


def _rename(node: Node, _context: Context) -> tuple[Operation, ...]:
    kind, to = kind_of(node["renameType"]), node.get("newname", "")
    target = node.get("relation")
    old = node.get("subname", "")
    if kind in {"column", "attribute"} and target is not None:
        of = "composite type" if kind == "attribute" else kind_of(node.get("relationType", "OBJECT_TABLE"))
        return (op.RenameColumn(relation(target), old, to, of, kind == "column" and not target.get("inh", False)),)
    if kind == "constraint" and target is not None:
        return (op.RenameConstraint(relation(target), old, to, not target.get("inh", False)),)
    if kind in _ON_TABLE and target is not None:
        return (op.RenameOnTable(kind, old, relation(target), to),)
    if kind in RELATION_KINDS and target is not None:
        return (op.RenameTable(relation(target), to, kind, node.get("missing_ok", False)),)
    if kind == "domain constraint":
        return (op.RenameObject(kind, object_name(node.get("object")), to, old),)
    name = object_name(node["object"]) if "object" in node else Name(None, old)
    return (op.RenameObject(kind, name, to),)


def _set_schema(node: Node, _context: Context) -> tuple[Operation, ...]:
    kind, schema = kind_of(node["objectType"]), node.get("newschema", "")
    if "relation" in node:
        return (op.SetSchema(relation(node["relation"]), schema, kind, node.get("missing_ok", False)),)
    return (op.SetObjectSchema(kind, object_name(node.get("object")), schema),)


def _owner(node: Node, _context: Context) -> tuple[Operation, ...]:
    name = relation(node["relation"]) if "relation" in node else object_name(node.get("object"))
    return (op.AlterObject(kind_of(node["objectType"]), name, "owner"),)


def _depends(node: Node, _context: Context) -> tuple[Operation, ...]:
    name = relation(node["relation"]) if "relation" in node else object_name(node.get("object"))
    return (op.AlterObject(kind_of(node["objectType"]), name, "depends on extension"),)


def _drop(node: Node, _context: Context) -> tuple[Operation, ...]:
    kind, objects = kind_of(node["removeType"]), node.get("objects", [])
    if_exists, cascade = node.get("missing_ok", False), node.get("behavior") == "DROP_CASCADE"
    if kind in _ON_TABLE:
        found = []
        for item in objects:
            table, name = on_table(item)
            found.append(op.DropOnTable(kind, name, table, if_exists, cascade))
        return tuple(found)
    if kind == "schema":
        return (op.DropSchema(tuple(object_name(item).name for item in objects), if_exists, cascade),)
    names = tuple([object_name(item) for item in objects])
    match kind:
        case "table" | "foreign table":
            return (op.DropTable(names, if_exists, cascade, kind),)
        case "index":
            return (op.DropIndex(names, node.get("concurrent", False), if_exists, cascade),)
        case "sequence":
            return (op.DropSequence(names, if_exists, cascade),)
        case "view" | "materialized view":
            return (op.DropView(names, kind != "view", if_exists, cascade),)
        case "type" | "domain":
            return (op.DropType(names, kind == "domain", if_exists, cascade),)
    if kind in _ROUTINES:
        return (op.DropFunction(names, tuple(_arguments(item.get("ObjectWithArgs", {})) for item in objects), kind, if_exists, cascade),)
    return (op.DropObject(kind, names, if_exists, cascade),)


def _arguments(node: Node) -> tuple[DataType, ...] | None:
    if node.get("args_unspecified"):
        return None
    return tuple(data_type(item["TypeName"]) for item in node.get("objargs", ()) if "TypeName" in item)


def _comment(node: Node, _context: Context) -> tuple[Operation, ...]:
    kind, target = kind_of(node["objtype"]), node.get("object", {})
    if kind in {"column", "constraint"} or kind in _ON_TABLE:
        table, name = on_table(target)
        return (op.Comment(kind, Name(None, name), table),)
    if kind == "domain constraint":
        items = target.get("List", {}).get("items", [{}])
        return (op.Comment(kind, object_name(items[-1]), qualified(items[0].get("TypeName", {}).get("names", []))),)
    return (op.Comment(kind, object_name(target)),)


def _label(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (op.AlterObject(kind_of(node["objtype"]), object_name(node.get("object")), "security label"),)


MAKERS = {
    "AlterObjectDependsStmt": _depends,
    "AlterObjectSchemaStmt": _set_schema,
    "AlterOwnerStmt": _owner,
    "CommentStmt": _comment,
    "DropStmt": _drop,
    "RenameStmt": _rename,
    "SecLabelStmt": _label,
}
