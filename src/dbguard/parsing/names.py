"""Names out of the parse tree, and the words of dbguard for PostgreSQL's kinds of objects."""

from __future__ import annotations

from typing import Any

from dbguard.model.names import Name
from dbguard.parsing import lexer

Node = dict[str, Any]

_SPECIAL_KINDS = {
    "OBJECT_AMOP": "operator of an operator family",
    "OBJECT_AMPROC": "function of an operator family",
    "OBJECT_DEFACL": "default privileges",
    "OBJECT_DOMCONSTRAINT": "domain constraint",
    "OBJECT_FDW": "foreign data wrapper",
    "OBJECT_LARGEOBJECT": "large object",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_OPCLASS": "operator class",
    "OBJECT_OPFAMILY": "operator family",
    "OBJECT_PARAMETER_ACL": "parameter",
    "OBJECT_STATISTIC_EXT": "statistics",
    "OBJECT_TABCONSTRAINT": "constraint",
    "OBJECT_TSCONFIGURATION": "text search configuration",
    "OBJECT_TSDICTIONARY": "text search dictionary",
    "OBJECT_TSPARSER": "text search parser",
    "OBJECT_TSTEMPLATE": "text search template",
}
RELATION_KINDS = frozenset({"table", "view", "index", "sequence", "materialized view", "foreign table"})
_PERSISTENCE = {"u": "unlogged", "t": "temporary"}


def kind_of(object_type: str) -> str:
    """`OBJECT_MATVIEW` as "materialized view"."""
    return _SPECIAL_KINDS.get(object_type) or object_type.removeprefix("OBJECT_").lower().replace("_", " ")


def relation(node: Node) -> Name:
    """The name in a RangeVar."""
    return Name._make((node.get("schemaname"), node["relname"]))


def persistence(node: Node) -> str:
    """Of a RangeVar: a table in `pg_temp` is temporary whatever the keyword."""
    if node.get("schemaname") == "pg_temp":
        return "temporary"
    return _PERSISTENCE.get(node.get("relpersistence", "p"), "permanent")


def strings(items: list[Node]) -> list[str]:
    """The texts in a list of String nodes, others left out."""
    return [item["String"].get("sval", "") for item in items if "String" in item]


def qualified(items: list[Node]) -> Name:
    """A list of String nodes as a name; what stands before the schema is dropped."""
    return from_parts(strings(items))


def from_parts(parts: list[str]) -> Name:
    if len(parts) > 1:
        return Name._make((parts[-2], parts[-1]))
    return Name._make((None, parts[0] if parts else ""))


def object_name(node: Node | None) -> Name:
    """The name of any object as DROP, COMMENT and ALTER ... OWNER write it."""
    if not node:
        return Name(None, "")
    if "relname" in node:
        return relation(node)
    if "objname" in node:
        return qualified(node["objname"])
    if "names" in node:
        return qualified(node["names"])
    kind, value = next(iter(node.items()))
    if kind == "String":
        return Name(None, value.get("sval", ""))
    if kind == "List":
        items = value.get("items", [])
        parts = strings(items)
        return from_parts(parts) if parts else object_name(items[0] if items else None)
    if kind == "Integer":
        return Name(None, str(value.get("ival", 0)))
    if kind == "Float":
        return Name(None, value.get("fval", ""))
    return object_name(value) if isinstance(value, dict) else Name(None, "")


def on_table(node: Node) -> tuple[Name, str]:
    """Table and name of a trigger, rule, policy, constraint or column: the last part is the name."""
    items = node.get("List", {}).get("items", []) if "List" in node else []
    parts = strings(items)
    if not parts:
        return object_name(node), ""
    return from_parts(parts[:-1]), parts[-1]


def role(node: Node) -> str:
    """The name in a RoleSpec."""
    spec = node.get("RoleSpec", node)
    return str(spec.get("rolename") or spec.get("roletype", "").removeprefix("ROLESPEC_").lower())


def text_name(text: str) -> Name:
    """A name inside a string, as `nextval('a."B"')` reads it (stringToQualifiedNameList)."""
    parts = []
    for kind, start, end in lexer.tokens(text):
        if kind == lexer.QUOTED:
            parts.append(text[start + 1 : end - 1].replace('""', '"'))
        elif kind in {lexer.WORD, lexer.NUMBER}:
            parts.append(text[start:end].lower())
    return from_parts(parts)


def flag(items: list[Node] | None, name: str) -> bool:
    """Whether an option of a utility statement is on: `(ANALYZE)`, `(ANALYZE true)`, `ANALYZE`."""
    on = False
    for item in items or ():
        option = item.get("DefElem", {})
        if option.get("defname", "").lower() == name:
            on = "arg" not in option or option_value(option["arg"]).lower() not in {"false", "off", "0", "no"}
    return on


def option_value(node: Node | None) -> str:
    """The value of a DefElem as text."""
    if not node:
        return "true"
    kind, value = next(iter(node.items()))
    match kind:
        case "String":
            return str(value.get("sval", ""))
        case "Integer":
            return str(value.get("ival", 0))
        case "Float":
            return str(value.get("fval", ""))
        case "Boolean":
            return "true" if value.get("boolval") else "false"
        case "A_Const":
            return constant_text(value)
        case "List":
            return ", ".join(option_value(item) for item in value.get("items", []))
        case "TypeName":
            return str(qualified(value.get("names", [])).name)
    return ""


def options(items: list[Node] | None) -> tuple[tuple[str, str], ...]:
    """WITH (name = value, ...), `toast.` names included; a name alone is true."""
    found = []
    for item in items or ():
        option = item.get("DefElem", {})
        space = f"{option['defnamespace']}." if "defnamespace" in option else ""
        found.append((space + option.get("defname", ""), option_value(option.get("arg"))))
    return tuple(found)


def constant_text(constant: Node) -> str:
    """An A_Const as text without quotes."""
    if constant.get("isnull"):
        return "null"
    for key, inner in (("sval", "sval"), ("fval", "fval"), ("bsval", "bsval")):
        if key in constant:
            return str(constant[key].get(inner, ""))
    if "boolval" in constant:
        return "true" if constant["boolval"].get("boolval") else "false"
    return str(constant.get("ival", {}).get("ival", 0))
