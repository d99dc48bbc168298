"""Functions, procedures, triggers and rules."""

from __future__ import annotations

from dbguard.model import operations as op
from dbguard.model.operations import Operation
from dbguard.model.types import DataType
from dbguard.parsing.column_types import data_type
from dbguard.parsing.constraints import in_parentheses
from dbguard.parsing.context import Context, Node
from dbguard.parsing.names import object_name, option_value, qualified, relation, strings
from dbguard.parsing.session import setting_value
from dbguard.parsing.uses import uses_of

_INPUTS = frozenset({"FUNC_PARAM_IN", "FUNC_PARAM_INOUT", "FUNC_PARAM_VARIADIC", "FUNC_PARAM_DEFAULT"})

# Bits of tgtype in src/include/catalog/pg_trigger.h.
_EVENTS = ((4, "insert"), (8, "delete"), (16, "update"), (32, "truncate"))
_TIMINGS = {2: "before", 64: "instead of"}


def _create_function(node: Node, _context: Context) -> tuple[Operation, ...]:
    arguments, settings = [], []
    for item in node.get("parameters", ()):
        parameter = item["FunctionParameter"]
        if parameter.get("mode", "FUNC_PARAM_DEFAULT") in _INPUTS:
            arguments.append(data_type(parameter["argType"]))
    written: dict[str, str] = {}
    for item in node.get("options", ()):
        option = item["DefElem"]
        if option["defname"] == "set":
            settings.append(_setting(option["arg"]["VariableSetStmt"]))
        elif option["defname"] == "as":
            written["as"] = option_value(next(iter(option["arg"].get("List", {}).get("items", ())), None))
        else:
            written[option["defname"]] = option_value(option.get("arg"))
    returns: DataType | None = data_type(node["returnType"]) if "returnType" in node else None
    body = node.get("sql_body")
    return (
        op.CreateFunction(
            qualified(node.get("funcname", [])),
            tuple(arguments),
            returns,
            node.get("is_procedure", False),
            node.get("replace", False),
            written.get("language", "sql").lower(),
            written.get("volatility", "volatile"),
            written.get("security") == "true",
            tuple(settings),
            written.get("as", ""),
            body is not None,
            uses_of(body),
        ),
    )


def _setting(node: Node) -> tuple[str, str]:
    return node.get("name", "").lower(), setting_value(node) or ("from current" if node.get("kind") == "VAR_SET_CURRENT" else "")


def _alter_function(node: Node, _context: Context) -> tuple[Operation, ...]:
    kind = node.get("objtype", "OBJECT_FUNCTION").removeprefix("OBJECT_").lower()
    return (op.AlterObject(kind, object_name(node.get("func"))),)


def _create_trigger(node: Node, context: Context) -> tuple[Operation, ...]:
    events = node.get("events", 0)
    when = node.get("whenClause")
    return (
        op.CreateTrigger(
            node.get("trigname", ""),
            relation(node["relation"]),
            qualified(node.get("funcname", [])),
            frozenset(word for bit, word in _EVENTS if events & bit),
            tuple(strings(node.get("columns", []))),
            in_parentheses(when, context, "WHEN", 0) if when is not None else None,
            _TIMINGS.get(node.get("timing", 0), "after"),
            node.get("row", False),
            node.get("isconstraint", False),
            relation(node["constrrel"]) if "constrrel" in node else None,
            node.get("replace", False),
        ),
    )


def _create_rule(node: Node, _context: Context) -> tuple[Operation, ...]:
    uses = uses_of(node.get("actions"), node.get("whereClause"))
    return (op.CreateRule(node.get("rulename", ""), relation(node["relation"]), node.get("replace", False), uses),)


MAKERS = {
    "AlterFunctionStmt": _alter_function,
    "CreateFunctionStmt": _create_function,
    "CreateTrigStmt": _create_trigger,
    "RuleStmt": _create_rule,
}
