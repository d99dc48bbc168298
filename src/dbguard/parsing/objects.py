"""Views, sequences, types, schemas, extensions, publications, and every object that locks no table."""

from __future__ import annotations

from dbguard.model import operations as op
from dbguard.model.names import Name
from dbguard.model.operations import Operation
from dbguard.model.types import DataType
from dbguard.parsing.column_types import data_type
from dbguard.parsing.constraints import AFTER_DEFAULT, after_word, constraint
from dbguard.parsing.context import Context, Maker, Node
from dbguard.parsing.expressions import expression
from dbguard.parsing.names import flag, from_parts, kind_of, object_name, options, qualified, relation, strings
from dbguard.parsing.queries import output_columns
from dbguard.parsing.uses import uses_of

_DOMAIN_CHANGES = {"C": "add constraint", "X": "drop constraint", "V": "validate", "O": "set not null", "N": "drop not null"}
_PUBLICATION_CHANGES = {"AP_AddObjects": "add", "AP_DropObjects": "drop", "AP_SetObjects": "set"}


LONGEST_VIEW = 100_000  # characters of a view whose text is kept


def _create_view(node: Node, context: Context) -> tuple[Operation, ...]:
    view = node["view"]
    columns: tuple[str | None, ...] = tuple(strings(node.get("aliases", [])))
    outputs = output_columns(node["query"])
    return (
        op.CreateView(
            relation(view),
            uses_of(node["query"]),
            columns + outputs[len(columns) :] if None not in outputs[: len(columns)] else columns,
            node.get("replace", False),
            view.get("relpersistence") == "t",
            options(node.get("options")),
            context.text[context.start : context.end] if context.end - context.start <= LONGEST_VIEW else "",
        ),
    )


def _create_sequence(node: Node, _context: Context) -> tuple[Operation, ...]:
    sequence = node["sequence"]
    kind, owner = _sequence_options(node.get("options", ()))
    temporary = sequence.get("relpersistence") == "t"
    return (op.CreateSequence(relation(sequence), kind, owner or None, node.get("if_not_exists", False), temporary),)


def _alter_sequence(node: Node, _context: Context) -> tuple[Operation, ...]:
    items = node.get("options", ())
    kind, owner = _sequence_options(items)
    names = tuple(item["DefElem"]["defname"] for item in items)
    return (op.AlterSequence(relation(node["sequence"]), names, owner, kind, node.get("missing_ok", False)),)


def _sequence_options(items: list[Node]) -> tuple[DataType | None, tuple[Name, str] | tuple[()] | None]:
    kind: DataType | None = None
    owner: tuple[Name, str] | tuple[()] | None = None
    for item in items:
        option = item["DefElem"]
        if option["defname"] == "as":
            kind = data_type(option["arg"]["TypeName"])
        elif option["defname"] == "owned_by":
            parts = strings(option["arg"]["List"].get("items", []))
            owner = () if len(parts) == 1 else (from_parts(parts[:-1]), parts[-1])
    return kind, owner


