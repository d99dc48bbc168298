"""Constraints and columns as they are written in CREATE TABLE, ALTER TABLE and CREATE DOMAIN."""

from __future__ import annotations

import re
from functools import cache

from dbguard.model.expression import Expression
from dbguard.model.keys import IndexKey
from dbguard.model.operations import ColumnDefinition, ConstraintDefinition
from dbguard.parsing.column_types import data_type, serial_type
from dbguard.parsing.context import Context, Node
from dbguard.parsing.expressions import derived_name, expression
from dbguard.parsing.names import qualified, relation, strings

_KINDS = {
    "CONSTR_CHECK": "check",
    "CONSTR_NOTNULL": "not null",
    "CONSTR_UNIQUE": "unique",
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_EXCLUSION": "exclusion",
    "CONSTR_FOREIGN": "foreign key",
}
_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_GENERATED = {"s": "stored", "v": "virtual"}
_IDENTITY = {"a": "always", "d": "by default"}
_STORAGE_WORDS = {"p": "plain", "e": "external", "x": "extended", "m": "main"}

# Words that can follow DEFAULT b_expr in a column definition (ColConstraint in gram.y).
AFTER_DEFAULT = frozenset(
    {"NOT", "NULL", "DEFAULT", "CHECK", "UNIQUE", "PRIMARY", "REFERENCES", "CONSTRAINT", "GENERATED", "COLLATE", "DEFERRABLE", "INITIALLY"}
    | {"ENFORCED"}
)


def after_word(node: Node, context: Context, word: str, location: int, stops: frozenset[str] = frozenset()) -> Expression:
    """The expression that follows `word`, which is the first one at or after `location`."""
    at = context.find(word, context.index(location))
    return expression(node, context.slice(at + 1, context.until(at + 1, stops)) if at >= 0 else "")


def default_of(item: Node, context: Context) -> Expression:
    """The expression of a DEFAULT. Most are a constant or a call without arguments, for which the statement need not be cut into tokens."""
    location, node = item.get("location", 0), item["raw_expr"]
    plain = _plain_default().match(context.text, context.offsets.at(location), context.end)
    return after_word(node, context, "DEFAULT", location, AFTER_DEFAULT) if plain is None else expression(node, plain[1])


@cache
def _plain_default() -> re.Pattern[str]:
    """Compiled when first needed, as the first statement of a hook may have none."""
    return re.compile(r"DEFAULT\s+('[^'\\]*'|\d+(?:\.\d+)?|[A-Z_]\w*(?:\(\))?)\s*(?=[,)]|NOT\s|\Z)", re.IGNORECASE | re.ASCII)


def in_parentheses(node: Node, context: Context, word: str, location: int) -> Expression:
    """The expression in the parentheses after `word`."""
    at = context.find(word, context.index(location))
    opening = context.find("(", at + 1) if at >= 0 else -1
    return expression(node, context.inside(opening) if opening >= 0 else "")


def constraint(node: Node, context: Context, column: str | None = None) -> ConstraintDefinition | None:
    """The constraint in a Constraint node; None for DEFAULT and whatever else the grammar keeps there."""
    kind = _KINDS.get(node["contype"])
    if kind is None:
        return None
    location = node.get("location", 0)
    columns: tuple[str, ...] = () if column is None else (column,)
    raw = node.get("raw_expr")
    if kind == "foreign key":
        return _foreign_key(node, columns or tuple(strings(node.get("fk_attrs", []))))
    keys: tuple[IndexKey, ...] = ()
    if kind == "exclusion":
        keys = _exclusion_keys(node, context, location)
        columns = tuple(key.column for key in keys if key.column is not None)
    return ConstraintDefinition(
        kind=kind,
        name=node.get("conname"),
        columns=columns or tuple(strings(node.get("keys", []))),
        keys=keys,
        include=tuple(strings(node.get("including", []))),
        method=node.get("access_method", "btree"),
        where=in_parentheses(node["where_clause"], context, "WHERE", location) if "where_clause" in node else None,
        expression=in_parentheses(raw, context, "CHECK", location) if raw and kind == "check" else None,
        valid=not node.get("skip_validation", False),
        enforced=node.get("is_enforced", False) or kind != "check",
        deferrable=node.get("deferrable", False),
        deferred=node.get("initdeferred", False),
        no_inherit=node.get("is_no_inherit", False),
        nulls_not_distinct=node.get("nulls_not_distinct", False),
        without_overlaps=node.get("without_overlaps", False),
        using_index=node.get("indexname"),
    )


def _foreign_key(node: Node, columns: tuple[str, ...]) -> ConstraintDefinition:
    return ConstraintDefinition(
        kind="foreign key",
        name=node.get("conname"),
        columns=columns,
        references=relation(node["pktable"]),
        referenced_columns=tuple(strings(node.get("pk_attrs", []))),
        on_delete=_ACTIONS.get(node.get("fk_del_action", "a"), "no action"),
        on_update=_ACTIONS.get(node.get("fk_upd_action", "a"), "no action"),
        match_full=node.get("fk_matchtype") == "f",
        valid=not node.get("skip_validation", False),
        enforced=node.get("is_enforced", False),
        deferrable=node.get("deferrable", False),
        deferred=node.get("initdeferred", False),
        without_overlaps=node.get("fk_with_period", False),
    )


