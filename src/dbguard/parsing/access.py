"""Roles, privileges and policies."""

from __future__ import annotations

from typing import Any

from dbguard.model import operations as op
from dbguard.model.names import Name
from dbguard.model.operations import Operation
from dbguard.parsing.context import Context, Node
from dbguard.parsing.names import flag, kind_of, object_name, role
from dbguard.parsing.uses import uses_of


def _grant(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (_grant_of(node, kind_of(node.get("objtype", "OBJECT_TABLE"))),)


def _grant_of(node: Node, kind: str) -> op.Grant:
    return op.Grant(
        kind,
        tuple(object_name(item) for item in node.get("objects", ())),
        tuple(item["AccessPriv"].get("priv_name", "all") for item in node.get("privileges", ())),
        tuple(map(role, node.get("grantees", ()))),
        node.get("targtype") == "ACL_TARGET_ALL_IN_SCHEMA",
    )


def _grant_role(node: Node, _context: Context) -> tuple[Operation, ...]:
    names = tuple(Name(None, item["AccessPriv"].get("priv_name", "")) for item in node.get("granted_roles", ()))
    return (op.Grant("role", names, (), tuple(map(role, node.get("grantee_roles", ())))),)


def _default_privileges(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (_grant_of(node.get("action", {}), "default privileges"),)


def _create_role(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (op.CreateObject("role", Name(None, node.get("role", "")), _superuser(node)),)


def _alter_role(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (op.AlterObject("role", Name(None, role(node.get("role", {}))), _superuser(node)),)


def _alter_role_set(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (op.AlterObject("role", Name(None, role(node["role"]) if "role" in node else "all"), "set"),)


def _superuser(node: Node) -> str:
    return "superuser" if flag(node.get("options"), "superuser") else ""


def _drop_role(node: Node, _context: Context) -> tuple[Operation, ...]:
    return (op.DropObject("role", tuple(Name(None, role(item)) for item in node.get("roles", ())), node.get("missing_ok", False)),)


def _owned(reassign: bool) -> Any:
    def make(_node: Node, _context: Context) -> tuple[Operation, ...]:
        return (op.DropOwned(reassign),)

    return make


def _create_policy(node: Node, _context: Context) -> tuple[Operation, ...]:
    uses = uses_of(node.get("qual"), node.get("with_check"))
    return (op.CreatePolicy(node.get("policy_name", ""), object_name(node["table"]), uses.columns, node.get("cmd_name", "all"), uses),)


def _alter_policy(node: Node, _context: Context) -> tuple[Operation, ...]:
    uses = uses_of(node.get("qual"), node.get("with_check"))
    return (op.AlterPolicy(node.get("policy_name", ""), object_name(node["table"]), uses.columns, uses),)


MAKERS = {
    "AlterDefaultPrivilegesStmt": _default_privileges,
    "AlterPolicyStmt": _alter_policy,
    "AlterRoleSetStmt": _alter_role_set,
    "AlterRoleStmt": _alter_role,
    "CreatePolicyStmt": _create_policy,
    "CreateRoleStmt": _create_role,
    "DropOwnedStmt": _owned(reassign=False),
    "DropRoleStmt": _drop_role,
    "GrantRoleStmt": _grant_role,
    "GrantStmt": _grant,
    "ReassignOwnedStmt": _owned(reassign=True),
}
