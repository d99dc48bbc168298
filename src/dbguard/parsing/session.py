"""Transactions, settings, and what else speaks to the session."""

from __future__ import annotations

from dbguard.model.operations import (
    AlterSystem,
    Begin,
    Checkpoint,
    Commit,
    Do,
    Operation,
    PrepareTransaction,
    ReleaseSavepoint,
    ResetParameter,
    Rollback,
    RollbackToSavepoint,
    Savepoint,
    SessionCommand,
    SetConstraints,
    SetParameter,
    SetRole,
    ShowParameter,
)
from dbguard.parsing import plpgsql
from dbguard.parsing.context import Context, Maker, Node
from dbguard.parsing.names import constant_text, option_value, relation

_ROLES = {"role": False, "session_authorization": True}


def _transaction(node: Node, _context: Context) -> tuple[Operation, ...]:
    chain = node.get("chain", False)
    match node.get("kind"):
        case "TRANS_STMT_BEGIN" | "TRANS_STMT_START":
            read_only = False
            for item in node.get("options", ()):
                if item["DefElem"]["defname"] == "transaction_read_only":
                    read_only = option_value(item["DefElem"].get("arg")) in {"1", "true"}
            return (Begin(read_only),)
        case "TRANS_STMT_COMMIT":
            return (Commit(chain),)
        case "TRANS_STMT_ROLLBACK":
            return (Rollback(chain),)
        case "TRANS_STMT_SAVEPOINT":
            return (Savepoint(node.get("savepoint_name", "")),)
        case "TRANS_STMT_RELEASE":
            return (ReleaseSavepoint(node.get("savepoint_name", "")),)
        case "TRANS_STMT_ROLLBACK_TO":
            return (RollbackToSavepoint(node.get("savepoint_name", "")),)
        case "TRANS_STMT_COMMIT_PREPARED":
            return (PrepareTransaction("commit"),)
        case "TRANS_STMT_ROLLBACK_PREPARED":
            return (PrepareTransaction("rollback"),)
    return (PrepareTransaction("prepare"),)


def setting_value(node: Node) -> str | None:
    """The value of a VariableSetStmt as text; None for DEFAULT."""
    if node.get("kind") != "VAR_SET_VALUE":
        return None
    return ", ".join(_argument(argument) for argument in node.get("args", ()))


def _argument(node: Node) -> str:
    if "TypeCast" in node:  # SET TIME ZONE INTERVAL '+02:00' HOUR TO MINUTE
        return _argument(node["TypeCast"].get("arg", {}))
    return constant_text(node.get("A_Const", {}))


def _set(node: Node, _context: Context) -> tuple[Operation, ...]:
    name, local = node.get("name", "").lower(), node.get("is_local", False)
    match node.get("kind"):
        case "VAR_RESET_ALL":
            return (ResetParameter(None),)
        case "VAR_SET_MULTI":
            return (SessionCommand(f"set {name}"),)
        case "VAR_SET_CURRENT":
            return (SessionCommand(f"set {name} from current"),)
        case "VAR_RESET" if name not in _ROLES:
            return (SessionCommand(f"reset {name}"),) if name.startswith("transaction_") else (ResetParameter(name),)
    value = setting_value(node)
    if name in _ROLES:
        return (SetRole(None if value is None or value.lower() == "none" else value, _ROLES[name], local),)
    return (SetParameter(name, value, local),)


def _show(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (ShowParameter(node.get("name", "").lower()),)


def _constraints(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (SetConstraints(tuple(relation(item["RangeVar"]) for item in node.get("constraints", ())), node.get("deferred", False)),)


def _do(node: Node, context: Context) -> tuple[Operation, ...]:
    language, body = "plpgsql", ""
    for item in node.get("args", ()):
        option = item["DefElem"]
        if option["defname"] == "language":
            language = option_value(option.get("arg")).lower()
        else:
            body = option_value(option.get("arg"))
    operations, reasons = plpgsql.read(body, language)
    for reason in reasons:
        context.note(reason)
    return (Do(language), *operations)


def _system(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (AlterSystem(node.get("setstmt", {}).get("name")),)


def _checkpoint(_node: Node, _context: Context) -> tuple[Operation, ...]:
    return (Checkpoint(),)


def _discard(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (SessionCommand(node.get("target", "discard").replace("_", " ").lower()),)


def _command(word: str) -> Maker:
    def make(_node: Node, _context: Context) -> tuple[Operation, ...]:
        return (SessionCommand(word),)

    return make


def _fetch(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (SessionCommand("move" if node.get("ismove") else "fetch"),)


MAKERS = {
    "AlterSystemStmt": _system,
    "CheckPointStmt": _checkpoint,
    "ClosePortalStmt": _command("close"),
    "ConstraintsSetStmt": _constraints,
    "DeallocateStmt": _command("deallocate"),
    "DiscardStmt": _discard,
    "DoStmt": _do,
    "ExecuteStmt": _command("execute"),
    "FetchStmt": _fetch,
    "ListenStmt": _command("listen"),
    "LoadStmt": _command("load"),
    "NotifyStmt": _command("notify"),
    "TransactionStmt": _transaction,
    "UnlistenStmt": _command("unlisten"),
    "VariableSetStmt": _set,
    "VariableShowStmt": _show,
}
