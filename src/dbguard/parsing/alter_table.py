"""ALTER TABLE and its likes: one operation per action, in the order PostgreSQL runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbguard.model import operations as op
from dbguard.model.names import Name
from dbguard.model.operations import Operation
from dbguard.parsing.column_types import data_type
from dbguard.parsing.constraints import column_definition, constraint
from dbguard.parsing.context import Context, Node
from dbguard.parsing.expressions import expression
from dbguard.parsing.names import kind_of, option_value, options, qualified, relation
from dbguard.parsing.tables import partition_bound

# AlterTablePass and ATPrepCmd in src/backend/commands/tablecmds.c (PostgreSQL 18); what is not listed runs last, in AT_PASS_MISC.
_DROP, _ALTER_TYPE, _ADD_COLUMN, _SET_EXPRESSION, _ATTRIBUTES, _INDEX_CONSTRAINT, _INDEX, _OTHER_CONSTRAINT, _MISC = range(9)
_PASSES = {
    "AT_AddColumn": _ADD_COLUMN,
    "AT_AddColumnToView": _ADD_COLUMN,
    "AT_AddIdentity": _OTHER_CONSTRAINT,
    "AT_AlterColumnType": _ALTER_TYPE,
    "AT_DropColumn": _DROP,
    "AT_DropConstraint": _DROP,
    "AT_DropExpression": _DROP,
    "AT_DropIdentity": _DROP,
    "AT_DropNotNull": _DROP,
    "AT_DropOids": _DROP,
    "AT_SetExpression": _SET_EXPRESSION,
    "AT_SetNotNull": _ATTRIBUTES,
}
_CONSTRAINT_PASSES = {"CONSTR_NOTNULL": _ATTRIBUTES, "CONSTR_PRIMARY": _INDEX, "CONSTR_UNIQUE": _INDEX, "CONSTR_EXCLUSION": _INDEX}
_IDENTITY = {"a": "always", "d": "by default"}
_REPLICA_IDENTITY = {"d": "default", "f": "full", "n": "nothing", "i": "index"}
_ROW_SECURITY = {
    "AT_EnableRowSecurity": "enable",
    "AT_DisableRowSecurity": "disable",
    "AT_ForceRowSecurity": "force",
    "AT_NoForceRowSecurity": "no force",
}


def _pass(command: Node) -> int:
    subtype = command["subtype"]
    if subtype == "AT_AddConstraint":
        definition = command["def"]["Constraint"]
        return _INDEX_CONSTRAINT if "indexname" in definition else _CONSTRAINT_PASSES.get(definition["contype"], _OTHER_CONSTRAINT)
    if subtype == "AT_ColumnDefault":
        return _OTHER_CONSTRAINT if "def" in command else _DROP
    return _PASSES.get(subtype, _MISC)


class _Action:
    """One action: the target, what was written, and where."""

    __slots__ = ("cascade", "context", "definition", "if_exists", "kind", "missing_ok", "name", "number", "only", "subtype", "table")

    def __init__(self, statement: Node, command: Node, number: int, context: Context) -> None:
        target = statement["relation"]
        self.table = relation(target)
        self.only = not target.get("inh", False)
        self.kind = kind_of(statement.get("objtype", "OBJECT_TABLE"))
        self.if_exists: bool = statement.get("missing_ok", False)
        self.subtype: str = command["subtype"]
        self.name: str = command.get("name", "")
        self.definition: Node = command.get("def", {})
        self.cascade = command.get("behavior") == "DROP_CASCADE"
        self.missing_ok: bool = command.get("missing_ok", False)
        self.number = number
        self.context = context

    def expression_after(self, word: str, node: Node) -> Any:
        """The expression of this action that follows `word`; actions stand between commas."""
        context = self.context
        parts = context.actions
        first, last = parts[self.number] if self.number < len(parts) else (0, len(context.tokens))
        at = context.find(word, first, depth=0, last=last)
        return expression(node, context.slice(at + 1, last) if at >= 0 else "")


def _alter_table(node: Node, context: Context) -> tuple[Operation, ...]:
    commands = [item["AlterTableCmd"] for item in node.get("cmds", ())]
    if len(commands) == 1:
        return (_operation(_Action(node, commands[0], 0, context)),)
    numbered = sorted(enumerate(commands), key=lambda pair: _pass(pair[1]))
    found = tuple([_operation(_Action(node, command, number, context)) for number, command in numbered])
    if any(map(_verifies_foreign_keys, commands)):
        found = tuple([one._replace(verified=True) if isinstance(one, op.AddColumn) else one for one in found])
    return found


def _verifies_foreign_keys(command: Node) -> bool:
    """Whether this action makes PostgreSQL verify every foreign key of its ALTER TABLE (transformAlterTableStmt, skipValidation)."""
    return bool(command["subtype"] == "AT_AddConstraint" and command["def"]["Constraint"]["contype"] == "CONSTR_FOREIGN")


def _operation(action: _Action) -> Operation:
    if action.kind == "type":
        return _attribute(action)
    maker = _ACTIONS.get(action.subtype)
    return maker(action) if maker is not None else _setting(action)


def _attribute(action: _Action) -> Operation:
    """ALTER TYPE ... ADD, DROP, ALTER ATTRIBUTE."""
    match action.subtype:
        case "AT_AddColumn":
            column = action.definition["ColumnDef"]
            return op.AlterAttribute(action.table, "add", column["colname"], data_type(column["typeName"]), action.cascade)
        case "AT_DropColumn":
            return op.AlterAttribute(action.table, "drop", action.name, None, action.cascade, action.missing_ok)
        case "AT_AlterColumnType":
            return op.AlterAttribute(action.table, "alter", action.name, data_type(action.definition["ColumnDef"]["typeName"]), action.cascade)
    return op.AlterObject("type", action.table, "owner" if action.subtype == "AT_ChangeOwner" else "")


def _add_column(action: _Action) -> Operation:
    column = column_definition(action.definition["ColumnDef"], action.context)
    return op.AddColumn(action.table, column, action.missing_ok, action.only, action.if_exists)


def _drop_column(action: _Action) -> Operation:
    return op.DropColumn(action.table, action.name, action.missing_ok, action.cascade, action.only)


def _change_type(action: _Action) -> Operation:
    column = action.definition["ColumnDef"]
    using = column.get("raw_default")
    collation = column.get("collClause")
    return op.ChangeColumnType(
        action.table,
        action.name,
        data_type(column["typeName"]),
        action.expression_after("USING", using) if using is not None else None,
        qualified(collation["collname"]) if collation else None,
        action.only,
    )


def _default(action: _Action) -> Operation:
    if not action.definition:
        return op.DropDefault(action.table, action.name, action.only)
    return op.SetDefault(action.table, action.name, action.expression_after("DEFAULT", action.definition), action.only)


def _set_expression(action: _Action) -> Operation:
    found = action.expression_after("AS", action.definition)
    sql = found.sql.strip()
    return op.SetExpression(action.table, action.name, found._replace(sql=sql[1:-1].strip() if sql.startswith("(") else sql), action.only)


def _set_identity(action: _Action) -> Operation:
    identity = None
    for item in action.definition.get("List", {}).get("items", ()):
        if item["DefElem"]["defname"] == "generated":
            identity = _IDENTITY.get(chr(item["DefElem"]["arg"]["Integer"].get("ival", 0)))
    return op.SetIdentity(action.table, action.name, identity, action.only)


def _add_identity(action: _Action) -> Operation:
    return op.AddIdentity(action.table, action.name, _IDENTITY.get(action.definition["Constraint"].get("generated_when", ""), "always"), action.only)


def _add_constraint(action: _Action) -> Operation:
    definition = constraint(action.definition["Constraint"], action.context)
    if definition is None:
        return op.AlterObject(action.kind, action.table, "constraint")
    return op.AddConstraint(action.table, definition, action.only)


def _alter_constraint(action: _Action) -> Operation:
    written = action.definition["ATAlterConstraint"]
    deferrability = written.get("alterDeferrability", False)
    return op.AlterConstraint(
        action.table,
        written.get("conname", action.name),
        written.get("deferrable", False) if deferrability else None,
        written.get("initdeferred", False) if deferrability else None,
        written.get("is_enforced", False) if written.get("alterEnforceability") else None,
        not written.get("noinherit", False) if written.get("alterInheritability") else None,
    )


def _attach(action: _Action) -> Operation:
    command = action.definition["PartitionCmd"]
    partition = relation(command["name"])
    if action.kind == "index":
        return op.AttachIndexPartition(action.table, partition)
    return op.AttachPartition(action.table, partition, partition_bound(command.get("bound", {})))


def _detach(action: _Action) -> Operation:
    command = action.definition["PartitionCmd"]
    return op.DetachPartition(
        action.table, relation(command["name"]), command.get("concurrent", False), action.subtype == "AT_DetachPartitionFinalize"
    )


def _set_options(action: _Action) -> Operation:
    written = options(action.definition.get("List", {}).get("items"))
    reset = action.subtype == "AT_ResetRelOptions"
    return op.SetTableOptions(action.table, tuple((name, None if reset else value) for name, value in written), action.kind)


def _replica_identity(action: _Action) -> Operation:
    written = action.definition["ReplicaIdentityStmt"]
    return op.SetReplicaIdentity(action.table, _REPLICA_IDENTITY.get(written.get("identity_type", "d"), "default"), written.get("name"))


def _of_type(action: _Action) -> Operation:
    return op.SetOfType(action.table, qualified(action.definition["TypeName"]["names"]) if action.definition else None)


def _inherit(action: _Action) -> Operation:
    return op.Inherit(action.table, relation(action.definition["RangeVar"]), action.subtype == "AT_AddInherit")


def _access_method(action: _Action) -> Operation:
    return op.SetAccessMethod(action.table, action.name or None)


def _statistics(action: _Action) -> Operation:
    """ALTER INDEX names the column by its number, which is not kept as text."""
    return op.SetStatistics(action.table, action.name, action.kind == "index", action.only)


def _setting(action: _Action) -> Operation:
    """Actions told apart by their name alone."""
    table, subtype = action.table, action.subtype
    words = subtype.removeprefix("AT_")
    if subtype in _ROW_SECURITY:
        return op.SetRowSecurity(table, _ROW_SECURITY[subtype])
    if words.startswith(("Enable", "Disable")) and "Trig" in words:
        group = words.endswith(("All", "User"))
        name = ("all" if words.endswith("All") else "user") if group else action.name
        return op.SetTrigger(table, name, words.startswith("Enable"), group)
    if words.startswith(("Enable", "Disable")) and words.endswith("Rule"):
        return op.SetRule(table, action.name, words.startswith("Enable"))
    return op.AlterObject(action.kind, table, "without oids" if subtype == "AT_DropOids" else words)


def _option(action: _Action) -> str:
    return option_value(action.definition) if action.definition else ""


_ACTIONS: dict[str, Callable[[_Action], Operation]] = {
    "AT_AddColumn": _add_column,
    "AT_AddColumnToView": _add_column,
    "AT_AddConstraint": _add_constraint,
    "AT_AddIdentity": _add_identity,
    "AT_AddInherit": _inherit,
    "AT_AddOf": _of_type,
    "AT_AlterColumnGenericOptions": lambda a: op.ChangeColumnOptions(a.table, a.name),
    "AT_AlterColumnType": _change_type,
    "AT_AlterConstraint": _alter_constraint,
    "AT_AttachPartition": _attach,
    "AT_ChangeOwner": lambda a: op.ChangeOwner(a.table, a.kind),
    "AT_ClusterOn": lambda a: op.SetClustered(a.table, a.name),
    "AT_ColumnDefault": _default,
    "AT_DetachPartition": _detach,
    "AT_DetachPartitionFinalize": _detach,
    "AT_DropCluster": lambda a: op.SetClustered(a.table, None),
    "AT_DropColumn": _drop_column,
    "AT_DropConstraint": lambda a: op.DropConstraint(a.table, a.name, a.missing_ok, a.cascade, a.only),
    "AT_DropExpression": lambda a: op.DropExpression(a.table, a.name, a.missing_ok, a.only),
    "AT_DropIdentity": lambda a: op.DropIdentity(a.table, a.name, a.missing_ok, a.only),
    "AT_DropInherit": _inherit,
    "AT_DropNotNull": lambda a: op.DropNotNull(a.table, a.name, a.only),
    "AT_DropOf": _of_type,
    "AT_GenericOptions": _set_options,
    "AT_ReplaceRelOptions": _set_options,
    "AT_ReplicaIdentity": _replica_identity,
    "AT_ResetOptions": lambda a: op.ChangeColumnOptions(a.table, a.name),
    "AT_ResetRelOptions": _set_options,
    "AT_SetAccessMethod": _access_method,
    "AT_SetCompression": lambda a: op.SetCompression(a.table, a.name, _option(a), a.only),
    "AT_SetExpression": _set_expression,
    "AT_SetIdentity": _set_identity,
    "AT_SetLogged": lambda a: op.SetPersistence(a.table, True, a.kind),
    "AT_SetNotNull": lambda a: op.SetNotNull(a.table, a.name, a.only),
    "AT_SetOptions": lambda a: op.ChangeColumnOptions(a.table, a.name),
    "AT_SetRelOptions": _set_options,
    "AT_SetStatistics": _statistics,
    "AT_SetStorage": lambda a: op.SetStorage(a.table, a.name, _option(a).lower(), a.only),
    "AT_SetTableSpace": lambda a: op.SetTablespace(a.table, a.name, a.kind),
    "AT_SetUnLogged": lambda a: op.SetPersistence(a.table, False, a.kind),
    "AT_ValidateConstraint": lambda a: op.ValidateConstraint(a.table, a.name, a.only),
}


def _move_all(node: Node, _context: Context) -> tuple[Operation, ...]:
    """ALTER TABLE ALL IN TABLESPACE ... SET TABLESPACE: which tables that is only the server knows."""
    return (op.AlterObject("tablespace", Name(None, node.get("orig_tablespacename", "")), "move all"),)


MAKERS = {"AlterTableMoveAllStmt": _move_all, "AlterTableStmt": _alter_table}
