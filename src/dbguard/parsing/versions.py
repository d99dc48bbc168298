"""Syntax that only newer servers know, where it leaves no other trace in the operations.

In: the parse tree of one statement, or a node that `uses` meets deep inside a query. Out: the version and the words for it.
Release notes of each major, section E.1.3 "Changes"; src/backend/parser/gram.y of the major before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dbguard.model.operations import Operation, Requires

Node = dict[str, Any]
Needed = tuple[int, str] | None


def required(kind: str, node: Node, made: tuple[Operation, ...]) -> tuple[Requires, ...]:
    """The operation that says which version the statement needs, if it is newer than 13; `made` are its other operations."""
    find = _NEEDS.get(kind)
    needed = None if find is None else find(node)
    if kind in _WITH_QUERIES:
        needed = _newest((needed, *map(_inside, made)))
    return () if needed is None else (Requires(*needed),)


def _newest(needs: Iterable[Needed]) -> Needed:
    found = [one for one in needs if one is not None]
    return max(found) if found else None


def _inside(operation: Any) -> Needed:
    """What the queries of an operation need, as `uses` noted it."""
    uses = getattr(getattr(operation, "operation", operation), "uses", None)
    return None if uses is None else uses.needs


# Nodes of expressions and of FROM, as `uses` meets them.
NODES: Mapping[str, tuple[int, str]] = {
    "JsonArrayAgg": (16, "JSON_ARRAYAGG"),
    "JsonArrayConstructor": (16, "JSON_ARRAY"),
    "JsonArrayQueryConstructor": (16, "JSON_ARRAY"),
    "JsonFuncExpr": (17, "JSON_EXISTS, JSON_QUERY and JSON_VALUE"),
    "JsonIsPredicate": (16, "IS JSON"),
    "JsonObjectAgg": (16, "JSON_OBJECTAGG"),
    "JsonObjectConstructor": (16, "JSON_OBJECT"),
    "JsonScalarExpr": (17, "JSON_SCALAR"),
    "JsonSerializeExpr": (17, "JSON_SERIALIZE"),
    "JsonTable": (17, "JSON_TABLE"),
}


def of_recursion(query: Node) -> Needed:
    """A query in WITH."""
    return (14, "SEARCH and CYCLE") if "search_clause" in query or "cycle_clause" in query else None


def of_subscript(node: Node) -> Needed:
    """`doc['key']`: arrays take numbers only, so this is jsonb or hstore."""
    indices = (item.get("A_Indices", {}) for item in node.get("indirection", ()))
    keys = (one.get(side, {}).get("A_Const", {}) for one in indices for side in ("uidx", "lidx"))
    return (14, "a subscript of jsonb") if any("sval" in key for key in keys) else None


def of_returning(node: Node) -> Needed:
    """RETURNING of INSERT, UPDATE, DELETE or MERGE."""
    clause = node.get("returningClause")
    if clause is None:
        return None
    if clause.get("options"):
        return 18, "RETURNING WITH (OLD AS ..., NEW AS ...)"
    target = node["relation"]
    names = {"old", "new"} - {target.get("alias", {}).get("aliasname", target["relname"])}
    stack: list[Any] = [clause]
    while stack:
        top = stack.pop()
        if isinstance(top, list):
            stack.extend(top)
        elif isinstance(top, dict):
            fields = top.get("ColumnRef", {}).get("fields", ())
            if len(fields) == 2 and fields[0].get("String", {}).get("sval") in names:
                return 18, "RETURNING old and new"
            stack.extend(top.values())
    return None


def _options(node: Node, key: str = "options") -> dict[str, Node]:
    return {item["DefElem"]["defname"]: item["DefElem"].get("arg", {}) for item in node.get(key, ())}


def _newest_option(statement: str, options: Iterable[str], known: Mapping[str, int]) -> Needed:
    return _newest((known[one], f"{statement} with {one.upper()}") if one in known else None for one in options)


_VACUUM_OPTIONS = {"process_toast": 14, "process_main": 16, "buffer_usage_limit": 16, "skip_database_stats": 16, "only_database_stats": 16}
_EXPLAIN_OPTIONS = {"generic_plan": 16, "memory": 17, "serialize": 17}
_COPY_OPTIONS = {"default": 16, "on_error": 17, "log_verbosity": 17, "reject_limit": 18}
_PUBLICATION_OPTIONS = {"publish_generated_columns": 18}
_DATABASE_OPTIONS = {"strategy": 15, "locale_provider": 15, "icu_locale": 15, "collation_version": 15, "icu_rules": 16, "builtin_locale": 17}


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
    if any(one is not None and not one.get("inh") for one in relations):
        return 18, "VACUUM and ANALYZE ONLY"
    written = _options(node)
    if written.get("index_cleanup", {}).get("String", {}).get("sval") == "auto":
        return 14, "INDEX_CLEANUP AUTO"
    return _newest_option("VACUUM" if node.get("is_vacuumcmd") else "ANALYZE", written, _VACUUM_OPTIONS)


def _publication(node: Node) -> Needed:
    for item in node.get("pubobjects", ()):
        spec = item.get("PublicationObjSpec", {})
        if "SCHEMA" in spec.get("pubobjtype", ""):
            return 15, "TABLES IN SCHEMA of a publication"
        if {"columns", "whereClause"} & spec.get("pubtable", {}).keys():
            return 15, "a column list or row filter of a publication"
    return _newest_option("a publication", _options(node), _PUBLICATION_OPTIONS)


def _copy(node: Node) -> Needed:
    written = _options(node)
    found = _newest_option("COPY", written, _COPY_OPTIONS)
    if found is None and any("A_Star" in written.get(one, {}) for one in ("force_null", "force_not_null")):
        return 17, "FORCE_NULL and FORCE_NOT_NULL of all columns"
    if found is None and "header" in written and _text(written.get("format", {})) != "csv":
        return 15, "COPY with HEADER in text format"
    return found or ((15, "COPY with HEADER MATCH") if _text(written.get("header", {})) == "match" else None)


def _text(argument: Node) -> str:
    text: str = argument.get("String", {}).get("sval", "")
    return text


def of_merge(node: Node) -> Needed:
    if any(item["MergeWhenClause"].get("matchKind") == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE" for item in node.get("mergeWhenClauses", ())):
        return 17, "WHEN NOT MATCHED BY SOURCE"
    return (17, "MERGE ... RETURNING") if node.get("returningClause") else (15, "MERGE")


def _create_table(node: Node) -> Needed:
    if "partspec" in node and "accessMethod" in node:
        return 17, "USING of a partitioned table"
    return _newest([_element(next(iter(item.items()))) for item in node.get("tableElts", ())])


def _element(item: tuple[str, Node]) -> Needed:
    kind, node = item
    if kind == "TableLikeClause":
        options = node.get("options", 0)
        return (14, "INCLUDING COMPRESSION") if options & _COMPRESSION and options != _EVERYTHING else None
    if kind != "ColumnDef":
        return _constraint(node)
    constraints = node.get("constraints")
    return None if constraints is None else _newest([_constraint(one["Constraint"]) for one in constraints if "Constraint" in one])


_COMPRESSION, _EVERYTHING = 1 << 1, 0x7FFFFFFF  # TableLikeOption in src/include/nodes/parsenodes.h


def _constraint(node: Node) -> Needed:
    if "fk_del_set_cols" in node:
        return 15, "ON DELETE SET NULL or DEFAULT of some columns"
    return (18, "NOT NULL ... NO INHERIT") if node.get("contype") == "CONSTR_NOTNULL" and node.get("is_no_inherit") else None


def _alter_table(node: Node) -> Needed:
    for item in node.get("cmds", ()):
        command = item["AlterTableCmd"]
        needed = _element(next(iter(command["def"].items()), ("", {}))) if command["subtype"] in _WITH_ELEMENT and "def" in command else None
        if needed is not None:
            return needed
        if command["subtype"] == "AT_SetStatistics" and "def" not in command:
            return 17, "SET STATISTICS DEFAULT"
        if command["subtype"] == "AT_SetRelOptions" and node.get("objtype") == "OBJECT_VIEW" and "security_invoker" in _items(command):
            return 15, "security_invoker"
    return None


_WITH_ELEMENT = frozenset({"AT_AddColumn", "AT_AddConstraint"})


def _items(command: Node) -> set[str]:
    return {item.get("DefElem", {}).get("defname", "") for item in command.get("def", {}).get("List", {}).get("items", ())}


def _explain(node: Node) -> Needed:
    return _newest_option("EXPLAIN", _options(node), _EXPLAIN_OPTIONS)


def _grant(node: Node) -> Needed:
    if any(item["AccessPriv"].get("priv_name") == "maintain" for item in node.get("privileges", ())):
        return 17, "the privilege MAINTAIN"
    if node.get("objtype") == "OBJECT_PARAMETER_ACL":
        return 15, "privileges on parameters"
    return (14, "GRANTED BY") if "grantor" in node else None


def _grant_role(node: Node) -> Needed:
    return (16, "membership with INHERIT or SET") if _options(node, "opt").keys() & {"inherit", "set"} else None


def _function(node: Node) -> Needed:
    outs = (item["FunctionParameter"].get("mode") == "FUNC_PARAM_OUT" for item in node.get("parameters", ()))
    return (14, "OUT parameters of a procedure") if node.get("is_procedure") and any(outs) else None


def _range(node: Node) -> Needed:
    return (14, "multirange types") if "multirange_type_name" in _options(node, "params") else None


def _subscription(node: Node) -> Needed:
    return (15, "ALTER SUBSCRIPTION ... SKIP") if node.get("kind") == "ALTER_SUBSCRIPTION_SKIP" else None


def _database(node: Node) -> Needed:
    return _newest_option("CREATE DATABASE", _options(node), _DATABASE_OPTIONS)


_NEEDS: dict[str, Callable[[Node], Needed]] = {
    "AlterDatabaseRefreshCollStmt": lambda _: (15, "REFRESH COLLATION VERSION of a database"),
    "AlterPublicationStmt": _publication,
    "AlterSubscriptionStmt": _subscription,
    "AlterTableStmt": _alter_table,
    "CopyStmt": _copy,
    "CreateFunctionStmt": _function,
    "CreatePublicationStmt": _publication,
    "CreateRangeStmt": _range,
    "CreateSeqStmt": _sequence,
    "CreateStatsStmt": _statistics,
    "CreateStmt": _create_table,
    "CreatedbStmt": _database,
    "ExplainStmt": _explain,
    "GrantRoleStmt": _grant_role,
    "GrantStmt": _grant,
    "ReindexStmt": _reindex,
    "VacuumStmt": _vacuum,
}
_WITH_QUERIES = frozenset(
    {
        *("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "ViewStmt", "CreateTableAsStmt", "PrepareStmt"),
        *("DeclareCursorStmt", "CreatePolicyStmt", "AlterPolicyStmt", "RuleStmt", "CopyStmt", "ExplainStmt", "CreateFunctionStmt"),
    }
)
LOOKED_AT = _WITH_QUERIES | _NEEDS.keys()
