"""Methods of classes that a project bases on Django's: what `__init__` hands on, whether a method calls its base, what SQL it sends."""

from __future__ import annotations

import ast
from typing import Any

from dbguard.reading.python.values import Attribute, Called, Local, Symbol, Value


def initialised(members: dict[str, Value], args: tuple[Value, ...], options: dict[str, Value], interpreter: Any) -> tuple[tuple[Value, ...], Any]:
    """The arguments that the project's `__init__` hands on to its base."""
    method = members.get("__init__")
    if not isinstance(method, Local) or interpreter is None:
        return args, options
    passed = [call for call in _listened(method, (Symbol("self"), *args), dict(options)) if _method(call) == "__init__"]
    if len(passed) != 1:
        return args, options
    handed = dict(passed[0].kwargs)
    return (args, options) if "**" in handed else (passed[0].args, handed)


def executed(method: Local) -> tuple[str, ...]:
    """The texts that a method hands to `schema_editor.execute()` or to a cursor, where they are known."""
    names = [one.arg for one in _arguments(method)]
    calls_made = _listened(method, tuple(Symbol(name) for name in names), {})
    return tuple(call.args[0] for call in calls_made if _method(call) == "execute" and call.args and isinstance(call.args[0], str))


def _arguments(method: Local) -> list[ast.arg]:
    node = method.node
    return list(node.args.args) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else []


def _listened(method: Local, args: tuple[Value, ...], kwargs: dict[str, Value]) -> list[Called]:
    """The calls that a method makes when it is followed."""
    from dbguard.reading.python.interpret import Hooks

    made: list[Called] = []

    class Listening(Hooks):
        def called(self, call: Called) -> Value:
            made.append(call)
            return call

    interpreter = method.interpreter
    before, interpreter.hooks = interpreter.hooks, Listening()
    try:
        interpreter.call(method, args, kwargs)
    except Exception:  # noqa: BLE001 - whatever a program of the project does while it is followed is not known
        return []
    finally:
        interpreter.hooks = before
    return made


def _method(call: Called) -> str:
    if isinstance(call.target, Attribute):
        return call.target.name
    return call.target.path.rpartition(".")[2] if isinstance(call.target, Symbol) else ""


def calls(method: Local, name: str) -> bool:
    """Whether a method calls the method `name` of its base."""
    found = (node.func for node in ast.walk(method.node) if isinstance(node, ast.Call))
    return any(isinstance(function, ast.Attribute) and function.attr == name for function in found)


def does_nothing(method: Local) -> bool:
    body = getattr(method.node, "body", [])
    return isinstance(body, list) and all(map(_is_nothing, body))


def _is_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or (isinstance(statement, ast.Return) and statement.value is None)


def attributes(method: Value, interpreter: Any, names: frozenset[str]) -> dict[str, Value]:
    """Numbers that `__init__` sets as attributes: `self.max_length = 1024`."""
    found: dict[str, Value] = {}
    if not isinstance(method, Local):
        return found
    for statement in getattr(method.node, "body", ()):
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(target := statement.targets[0], ast.Attribute):
            value = interpreter.value(statement.value, method.scope)
            if target.attr in names and isinstance(target.value, ast.Name) and isinstance(value, int):
                found[target.attr] = value
    return found


def returned(method: Value, interpreter: Any) -> Value:
    """What a method returns, if it has one `return` only."""
    if not isinstance(method, Local) or interpreter is None:
        return None
    if not isinstance(method.node, ast.FunctionDef) or sum(isinstance(one, ast.Return) for one in ast.walk(method.node)) != 1:
        return None
    return interpreter.start(method, (Symbol("self"), Symbol("connection"))[: len(method.node.args.args)])