def _exclusion_keys(node: Node, context: Context, location: int) -> tuple[IndexKey, ...]:
    elements = [pair["List"]["items"][0]["IndexElem"] for pair in node.get("exclusions", [])]
    at = context.find("EXCLUDE", context.index(location))
    return index_keys(elements, context, at + 1)


def index_keys(elements: list[Node], context: Context, first: int) -> tuple[IndexKey, ...]:
    """Keys of an index, an exclusion constraint or a partition key, whose list opens at the first parenthesis from token `first` on."""
    if not any("expr" in element for element in elements):
        return tuple([_key(element, None) for element in elements])
    opening = context.find("(", first)
    parts = context.parts(opening + 1, context.closing(opening)) if opening >= 0 else []
    keys = []
    for number, element in enumerate(elements):
        found = None
        if "expr" in element:
            found = expression(element["expr"], _key_text(context, *parts[number]) if number < len(parts) else "")
        keys.append(_key(element, found))
    return tuple(keys)


def _key(element: Node, found: Expression | None) -> IndexKey:
    nulls = element.get("nulls_ordering", "SORTBY_NULLS_DEFAULT")
    return IndexKey(
        column=element.get("name"),
        expression=found,
        collation=qualified(element["collation"]) if "collation" in element else None,
        opclass=qualified(element["opclass"]) if "opclass" in element else None,
        descending=element.get("ordering") == "SORTBY_DESC",
        nulls_first=None if nulls == "SORTBY_NULLS_DEFAULT" else nulls == "SORTBY_NULLS_FIRST",
        name=derived_name(element["expr"]) if found is not None else None,
    )


def _key_text(context: Context, first: int, last: int) -> str:
    """An expression in a key: what stands in parentheses, or a function call (func_expr_windowless in gram.y)."""
    if context.tokens[first][0] == "(":
        return context.inside(first)
    opening = context.find("(", first, last=last)
    return context.slice(first, context.closing(opening) + 1 if opening >= 0 else first + 1)


def column_definition(node: Node, context: Context) -> ColumnDefinition:
    """A ColumnDef node. PRIMARY KEY does not set `not_null` here: that is what PostgreSQL makes of it."""
    name = node["colname"]
    written = node.get("typeName")
    kind = serial_type(written) if written else None
    collation = node.get("collClause")
    column = ColumnDefinition(
        name,
        kind or data_type(written or {}),
        serial=kind is not None,
        not_null=node.get("is_not_null", False),
        collation=qualified(collation["collname"]) if collation else None,
        storage=node.get("storage_name", "").lower() or _STORAGE_WORDS.get(node.get("storage", ""), ""),
        compression=node.get("compression", ""),
    )
    constraints = node.get("constraints")
    return column if constraints is None else _constrained(column, [item["Constraint"] for item in constraints], context)


def _constrained(column: ColumnDefinition, items: list[Node], context: Context) -> ColumnDefinition:
    changes: dict[str, object] = {}
    inline: list[ConstraintDefinition] = []
    for item in items:
        match item["contype"]:
            case "CONSTR_NOTNULL":
                changes["not_null"] = True
                if "conname" not in item and not item.get("is_no_inherit"):
                    continue
            case "CONSTR_NULL":
                changes["null_written"] = True
            case "CONSTR_DEFAULT":
                changes["default"] = default_of(item, context)
            case "CONSTR_IDENTITY":
                changes["identity"] = _IDENTITY.get(item.get("generated_when", ""), "always")
            case "CONSTR_GENERATED":
                changes["generated"], changes["generated_expression"] = _generated(item, context)
            case "CONSTR_ATTR_DEFERRABLE" | "CONSTR_ATTR_NOT_DEFERRABLE" | "CONSTR_ATTR_DEFERRED" | "CONSTR_ATTR_IMMEDIATE" if inline:
                inline[-1] = _with_attribute(inline[-1], item["contype"])
            case "CONSTR_ATTR_ENFORCED" | "CONSTR_ATTR_NOT_ENFORCED" if inline:
                inline[-1] = inline[-1]._replace(enforced=item["contype"] == "CONSTR_ATTR_ENFORCED")
        found = constraint(item, context, column.name)
        if found is not None:
            inline.append(found)
    return column._replace(constraints=tuple(inline), **changes)  # type: ignore[arg-type]


def _with_attribute(found: ConstraintDefinition, attribute: str) -> ConstraintDefinition:
    """DEFERRABLE and its like follow their constraint as nodes of their own (transformConstraintAttrs in parse_utilcmd.c)."""
    match attribute:
        case "CONSTR_ATTR_DEFERRABLE":
            return found._replace(deferrable=True)
        case "CONSTR_ATTR_DEFERRED":
            return found._replace(deferrable=True, deferred=True)
        case "CONSTR_ATTR_NOT_DEFERRABLE":
            return found._replace(deferrable=False)
    return found._replace(deferred=False)


def _generated(item: Node, context: Context) -> tuple[str, Expression]:
    at = context.find("AS", context.index(item.get("location", 0)))
    opening = context.find("(", at + 1) if at >= 0 else -1
    after = context.closing(opening) + 1 if opening >= 0 else len(context.tokens)
    written = after < len(context.tokens) and context.tokens[after][0] in {"STORED", "VIRTUAL"}
    kind = _GENERATED.get(item.get("generated_kind", ""), "virtual") if written else "unstated"
    return kind, expression(item["raw_expr"], context.inside(opening) if opening >= 0 else "")