def _create_enum(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (op.CreateEnum(qualified(node["typeName"]), tuple(strings(node.get("vals", [])))),)


def _alter_enum(node: Node, _context: Context) -> tuple[Operation, ...]:
    name = qualified(node["typeName"])
    if "oldVal" in node:
        return (op.RenameEnumValue(name, node["oldVal"], node.get("newVal", "")),)
    neighbour = node.get("newValNeighbor")
    after = node.get("newValIsAfter", False) or neighbour is None
    return (op.AddEnumValue(name, node.get("newVal", ""), node.get("skipIfNewValExists", False), neighbour, after),)


def _create_domain(node: Node, context: Context) -> tuple[Operation, ...]:
    not_null, default, checks = False, None, []
    for item in node.get("constraints", ()):
        written = item["Constraint"]
        if written["contype"] == "CONSTR_NOTNULL":
            not_null = True
        elif written["contype"] == "CONSTR_DEFAULT":
            default = after_word(written["raw_expr"], context, "DEFAULT", written.get("location", 0), AFTER_DEFAULT)
        else:
            found = constraint(written, context)
            if found is not None:
                checks.append(found)
    collation = node.get("collClause")
    return (
        op.CreateDomain(
            qualified(node["domainname"]),
            data_type(node["typeName"]),
            not_null,
            default,
            tuple(checks),
            qualified(collation["collname"]) if collation else None,
        ),
    )


def _alter_domain(node: Node, context: Context) -> tuple[Operation, ...]:
    name, definition = qualified(node["typeName"]), node.get("def")
    change = _DOMAIN_CHANGES.get(node.get("subtype", ""), "set default" if definition else "drop default")
    found, default = None, None
    if definition and change == "add constraint":
        found = constraint(definition["Constraint"], context)
    elif definition and change == "set default":
        at = context.find("DEFAULT")
        default = expression(definition, context.slice(at + 1, len(context.tokens)))
    cascade = node.get("behavior") == "DROP_CASCADE"
    return (op.AlterDomain(name, change, found, node.get("name"), default, node.get("missing_ok", False), cascade),)


def _create_schema(node: Node, context: Context) -> tuple[Operation, ...]:
    from dbguard.parsing.statements import operations

    role = node.get("authrole", {})
    name = node.get("schemaname") or role.get("rolename") or role.get("roletype", "").removeprefix("ROLESPEC_").lower()
    found: list[Operation] = [op.CreateSchema(name, node.get("if_not_exists", False))]
    for element in node.get("schemaElts", ()):
        for statement in element.values():
            for key in ("relation", "view", "sequence"):
                if "relname" in statement.get(key, {}):
                    statement[key].setdefault("schemaname", name)
        found.extend(operations(element, context))
    return tuple(found)


def _create_extension(node: Node, _context: Context) -> tuple[Operation, ...]:
    written = dict(options(node.get("options")))
    return (op.CreateExtension(node["extname"], written.get("schema"), written.get("new_version"), node.get("if_not_exists", False)),)


def _create_statistics(node: Node, _context: Context) -> tuple[Operation, ...]:
    name = qualified(node["defnames"]) if "defnames" in node else None
    table = object_name(node.get("relations", [{}])[0])
    columns = tuple(item["StatsElem"]["name"] for item in node.get("exprs", ()) if "name" in item.get("StatsElem", {}))
    return (op.CreateStatistics(name, table, columns, node.get("if_not_exists", False)),)


def _published(node: Node) -> tuple[tuple[Name, ...], tuple[frozenset[str], ...]]:
    """Tables, and the columns that each has in its column list and row filter."""
    specs = [item.get("PublicationObjSpec", {}) for item in node.get("pubobjects", ())]
    tables = [spec["pubtable"] for spec in specs if "pubtable" in spec]
    columns = (uses_of(table.get("whereClause")).columns.union(strings(table.get("columns", []))) for table in tables)
    return tuple(relation(table["relation"]) for table in tables), tuple(columns)


def _create_publication(node: Node, _context: Context) -> tuple[Operation, ...]:
    tables, columns = _published(node)
    return (op.CreatePublication(node["pubname"], tables, columns),)


def _alter_publication(node: Node, _context: Context) -> tuple[Operation, ...]:
    tables, columns = _published(node)
    change = "options" if "options" in node else _PUBLICATION_CHANGES.get(node.get("action", ""), "options")
    return (op.AlterPublication(node["pubname"], change, tables, columns),)


def _define(node: Node, _context: Context) -> tuple[Operation, ...]:
    kind = kind_of(node["kind"])
    return (op.CreateObject("base type" if kind == "type" else kind, qualified(node.get("defnames", []))),)


def _alter_subscription(node: Node, _context: Context) -> tuple[Operation, ...]:
    kind = node.get("kind", "").removeprefix("ALTER_SUBSCRIPTION_").lower()
    refreshes = kind == "refresh" or (kind.endswith("publication") and dict(options(node.get("options"))).get("refresh", "true") != "false")
    return (op.AlterObject("subscription", Name(None, node.get("subname", "")), "refresh" if refreshes else kind),)


def _create_subscription(node: Node, _context: Context) -> tuple[Operation, ...]:
    """Without a slot to create it may stand in a transaction (CreateSubscription in subscriptioncmds.c)."""
    off = {name for name, value in options(node.get("options")) if value.lower() in {"false", "off", "0", "no"}}
    return (op.CreateObject("subscription", Name(None, node.get("subname", "")), "no slot" if off & {"connect", "create_slot"} else ""),)


def _alter_database(node: Node, _context: Context) -> tuple[Operation, ...]:
    moves = flag(node.get("options"), "tablespace")
    return (op.AlterObject("database", Name(None, node.get("dbname", "")), "tablespace" if moves else ""),)


def _create_language(node: Node, _context: Context) -> tuple[Operation, ...]:
    name = node.get("plname", "")
    return (op.CreateObject("language", Name(None, name), name),)


def _cast(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (op.CreateObject("cast", data_type(node["sourcetype"]).name, str(data_type(node["targettype"]))),)


def _create(kind: str, key: str) -> Maker:
    def make(node: Node, _context: Context) -> tuple[Operation, ...]:
        return (op.CreateObject(kind, _name_at(node, key)),)

    return make


def _alter(kind: str, key: str, detail: str = "") -> Maker:
    def make(node: Node, _context: Context) -> tuple[Operation, ...]:
        return (op.AlterObject(kind, _name_at(node, key), detail),)

    return make


def _drop(kind: str, key: str) -> Maker:
    def make(node: Node, _context: Context) -> tuple[Operation, ...]:
        return (op.DropObject(kind, (_name_at(node, key),), node.get("missing_ok", False), node.get("behavior") == "DROP_CASCADE"),)

    return make


def _name_at(node: Node, key: str) -> Name:
    value = node.get(key, "")
    if isinstance(value, str):
        return Name(None, value)
    return qualified(value) if isinstance(value, list) else object_name(value)


def _alter_operator(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (op.AlterObject("operator", object_name(node.get("opername")), ", ".join(name for name, _ in options(node.get("options")))),)


MAKERS: dict[str, Maker] = {
    "AlterCollationStmt": _alter("collation", "collname", "refresh version"),
    "AlterDatabaseRefreshCollStmt": _alter("database", "dbname", "refresh collation version"),
    "AlterDatabaseSetStmt": _alter("database", "dbname", "set"),
    "AlterDatabaseStmt": _alter_database,
    "AlterDomainStmt": _alter_domain,
    "AlterEnumStmt": _alter_enum,
    "AlterEventTrigStmt": _alter("event trigger", "trigname"),
    "AlterExtensionContentsStmt": _alter("extension", "extname", "contents"),
    "AlterExtensionStmt": _alter("extension", "extname", "update"),
    "AlterFdwStmt": _alter("foreign data wrapper", "fdwname"),
    "AlterForeignServerStmt": _alter("foreign server", "servername"),
    "AlterOpFamilyStmt": _alter("operator family", "opfamilyname"),
    "AlterOperatorStmt": _alter_operator,
    "AlterPublicationStmt": _alter_publication,
    "AlterSeqStmt": _alter_sequence,
    "AlterStatsStmt": _alter("statistics", "defnames", "set statistics"),
    "AlterSubscriptionStmt": _alter_subscription,
    "AlterTSConfigurationStmt": _alter("text search configuration", "cfgname"),
    "AlterTSDictionaryStmt": _alter("text search dictionary", "dictname"),
    "AlterTableSpaceOptionsStmt": _alter("tablespace", "tablespacename", "options"),
    "AlterTypeStmt": _alter("type", "typeName", "options"),
    "AlterUserMappingStmt": _alter("user mapping", "servername"),
    "CreateAmStmt": _create("access method", "amname"),
    "CreateCastStmt": _cast,
    "CreateConversionStmt": _create("conversion", "conversion_name"),
    "CreateDomainStmt": _create_domain,
    "CreateEnumStmt": _create_enum,
    "CreateEventTrigStmt": _create("event trigger", "trigname"),
    "CreateExtensionStmt": _create_extension,
    "CreateFdwStmt": _create("foreign data wrapper", "fdwname"),
    "CreateForeignServerStmt": _create("foreign server", "servername"),
    "CreateOpClassStmt": _create("operator class", "opclassname"),
    "CreateOpFamilyStmt": _create("operator family", "opfamilyname"),
    "CreatePLangStmt": _create_language,
    "CreatePublicationStmt": _create_publication,
    "CreateRangeStmt": _create("range type", "typeName"),
    "CreateSchemaStmt": _create_schema,
    "CreateSeqStmt": _create_sequence,
    "CreateStatsStmt": _create_statistics,
    "CreateSubscriptionStmt": _create_subscription,
    "CreateTableSpaceStmt": _create("tablespace", "tablespacename"),
    "CreateTransformStmt": _create("transform", "lang"),
    "CreateUserMappingStmt": _create("user mapping", "servername"),
    "CreatedbStmt": _create("database", "dbname"),
    "DefineStmt": _define,
    "DropSubscriptionStmt": _drop("subscription", "subname"),
    "DropTableSpaceStmt": _drop("tablespace", "tablespacename"),
    "DropUserMappingStmt": _drop("user mapping", "servername"),
    "DropdbStmt": _drop("database", "dbname"),
    "ViewStmt": _create_view,
}
