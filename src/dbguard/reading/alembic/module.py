"""One Python file of an Alembic environment, walked as it would run on PostgreSQL."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from dbguard.reading.alembic import facts
from dbguard.reading.python.interpret import Interpreter
from dbguard.reading.python.values import Attribute, Called, Item, Local, Operator, Symbol, Unknown, Value, is_known

_FILLS = frozenset(["extend", "update", "append", "add", "insert", "setdefault"])
_SOME = Unknown("some values of a container")
_MOST_HELD = 10_000


class Bind:
    """What runs SQL: a connection, a cursor, the migration context. `alone` if each statement commits by itself."""

    __slots__ = ("alone", "orm")

    def __init__(self, alone: bool = False, orm: bool = False) -> None:
        self.alone = alone
        self.orm = orm


class Module(Interpreter):
    """`op.get_bind().dialect.name` is known, and so is whether SQL is only printed.

    Functions that send no SQL are not followed with values that are not known: nothing would come of it.
    """

    def value(self, node: ast.expr, scope: dict[str, Value]) -> Value:
        found = super().value(node, scope)
        if type(node) is ast.Attribute:
            if node.attr == "name" and _is_server(found):
                return "postgresql"
            if node.attr == "__dialect__":
                return "postgresql"
            if node.attr == "as_sql":
                return False
        elif type(node) is ast.Call and type(found) is Unknown and isinstance(node.func, ast.Attribute) and node.func.attr in _FILLS:
            self._fill(node.func.value, found, scope)
        return found

    def assign(self, target: ast.expr, value: Value, scope: dict[str, Value]) -> None:
        if type(target) is ast.Subscript and not is_known(self.value(target.slice, scope)):
            self._fill(target.value, value, scope)
        else:
            super().assign(target, value, scope)

    def _fill(self, node: ast.expr, value: Value, scope: dict[str, Value]) -> None:
        """What is put under a key that is not known, or is many values that are not, leaves no empty container behind."""
        held = self.value(node, scope) if isinstance(node, ast.Name) else None
        if type(held) is dict:
            held[_SOME] = value
        elif type(held) is list and len(held) < _MOST_HELD:
            held.append(_SOME)
        elif type(held) is set:
            held.add(_SOME)

    def call(self, function: Local, args: Iterable[Value] = (), kwargs: dict[str, Value] | None = None) -> Value:
        args = tuple(args)
        is_plain = isinstance(function.node, ast.FunctionDef)
        if is_plain and any(map(_depends, (*args, *(kwargs or {}).values()))) and function.name not in facts.acting(self.module):
            return Unknown(f"`{function.name}()` of a value that is not known", function.node)
        return super().call(function, args, kwargs)


def _depends(value: Value) -> bool:
    """Whether a value comes from one that is not known."""
    match value:
        case Unknown():
            return True
        case Attribute(base, _) | Item(base, _):
            return _depends(base)
        case Operator(_, operands, _):
            return any(map(_depends, operands))
        case Called(Attribute(base, _), _, _, _):
            return _depends(base)
    return False


def _is_server(found: Value) -> bool:
    if isinstance(found, Symbol):
        return found.path.endswith((".dialect.name", ".bind.name", ".engine.name"))
    if isinstance(found, Attribute):
        base = found.base
        return isinstance(base, Bind) or (isinstance(base, Attribute) and base.name in {"dialect", "engine", "impl"})
    return False


def parts(value: Value) -> list[Value]:
    """The value, what it is an attribute or item of, and so on."""
    found = [value]
    while isinstance(value, Attribute | Item):
        value = value.base
        found.append(value)
    return found


__all__ = ["Bind", "Module", "parts"]
