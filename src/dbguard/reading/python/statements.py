"""Statements of a Python migration: what each binds, which branch is taken, how often a loop is walked."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from dbguard.reading.python import calls, evaluate
from dbguard.reading.python.values import Local, Operator, Symbol, Unknown, Value

if TYPE_CHECKING:
    from dbguard.reading.python.interpret import Interpreter


class Leave(Exception):  # noqa: N818 - control flow, not an error
    """`return`, `break`, `continue` or `raise` in the interpreted program."""

    def __init__(self, kind: str, value: Value = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.value = value


def _import(_interpreter: Interpreter, node: ast.Import, scope: dict[str, Value]) -> None:
    for name in node.names:
        if name.asname:
            scope[name.asname] = Symbol(name.name)
        else:
            first = name.name.partition(".")[0]
            scope[first] = Symbol(first)


def _import_from(interpreter: Interpreter, node: ast.ImportFrom, scope: dict[str, Value]) -> None:
    prefix = "." * node.level + (node.module or "")
    for name in node.names:
        if name.name == "*":
            interpreter.hooks.doubt(node, f"`from {prefix} import *`: what it brings is not known")
        else:
            scope[name.asname or name.name] = Symbol(f"{prefix}{'' if prefix.endswith('.') or not prefix else '.'}{name.name}")


def _define(interpreter: Interpreter, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: dict[str, Value]) -> None:
    scope[node.name] = Local(node, scope, interpreter)


def _assign(interpreter: Interpreter, node: ast.Assign, scope: dict[str, Value]) -> None:
    value = interpreter.value(node.value, scope)
    for target in node.targets:
        interpreter.assign(target, value, scope)


def _annotated(interpreter: Interpreter, node: ast.AnnAssign, scope: dict[str, Value]) -> None:
    if node.value is not None:
        interpreter.assign(node.target, interpreter.value(node.value, scope), scope)


def _augmented(interpreter: Interpreter, node: ast.AugAssign, scope: dict[str, Value]) -> None:
    read = ast.copy_location(ast.BinOp(_loaded(node.target), node.op, node.value), node)
    before = interpreter.value(_loaded(node.target), scope)
    value = interpreter.value(read, scope)
    if isinstance(before, list) and isinstance(node.op, ast.Add) and type(value) is not list:
        rest = interpreter.value(node.value, scope)
        value = [*before, *rest] if type(rest) in {tuple, set, frozenset, dict, range, str} else value
    if isinstance(before, list) and isinstance(value, list):
        before[:] = value
    else:
        interpreter.assign(node.target, value, scope)


def _loaded(target: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Name(target.id, ast.Load()), target) if isinstance(target, ast.Name) else target


def _expression(interpreter: Interpreter, node: ast.Expr, scope: dict[str, Value]) -> None:
    if not isinstance(node.value, ast.Constant):
        interpreter.value(node.value, scope)


def _if(interpreter: Interpreter, node: ast.If, scope: dict[str, Value]) -> None:
    test = interpreter.value(node.test, scope)
    known = evaluate.truth(test)
    if known is None:
        leaves = isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
        known = not leaves or _finds_nothing(test, node.body[-1])
        if _acts(node) or leaves:
            taken = "true" if known else "false"
            interpreter.hooks.doubt(node.test, f"`{interpreter.source(node.test)}` is not known before it runs; taken as {taken}")
    interpreter.run(node.body if known else node.orelse, scope)


def _finds_nothing(test: Value, last: ast.stmt) -> bool:
    """`if found is None: return ...` of a function that looks something up: an empty database has nothing to find."""
    is_none = isinstance(test, Operator) and test.name == "is" and None in test.operands
    return is_none and isinstance(last, ast.Return) and last.value is not None


def _acts(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Call) for part in (*getattr(node, "body", ()), *getattr(node, "orelse", ())) for inner in ast.walk(part))


def _for(interpreter: Interpreter, node: ast.For | ast.AsyncFor, scope: dict[str, Value]) -> None:
    rows = interpreter.value(node.iter, scope)
    if isinstance(rows, dict | set | frozenset | range | str) or type(rows) in {list, tuple}:
        values: list[Value] = list(rows) if len(rows) <= calls.LARGEST else []
    else:
        values = [Unknown(f"a row of `{interpreter.source(node.iter)}`", node.iter)]
    try:
        for value in values:
            interpreter.assign(node.target, value, scope)
            try:
                interpreter.run(node.body, scope)
            except Leave as leave:
                if leave.kind != "continue":
                    raise
    except Leave as leave:
        if leave.kind != "break":
            raise
        return
    interpreter.run(node.orelse, scope)


def _while(interpreter: Interpreter, node: ast.While, scope: dict[str, Value]) -> None:
    """A loop is walked once: how often it runs depends on what it finds."""
    if evaluate.truth(interpreter.value(node.test, scope)) is False:
        return
    try:
        interpreter.run(node.body, scope)
    except Leave as leave:
        if leave.kind not in {"break", "continue"}:
            raise


def _with(interpreter: Interpreter, node: ast.With | ast.AsyncWith, scope: dict[str, Value]) -> None:
    entered = []
    try:
        for item in node.items:
            value = interpreter.value(item.context_expr, scope)
            bound = interpreter.hooks.enter(value)
            entered.append(value)
            if item.optional_vars is not None:
                interpreter.assign(item.optional_vars, bound, scope)
        interpreter.run(node.body, scope)
    finally:
        for value in reversed(entered):
            interpreter.hooks.leave(value)


def _try(interpreter: Interpreter, node: Any, scope: dict[str, Value]) -> None:
    """The body is taken to work. One that can only raise hands over to the first handler."""
    try:
        interpreter.run(node.body, scope)
        interpreter.run(node.orelse, scope)
    except Leave as leave:
        if leave.kind != "raise" or not node.handlers:
            raise
        interpreter.run(node.handlers[0].body, scope)
    finally:
        interpreter.run(node.finalbody, scope)


def _leave(interpreter: Interpreter, node: ast.stmt, scope: dict[str, Value]) -> None:
    match node:
        case ast.Return():
            raise Leave("return", None if node.value is None else interpreter.value(node.value, scope))
        case ast.Break():
            raise Leave("break")
        case ast.Continue():
            raise Leave("continue")
        case _:
            raise Leave("raise")


def _assert(interpreter: Interpreter, node: ast.Assert, scope: dict[str, Value]) -> None:
    interpreter.value(node.test, scope)


def _delete(_interpreter: Interpreter, node: ast.Delete, scope: dict[str, Value]) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            scope.pop(target.id, None)


def _match(interpreter: Interpreter, node: ast.Match, _scope: dict[str, Value]) -> None:
    interpreter.hooks.doubt(node, "a `match` statement is not followed")


STATEMENTS: dict[type, Any] = {
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.ClassDef: _define,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Expr: _expression,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.Return: _leave,
    ast.Break: _leave,
    ast.Continue: _leave,
    ast.Raise: _leave,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.Match: _match,
}
